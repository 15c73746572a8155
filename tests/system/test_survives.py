"""What happens to `dredge up` when its processes are stopped or killed."""

import signal

import httpx
import psutil
import pytest
from running import start, wait_for_example

import dredge as library
from waiting import answers, wait_until

pytestmark = pytest.mark.slow
PARTS = ["serve", "mcp", "worker", "metrics"]


def part(dredge, name):
    """The process that `dredge up` started for a part."""
    for child in psutil.Process(dredge.process.pid).children():
        if name in child.cmdline():
            return child
    return None


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_killed_comes_back(dredge, name):
    before = part(dredge, name)
    before.kill()
    before.wait(10)

    after = wait_until(lambda: part(dredge, name), what=f"a new {name}")
    assert after.pid != before.pid
    wait_until(lambda: all(map(answers, dredge.doors)), what="all doors")
    record = httpx.post(f"{dredge.server}/v1/signals",
                        json={"samples": [0, 1, 0, -1] * 50, "sample_rate": 8, "name": f"after-{name}"}).json()
    job = httpx.post(f"{dredge.server}/v1/fits", json={"signal": record["id"], "waves": 1}).json()
    wait_until(lambda: httpx.get(f"{dredge.server}/v1/jobs/{job['id']}").json()["state"] == "done", what="the fit")


def test_what_was_kept_is_there_after_everything_was_killed_at_once(tmp_path):
    first = start(tmp_path / "data", tmp_path / "log")
    wait_for_example(first)
    family = first.stop(signal.SIGKILL)
    wait_until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family),
               what="the end of every process")

    second = start(tmp_path / "data", tmp_path / "log")
    try:
        wait_for_example(second)
        versions = httpx.get(f"{second.server}/v1/models/example-ecg/versions").json()["items"]
        assert [v["version"] for v in versions] == [1], "the example is not lifted again"
    finally:
        family = second.stop(signal.SIGINT)
    assert second.process.returncode in (0, 130)
    wait_until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family),
               what="the end of every process")


def test_a_fit_outlives_the_worker_that_ran_it(dredge):
    record = httpx.post(f"{dredge.server}/v1/signals", content=library.example("seismogram").read_bytes(),
                        params={"name": "quake", "format": "miniseed"}).raise_for_status().json()
    job = httpx.post(f"{dredge.server}/v1/fits", json={"signal": record["id"], "waves": 24, "model": "quake"}).json()

    def progress():
        return httpx.get(f"{dredge.server}/v1/jobs/{job['id']}").json()

    wait_until(lambda: progress()["progress"]["fraction"] > 0, what="the first progress")
    part(dredge, "worker").kill()

    done = wait_until(lambda: (now := progress())["state"] not in ("queued", "running") and now, "the end of the fit", 120)
    assert done["state"] == "done", done
    assert len(httpx.get(f"{dredge.server}/v1/models/quake/versions").json()["items"]) == 1
