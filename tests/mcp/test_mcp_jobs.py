"""Fits that run behind the request."""

import asyncio

import httpx
import numpy as np
import pytest
from mcp import Client

from waiting import wait_until


@pytest.fixture(scope="module")
def hiss(server):
    """A recording that takes long to fit: noise."""
    noise = np.random.default_rng(5).standard_normal(8_000)
    return server.service.import_samples(noise, sample_rate=8_000, name="hiss")


def test_a_fit_is_started_followed_and_gives_the_numbers_of_python(server, worker, ecg, heart, mode):
    model = f"fitted-{mode}"
    job = server.call("fit_signal", signal=ecg.id, waves=12, model=model, mode=mode)
    assert job.data["state"] == "queued" or job.data["state"] == "running"
    assert "wait_for_job" in job.text

    heard = []

    async def listen(progress, total, message):
        heard.append((progress, total, message))

    done = server.call("wait_for_job", job=job.data["id"], mode=mode, progress=listen)
    while not done.data["ended"]:
        done = server.call("wait_for_job", job=job.data["id"], mode=mode, progress=listen)

    assert done.data["state"] == "done", done.text
    assert done.data["result"]["model"] == model
    assert heard, "progress is heard on the way"
    assert [share for share, *_ in heard] == sorted(share for share, *_ in heard)
    assert f"dredge://models/{model}/1" in done.links

    times = np.linspace(0.05, 2.7, 57)
    values = server.call("evaluate", model=model, points=times.tolist(), mode=mode)
    assert values.data["values"] == pytest.approx(server.service.evaluate(model, times), abs=1e-12, rel=0)
    # The same options and seed as the lift in this process.
    assert values.data["values"] == pytest.approx(server.service.evaluate("heart", times), abs=1e-9)
    assert server.call("describe_model", model=model).data["model"]["scores"]["snr_db"] >= 20


def test_waiting_is_bounded_and_says_to_call_again(server, ecg):
    # No worker is asked for: on this queue the job may wait, but the call does not.
    job = server.service.queue.submit("nothing-runs-this", {})
    answer = server.call("wait_for_job", job=job.id, seconds=0.3)
    assert answer.data["ended"] in (False, True)
    if not answer.data["ended"]:
        assert "Call wait_for_job again" in answer.text


def test_the_longest_wait_is_shorter_than_clients_patience(server):
    assert "55" in server.refused("wait_for_job", job="any", seconds=120)


def test_a_running_fit_is_cancelled(server, worker, hiss):
    job = server.call("fit_signal", signal=hiss.id, waves=500, model="endless").data["id"]
    wait_until(lambda: server.call("job_status", job=job).data["state"] == "running", what="a running fit")

    server.call("cancel_job", job=job)

    ended = wait_until(lambda: (now := server.call("job_status", job=job)).data["ended"] and now, what="the end of the fit")
    assert ended.data["state"] == "cancelled"
    assert "endless" in server.refused("describe_model", model="endless"), "nothing half-made is kept"
    assert server.refused("cancel_job", job=job)


def test_a_client_that_goes_away_leaves_the_fit_running(server, worker, ecg):
    async def start_and_leave():
        async with Client(f"{server.url}/mcp") as client:
            job = await client.call_tool("fit_signal", {"signal": ecg.id, "waves": 2, "model": "left-alone"})
            waiting = asyncio.ensure_future(client.call_tool("wait_for_job", {"job": job.structured_content["id"]}))
            await asyncio.sleep(0)
            waiting.cancel()
            return job.structured_content["id"]

    job = asyncio.run(start_and_leave())
    done = wait_until(lambda: (now := server.call("job_status", job=job)).data["ended"] and now, what="the end of the fit")
    assert done.data["state"] == "done"
    assert server.call("describe_model", model="left-alone").data["model"]["waves"] == 2


def test_a_connection_that_breaks_leaves_the_server_well(server, ecg):
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "wait_for_job", "arguments": {"job": "nobody", "seconds": 30}},
    }
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    with httpx.stream("POST", f"{server.url}/mcp", json=body, headers=headers) as response:
        assert response.status_code == 200  # and left without reading
    assert server.call("list_models").is_error is False


def test_a_job_that_does_not_exist_is_said_so(server):
    for tool in ("job_status", "wait_for_job", "cancel_job"):
        assert "no-such-job" in server.refused(tool, job="no-such-job")
