"""The Open Inference Protocol, byte by byte and with Triton's own client classes."""

import json
from dataclasses import dataclass

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dredge.errors import DredgeError, InvalidInput, ModelNotFound, StoreUnavailable, TooLarge
from dredge.serving import HEADER_LENGTH, OpenInference
from dredge.waves import WaveField, evaluate

MOST = 100_000


@dataclass(frozen=True)
class Record:
    name: str
    version: int
    dimension: int


@dataclass
class ListPage:
    items: list
    next_cursor: str | None = None


class Models:
    """ "heart" with versions 1 and 2 in one coordinate, "plane" in two: their values are easily said."""

    def __init__(self):
        self.records = [Record("heart", 1, 1), Record("heart", 2, 1), Record("plane", 1, 2)]
        self.asked = []
        self.broken = False

    def model(self, name, version=None):
        found = [each for each in self.records if each.name == name and version in (None, each.version)]
        if not found:
            raise ModelNotFound(f"There is no model {name}.")
        return found[-1]

    def versions(self, name):
        return [each for each in self.records if each.name == name]

    def models(self, *, cursor=None, limit=50):
        if self.broken:
            raise StoreUnavailable("The store does not answer.")
        newest = [self.model(name) for name in ("heart", "plane")]
        return ListPage(newest[1:]) if cursor else ListPage(newest[:1], "more")

    def evaluate(self, name, points, version=None):
        if len(points) > MOST:
            raise TooLarge("Too many points.", field="points")
        self.asked.append((name, version, points.shape))
        columns = points if points.ndim == 2 else points[:, None]
        return float(version) * columns[:, 0] + (10 * columns[:, 1] if name == "plane" else 0)


@pytest.fixture
def models():
    return Models()


@pytest.fixture
def protocol(models):
    return OpenInference(models)


def ask(protocol, request, name="heart", version=None, binary=None):
    """A request as JSON text, with binary data after it when given; gives the answer's JSON and its binary part."""
    text = orjson.dumps(request)
    body, headers = protocol.infer(name, version, text + (binary or b""), None if binary is None else len(text))
    length = int(headers.get(HEADER_LENGTH, len(body)))
    assert headers["Content-Type"] == ("application/octet-stream" if HEADER_LENGTH in headers else "application/json")
    return json.loads(body[:length]), body[length:]


def points(**changes):
    return {"inputs": [{"name": "points", "datatype": "FP64", "shape": [3], "data": [0.5, 1, 2]} | changes]}


def test_the_server_says_what_it_is(protocol, models):
    from dredge import __version__

    assert protocol.server_metadata() == {
        "name": "dredge",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }
    assert protocol.live() is True
    assert protocol.ready() is True
    models.broken = True
    assert protocol.live() is True
    assert protocol.ready() is False


def test_a_model_says_what_it_takes_and_gives(protocol):
    assert protocol.model_metadata("plane") == {
        "name": "plane",
        "versions": ["1"],
        "platform": "dredge_waves",
        "inputs": [{"name": "points", "datatype": "FP64", "shape": [-1, 2]}],
        "outputs": [{"name": "values", "datatype": "FP64", "shape": [-1]}],
    }
    assert protocol.model_metadata("heart", "1")["versions"] == ["1", "2"]
    assert protocol.model_metadata("heart", 1) == protocol.model_metadata("heart")
    with pytest.raises(ModelNotFound):
        protocol.model_metadata("none")


def test_a_model_says_whether_it_is_ready(protocol):
    assert protocol.model_ready("heart")
    assert protocol.model_ready("heart", "2")
    assert not protocol.model_ready("heart", "3")
    assert not protocol.model_ready("none")
    assert not protocol.model_ready("heart", "one")


def test_all_models_are_indexed(protocol):
    assert protocol.repository_index() == [
        {"name": "heart", "version": "2", "state": "READY"},
        {"name": "plane", "version": "1", "state": "READY"},
    ]


def test_json_in_json_out(protocol):
    answer, rest = ask(protocol, points() | {"id": "my request"})
    assert answer == {
        "model_name": "heart",
        "model_version": "2",
        "id": "my request",
        "outputs": [{"name": "values", "datatype": "FP64", "shape": [3], "data": [1.0, 2.0, 4.0]}],
    }
    assert rest == b""
    assert "id" not in ask(protocol, points())[0]


def test_the_version_that_is_asked_for_answers(protocol, models):
    for version in (1, "1"):
        answer, _ = ask(protocol, points(), version=version)
        assert answer["model_version"] == "1"
        assert answer["outputs"][0]["data"] == [0.5, 1.0, 2.0]
    ask(protocol, points(), version="")
    assert [version for _, version, _ in models.asked] == [1, 1, 2]
    with pytest.raises(ModelNotFound):
        ask(protocol, points(), version=3)
    for bad in ("one", "1.0", "-1", "１", "9" * 40):
        with pytest.raises(InvalidInput) as caught:
            ask(protocol, points(), version=bad)
        assert caught.value.field == "version"


@pytest.mark.parametrize("data", [[1, 10, 2, 20, 3, 30], [[1, 10], [2, 20], [3, 30]]])
def test_points_in_a_plane_may_be_flat_or_nested(protocol, data):
    answer, _ = ask(protocol, points(shape=[3, 2], data=data), name="plane")
    assert answer["outputs"][0]["data"] == [101.0, 202.0, 303.0]


def test_one_coordinate_may_have_a_column_of_its_own(protocol):
    for data in ([0.5, 1, 2], [[0.5], [1], [2]]):
        answer, _ = ask(protocol, points(shape=[3, 1], data=data))
        assert answer["outputs"][0]["data"] == [1.0, 2.0, 4.0]
        assert answer["outputs"][0]["shape"] == [3]


def test_no_points_have_no_values(protocol):
    for shape in ([0], [0, 1]):
        assert ask(protocol, points(shape=shape, data=[]))[0]["outputs"][0]["data"] == []
        assert ask(protocol, binary_points(0, shape=shape), binary=b"")[0]["outputs"][0]["data"] == []


@pytest.mark.parametrize(
    ("datatype", "answered"), [("FP64", "FP64"), ("FP32", "FP32"), ("INT32", "FP64"), ("INT64", "FP64")]
)
def test_floats_are_answered_in_their_precision_and_integers_in_double(protocol, datatype, answered):
    output = ask(protocol, points(datatype=datatype, data=[1, 2, 3]))[0]["outputs"][0]
    assert (output["datatype"], output["data"]) == (answered, [2.0, 4.0, 6.0])


def binary_points(size, **changes):
    return {
        "inputs": [{"name": "points", "datatype": "FP64", "shape": [3], "parameters": {"binary_data_size": size}} | changes]
    }


@pytest.mark.parametrize(("datatype", "dtype"), [("FP64", "<f8"), ("FP32", "<f4"), ("INT32", "<i4"), ("INT64", "<i8")])
def test_binary_in_binary_out(protocol, datatype, dtype):
    data = np.array([1, 2, 3], dtype).tobytes()
    request = binary_points(len(data), datatype=datatype) | {"id": "x", "parameters": {"binary_data_output": True}}
    answer, rest = ask(protocol, request, binary=data)
    out = "<f4" if datatype == "FP32" else "<f8"
    assert answer == {
        "model_name": "heart",
        "model_version": "2",
        "id": "x",
        "outputs": [
            {
                "name": "values",
                "datatype": "FP32" if out == "<f4" else "FP64",
                "shape": [3],
                "parameters": {"binary_data_size": 3 * np.dtype(out).itemsize},
            }
        ],
    }
    assert rest == np.array([2, 4, 6], out).tobytes()


def test_the_output_says_whether_it_comes_as_bytes(protocol):
    def is_binary(**request):
        return "data" not in ask(protocol, points() | request)[0]["outputs"][0]

    wanted = {"name": "values", "parameters": {"binary_data": True}}
    unwanted = {"name": "values", "parameters": {"binary_data": False}}
    assert not is_binary()
    assert not is_binary(outputs=[])
    assert not is_binary(outputs=[{"name": "values"}])
    assert is_binary(outputs=[wanted])
    assert is_binary(parameters={"binary_data_output": True})
    assert is_binary(parameters={"binary_data_output": True}, outputs=[{"name": "values"}])
    assert not is_binary(parameters={"binary_data_output": True}, outputs=[unwanted])


NAN = float("nan")
MISTAKES = [
    ([], "body"),
    ("text", "body"),
    ({}, "inputs"),
    ({"inputs": {}}, "inputs"),
    ({"inputs": []}, "inputs"),
    ({"inputs": points()["inputs"] * 2}, "inputs"),
    ({"inputs": [5]}, "inputs[0]"),
    (points(name="x"), "inputs[0].name"),
    (points(name=None), "inputs[0].name"),
    (points(datatype="FP16"), "inputs[0].datatype"),
    (points(datatype="BYTES"), "inputs[0].datatype"),
    (points(datatype=["FP64"]), "inputs[0].datatype"),
    (points(datatype=None), "inputs[0].datatype"),
    (points(shape=None), "inputs[0].shape"),
    (points(shape=3), "inputs[0].shape"),
    (points(shape=[]), "inputs[0].shape"),
    (points(shape=[-1]), "inputs[0].shape"),
    (points(shape=[-1, 1]), "inputs[0].shape"),
    (points(shape=[-3, -1]), "inputs[0].shape"),
    (points(shape=[3.0]), "inputs[0].shape"),
    (points(shape=[True]), "inputs[0].shape"),
    (points(shape=["3"]), "inputs[0].shape"),
    (points(shape=[3, 2]), "inputs[0].shape"),
    (points(shape=[1, 3]), "inputs[0].shape"),
    (points(shape=[3, 1, 1]), "inputs[0].shape"),
    (points(shape=[2]), "inputs[0].data"),
    (points(shape=[1_000_000_000]), "inputs[0].data"),
    (points(shape=[2**63 - 1, 1]), "inputs[0].data"),
    (points(shape=[2**64]), "inputs[0].shape"),
    (points(data=None), "inputs[0].data"),
    (points(data="0.5"), "inputs[0].data"),
    (points(data={"0": 1}), "inputs[0].data"),
    (points(data=["0", "1", "2"]), "inputs[0].data"),
    (points(data=[0, "1", 2]), "inputs[0].data"),
    (points(data=[0, None, 2]), "inputs[0].data"),
    (points(data=[True, False, True]), "inputs[0].data"),
    (points(data=[0, [1], 2]), "inputs[0].data"),
    (points(data=[[0, 1, 2]]), "inputs[0].data"),
    (points(data=[0, {}, 2]), "inputs[0].data"),
    (points(datatype="FP32", data=[0, 1e300, 2]), "inputs[0].data"),
    (points(datatype="INT32", data=[0, 2**31, 2]), "inputs[0].data"),
    (points(datatype="INT64", data=[0, 2**63, 2]), "inputs[0].data"),
    (points(datatype="INT64", data=[0, 0.5, 2]), "inputs[0].data"),
    (points(parameters=5), "inputs[0].parameters"),
    (points(parameters={"binary_data_size": 24}), "inputs[0].data"),
    (points(parameters={"shared_memory_region": "x"}), "inputs[0].parameters.shared_memory_region"),
    (points() | {"id": 5}, "id"),
    (points() | {"parameters": []}, "parameters"),
    (points() | {"parameters": {"binary_data_output": "yes"}}, "parameters.binary_data_output"),
    (points() | {"outputs": {}}, "outputs"),
    (points() | {"outputs": [{"name": "values"}] * 2}, "outputs"),
    (points() | {"outputs": ["values"]}, "outputs[0]"),
    (points() | {"outputs": [{"name": "x"}]}, "outputs[0].name"),
    (
        points() | {"outputs": [{"name": "values", "parameters": {"binary_data": 1}}]},
        "outputs[0].parameters.binary_data",
    ),
    (
        points() | {"outputs": [{"name": "values", "parameters": {"classification": 3}}]},
        "outputs[0].parameters.classification",
    ),
    (
        points() | {"outputs": [{"name": "values", "parameters": {"shared_memory_region": "x"}}]},
        "outputs[0].parameters.shared_memory_region",
    ),
]


@pytest.mark.parametrize(("request_", "field"), MISTAKES, ids=lambda value: str(value)[:60])
def test_a_mistake_is_named(protocol, models, request_, field):
    body = json.dumps(request_).encode()
    with pytest.raises(InvalidInput) as caught:
        protocol.infer("heart", None, body, None)
    assert caught.value.field == field
    assert len(str(caught.value)) < 300
    assert models.asked == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"\0" * 100, b"[" * 5000, b'{"inputs": [NaN]}', b'{"id": "\xed\xa0\x80"}']
)
def test_what_is_not_json_is_said_to_be_not_json(protocol, body):
    with pytest.raises(InvalidInput, match="not JSON") as caught:
        protocol.infer("heart", None, body, None)
    assert caught.value.field == "body"


GOOD = np.array([1.0, 2.0, 3.0]).tobytes()


@pytest.mark.parametrize(
    ("request_", "binary", "field"),
    [
        (binary_points(24), GOOD[:-1], "inputs[0].parameters.binary_data_size"),
        (binary_points(24), GOOD + b"\0", "inputs[0].parameters.binary_data_size"),
        (binary_points(24), b"", "inputs[0].parameters.binary_data_size"),
        (binary_points(23), GOOD[:-1], "inputs[0].parameters.binary_data_size"),
        (binary_points(-1), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points("24"), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points(24.0), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points(True), b"1", "inputs[0].parameters.binary_data_size"),
        (binary_points(24, shape=[4]), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points(24, shape=[1_000_000_000]), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points(8_000_000_000, shape=[1_000_000_000]), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points(24, datatype="FP32"), GOOD, "inputs[0].parameters.binary_data_size"),
        (binary_points(24), np.array([1, NAN, 3]).tobytes(), "inputs[0].parameters.binary_data_size"),
        (binary_points(24), np.array([1, 2, -np.inf]).tobytes(), "inputs[0].parameters.binary_data_size"),
        (binary_points(24) | {"id": 1}, GOOD, "id"),
        (points(), GOOD, "body"),
    ],
)
def test_a_mistake_in_binary_data_is_named(protocol, models, request_, binary, field):
    with pytest.raises(InvalidInput) as caught:
        ask(protocol, request_, binary=binary)
    assert caught.value.field == field
    assert models.asked == []


def test_which_point_is_not_finite_is_said(protocol):
    with pytest.raises(InvalidInput, match="Number 1 is nan"):
        ask(protocol, binary_points(24), binary=np.array([1, NAN, 3]).tobytes())


@pytest.mark.parametrize("length", [-1, 10**6, 10**30])
def test_a_header_length_beyond_the_body_is_refused(protocol, length):
    with pytest.raises(InvalidInput) as caught:
        protocol.infer("heart", None, json.dumps(points()).encode(), length)
    assert caught.value.field == HEADER_LENGTH


def test_binary_data_without_the_header_is_refused(protocol):
    with pytest.raises(InvalidInput) as caught:
        protocol.infer("heart", None, orjson.dumps(binary_points(0, shape=[0])), None)
    assert caught.value.field == HEADER_LENGTH


def test_the_bound_on_work_is_the_service_s_and_comes_through(protocol):
    count = MOST + 1
    with pytest.raises(TooLarge):
        ask(protocol, binary_points(8 * count, shape=[count]), binary=np.zeros(count).tobytes())


def test_a_value_too_large_for_its_datatype_is_refused_in_json(protocol):
    with pytest.raises(InvalidInput, match="must be finite"):
        ask(protocol, points(datatype="FP32", data=[0, 1, 3e38]))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.one_of(st.none(), st.integers(-5, 400)))
def test_random_bytes_raise_nothing_but_the_errors_of_dredge(body, length):
    protocol = OpenInference(Models())
    try:
        protocol.infer("heart", None, body, length)
    except DredgeError as error:
        assert error.message


leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5))
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
nearly = st.fixed_dictionaries(
    {"inputs": anything | st.lists(st.fixed_dictionaries({}, optional={
        "name": st.just("points") | anything,
        "datatype": st.sampled_from(["FP32", "FP64", "INT32", "INT64"]) | anything,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | anything,
        "data": st.lists(st.floats() | st.integers(), max_size=4) | anything,
        "parameters": st.dictionaries(st.just("binary_data_size"), st.integers(-1, 40)) | anything,
    }), min_size=1, max_size=2)},
    optional={"id": st.text(max_size=5) | anything, "parameters": anything, "outputs": anything},
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(nearly, st.binary(max_size=40), st.booleans(), st.sampled_from(["heart", "plane"]))
def test_nearly_right_requests_raise_nothing_but_the_errors_of_dredge(request_, binary, with_header, name):
    text = json.dumps(request_, allow_nan=True).encode()
    protocol = OpenInference(Models())
    try:
        protocol.infer(name, None, text + binary, len(text) if with_header else None)
    except DredgeError as error:
        assert error.message


finite = {32: st.floats(width=32, allow_nan=False, allow_infinity=False, max_value=2.0**100, min_value=-(2.0**100)),
          64: st.floats(allow_nan=False, allow_infinity=False, max_value=1e300, min_value=-1e300)}  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from([32, 64]).flatmap(
        lambda width: hnp.arrays(f"<f{width // 8}", st.integers(0, 30), elements=finite[width])
    ),
    st.booleans(),
    st.booleans(),
)
def test_numbers_survive_both_forms_both_ways(values, binary_in, binary_out):
    protocol = OpenInference(Models())
    datatype = f"FP{8 * values.itemsize}"
    request = {"parameters": {"binary_data_output": binary_out}}
    if binary_in:
        request |= binary_points(values.nbytes, shape=[len(values)], datatype=datatype)
    else:
        request |= points(shape=[len(values)], datatype=datatype, data=values.tolist())
    answer, rest = ask(protocol, request, version=1, binary=values.tobytes() if binary_in else None)
    output = answer["outputs"][0]
    back = np.frombuffer(rest, values.dtype) if binary_out else np.array(output["data"], values.dtype)
    assert output["datatype"] == datatype
    np.testing.assert_array_equal(back, values)  # version 1 gives the points back


class WithTriton:
    """Triton's client classes, without a network between."""

    def infer(self, protocol, arrays, *, binary_in, binary_out, datatype="FP64", request_id=""):
        import tritonclient.http as triton
        from tritonclient.http._utils import _get_inference_request

        tensor = triton.InferInput("points", list(arrays.shape), datatype)
        tensor.set_data_from_numpy(arrays, binary_data=binary_in)
        wanted = triton.InferRequestedOutput("values", binary_data=binary_out)
        body, length = _get_inference_request(
            inputs=[tensor], request_id=request_id, outputs=[wanted], sequence_id=0, sequence_start=False,
            sequence_end=False, priority=0, timeout=None, custom_parameters=None)  # fmt: skip
        name = "plane" if arrays.ndim == 2 and arrays.shape[1] == 2 else "heart"
        answer, headers = protocol.infer(name, "1", body, length)
        header_length = headers.get(HEADER_LENGTH)
        return triton.InferResult.from_response_body(
            answer, verbose=False, header_length=None if header_length is None else int(header_length)
        )


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize(("datatype", "dtype"), [("FP64", np.float64), ("FP32", np.float32)])
def test_triton_s_client_sends_and_reads(protocol, binary_in, binary_out, datatype, dtype):
    line = np.linspace(0, 1, 7, dtype=dtype)
    result = WithTriton().infer(
        protocol, line, binary_in=binary_in, binary_out=binary_out, datatype=datatype, request_id="r1"
    )
    np.testing.assert_array_equal(result.as_numpy("values"), line)
    assert result.as_numpy("values").dtype == dtype
    assert result.get_response()["id"] == "r1"
    assert result.get_response()["model_version"] == "1"

    plane = np.stack([line, 2 * line], axis=1)
    result = WithTriton().infer(protocol, plane, binary_in=binary_in, binary_out=binary_out, datatype=datatype)
    np.testing.assert_allclose(result.as_numpy("values"), 21 * line, rtol=1e-6)


def test_a_real_model_gives_the_values_that_it_has(protocol, models, monkeypatch):
    field = WaveField.chirplets([0.5], [0.1], [20.0], [3.0], [1.0], [0.5])
    monkeypatch.setattr(models, "evaluate", lambda name, points, version: evaluate(field, points))
    times = np.linspace(0, 1, 50)
    result = WithTriton().infer(protocol, times, binary_in=True, binary_out=True)
    np.testing.assert_array_equal(result.as_numpy("values"), evaluate(field, times))
    assert ask(protocol, points(shape=[0], data=[]))[0]["outputs"][0]["data"] == []
