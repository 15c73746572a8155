"""The same with jobs on Redis: nothing but REDIS_URL changes."""

import subprocess

import httpx
import pytest
from running import start, wait_for_example

import dredge as library
from waiting import free_ports, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.redis]


def test_a_fit_runs_on_redis_and_outlives_its_restart(tmp_path):
    [port] = free_ports(1)

    def start_redis():
        return subprocess.Popen(["redis-server", "--port", str(port), "--dir", str(tmp_path), "--appendonly", "yes",
                                 "--save", ""], stdout=subprocess.DEVNULL)

    redis = start_redis()
    dredge = start(tmp_path / "data", tmp_path / "log", REDIS_URL=f"redis://127.0.0.1:{port}/0")
    try:
        wait_for_example(dredge)
        quake = httpx.post(f"{dredge.server}/v1/signals", content=library.example("seismogram").read_bytes(),
                           params={"name": "quake", "format": "miniseed"}).raise_for_status().json()["id"]
        job = httpx.post(f"{dredge.server}/v1/fits", json={"signal": quake, "waves": 16, "model": "quake"}).json()["id"]

        def state():
            answer = httpx.get(f"{dredge.server}/v1/jobs/{job}")
            return answer.json() if answer.is_success else {"state": str(answer.status_code), "progress": {"fraction": 0}}

        wait_until(lambda: state()["progress"]["fraction"] > 0, "the first progress")
        redis.kill()
        redis.wait(20)
        assert httpx.get(f"{dredge.server}/v1/jobs").status_code == 503
        redis = start_redis()
        done = wait_until(lambda: (now := state())["state"] in ("done", "failed") and now, "the end of the fit", 120)
        assert done["state"] == "done", done
        assert [v["version"] for v in httpx.get(f"{dredge.server}/v1/models/quake/versions").json()["items"]] == [1]
        assert not (tmp_path / "data" / "queue.sqlite").exists()
    finally:
        dredge.stop()
        redis.kill()
        redis.wait(20)
