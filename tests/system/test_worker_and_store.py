"""A worker takes no job that it could only fail."""

import os
import subprocess
import sys

import httpx
import pytest

import dredge
from dredge.errors import StoreUnavailable
from dredge.service import FitOptions, Service
from dredge.settings import Settings
from dredge.store import folder
from dredge.store.store import Store
from waiting import free_ports, wait_until


def test_jobs_wait_while_the_store_is_away(tmp_path):
    [port] = free_ports(1)
    service = Service(Settings(dredge_data=tmp_path))
    signal = service.import_signal(dredge.example("ecg"), name="ecg")
    url = f"http://127.0.0.1:{port}/health/ready"
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, "-m", "dredge", "worker"], stderr=log,
                                  env={**os.environ, "DREDGE_DATA": str(tmp_path), "WORKER_PORT": str(port)})
    try:
        wait_until(lambda: _status(url) == 200, "a worker")
        job = service.submit_fit(signal.id, FitOptions(waves=1))
        wait_until(lambda: service.job(job.id).state == "done", "the first fit")

        (tmp_path / "store").rename(tmp_path / "elsewhere")
        wait_until(lambda: _status(url) == 503, "trouble")
        assert "is gone" in httpx.get(url).json()["error"]
        waiting = service.queue.submit(job.kind, job.payload)

        (tmp_path / "elsewhere").rename(tmp_path / "store")
        wait_until(lambda: service.job(waiting.id).ended, "the second fit")
        assert service.job(waiting.id).attempts == 1
        wait_until(lambda: _status(url) == 200, "health")
    finally:
        worker.terminate()
        worker.wait(20)
    assert (tmp_path / "log").read_text().count("no job is taken") == 1


def test_a_full_disk_is_noticed_before_a_job_is_taken(tmp_path, monkeypatch):
    store = Store.open(tmp_path)
    store.check(room=True)
    monkeypatch.setattr(folder, "ROOM", 1 << 60)  # more than any disk has
    with pytest.raises(StoreUnavailable, match="on a full disk"):
        store.check(room=True)
    store.check()


def _status(url):
    try:
        return httpx.get(url).status_code
    except httpx.HTTPError:
        return None
