"""The Open Inference Protocol, spoken by its own client."""

import gzip

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

POINTS = np.linspace(0.01, 0.49, 17)


@pytest.fixture
def asking(server, heart):
    client = triton.InferenceServerClient(server.removeprefix("http://"))
    yield client
    client.close()


def points(values=POINTS, kind="FP64", binary=True):
    tensor = triton.InferInput("points", [len(values), 1], kind)
    tensor.set_data_from_numpy(values.astype({"FP64": np.float64, "FP32": np.float32}[kind])[:, None], binary_data=binary)
    return [tensor]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_the_protocol_gives_pythons_values(asking, field, binary_in, binary_out):
    wanted = [triton.InferRequestedOutput("values", binary_data=binary_out)]
    answer = asking.infer("heart", points(binary=binary_in), outputs=wanted)
    assert np.array_equal(answer.as_numpy("values"), field(POINTS))


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_a_compressed_request_is_read(asking, field, compression):
    answer = asking.infer("heart", points(), model_version="1", request_compression_algorithm=compression)
    assert np.array_equal(answer.as_numpy("values"), field(POINTS))


def test_single_precision_is_answered_in_kind(asking, field):
    values = asking.infer("heart", points(kind="FP32")).as_numpy("values")
    assert values.dtype == np.float32
    assert values == pytest.approx(field(POINTS.astype(np.float32).astype(float)), abs=1e-6)


def test_the_server_and_its_models_describe_themselves(asking):
    assert asking.is_server_live()
    assert asking.is_server_ready()
    assert asking.is_model_ready("heart")
    assert asking.is_model_ready("heart", "1")
    assert not asking.is_model_ready("none")
    assert asking.get_server_metadata()["name"] == "dredge"
    metadata = asking.get_model_metadata("heart")
    assert metadata["inputs"][0]["name"] == "points"
    assert [model["name"] for model in asking.get_model_repository_index()] == ["heart"]


def test_a_refusal_reaches_the_client_as_a_sentence(asking):
    with pytest.raises(InferenceServerException, match="no model"):
        asking.infer("none", points())
    wrong = triton.InferInput("times", [1], "FP64")
    wrong.set_data_from_numpy(np.zeros(1))
    with pytest.raises(InferenceServerException, match="points") as refused:
        asking.infer("heart", [wrong])
    assert refused.value.status() == "400"


@pytest.mark.parametrize(("headers", "data"), [
    ({"Inference-Header-Content-Length": "x"}, b"{}"), ({"Inference-Header-Content-Length": "99"}, b"{}"),
    ({"Inference-Header-Content-Length": "-1"}, b"{}"), ({"Content-Encoding": "gzip"}, b"not gzip"), ({}, b"{"), ({}, b"")])
def test_bodies_that_do_not_hold_together_are_refused(client, heart, headers, data):
    answer = client.post("/v2/models/heart/infer", data=data, headers=headers)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_a_body_that_unfolds_beyond_the_limit_is_refused(service, heart, tmp_path):
    from dredge.api import create_app
    from dredge.settings import Settings

    client = create_app(service, Settings.load(dredge_data=tmp_path, max_upload_mb=1)).test_client()
    answer = client.post("/v2/models/heart/infer", data=gzip.compress(bytes(2**22)), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
