"""One recording, lifted once, gives the same numbers through every door."""

import asyncio
import json

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from mcp import Client

import dredge as library

pytestmark = pytest.mark.slow
TIMES = np.linspace(0.05, 2.7, 57)


@pytest.fixture(scope="module")
def fitted(dredge):
    """The example ECG with twelve waves, fitted from the command line and kept in the store."""
    imported = json.loads(dredge.run("signals", "import", library.example("ecg"), "--json").stdout)
    done = dredge.run("jobs", "fit", imported["id"], "--waves", 12, "--model", "heart", "--wait", "--json")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def expected():
    """What the library says, in this process."""
    return library.lift(library.read(library.example("ecg")), waves=12)


def test_twelve_waves_give_at_least_twenty_decibels(expected):
    assert expected.report.snr_db >= 20
    assert expected.field.numbers == 73


def test_the_command_line_gives_the_librarys_numbers(dredge, tmp_path, expected):
    model = tmp_path / "ecg.safetensors"
    report = json.loads(dredge.run("fit", library.example("ecg"), "--waves", 12, "--output", model, "--json").stdout)
    assert report["report"]["snr_db"] == pytest.approx(expected.report.snr_db, rel=1e-9)
    assert library.load(model)(TIMES) == pytest.approx(expected.field(TIMES), rel=1e-9, abs=1e-9)


def test_http_gives_the_librarys_numbers(dredge, fitted, expected):
    answer = httpx.post(f"{dredge.server}/v1/models/heart/evaluate", json={"points": TIMES.tolist()}).raise_for_status()
    assert answer.json()["values"] == pytest.approx(expected.field(TIMES), rel=1e-9, abs=1e-9)


def test_a_client_of_the_protocol_gets_the_librarys_numbers(dredge, fitted, expected):
    async def ask():
        async with Client(f"{dredge.mcp}/mcp") as client:
            return await client.call_tool("evaluate", {"model": "heart", "points": TIMES.tolist()})

    answer = asyncio.run(ask())
    assert not answer.is_error, answer.content
    assert answer.structured_content["values"] == pytest.approx(expected.field(TIMES), rel=1e-9, abs=1e-9)


def test_the_original_body_gives_the_librarys_numbers(dredge, fitted, expected):
    body = {"operation": "inference", "params": {"model_id": "heart", "inputs": {"t": TIMES.tolist()}}}
    answer = httpx.post(f"{dredge.mcp}/mcp", json=body).raise_for_status()
    assert answer.json()["success"] is True
    assert answer.json()["output"] == pytest.approx(expected.field(TIMES), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("door", ["server", "mcp"])
def test_tritonclient_gets_the_librarys_numbers(dredge, fitted, expected, door, binary):
    client = triton.InferenceServerClient(getattr(dredge, door).removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_model_ready("heart")
    points = triton.InferInput("points", [len(TIMES), 1], "FP64")
    points.set_data_from_numpy(TIMES[:, None], binary_data=binary)
    wanted = triton.InferRequestedOutput("values", binary_data=binary)
    values = client.infer("heart", [points], outputs=[wanted]).as_numpy("values")
    assert values == pytest.approx(expected.field(TIMES), rel=1e-9, abs=1e-9)


def test_the_python_client_gets_the_librarys_numbers(dredge, fitted, expected):
    client = library.Client(dredge.server)
    assert client.evaluate("heart", TIMES) == pytest.approx(expected.field(TIMES), rel=1e-9, abs=1e-9)
