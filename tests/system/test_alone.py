"""One server with nobody beside it: it runs a worker of its own, so that a fit makes progress."""

import os
import signal
import subprocess
import sys

import httpx
import psutil
import pytest

from waiting import answers, free_ports, wait_until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("command", "setting"), [("serve", "DREDGE_PORT"), ("mcp", "MCP_PORT")])
def test_a_server_alone_has_a_worker_and_takes_it_along_when_it_ends(tmp_path, command, setting):
    [port] = free_ports(1)
    process = subprocess.Popen([sys.executable, "-m", "dredge", command], stderr=subprocess.DEVNULL, env={
        **os.environ, "DREDGE_DATA": str(tmp_path), setting: str(port), "OMP_NUM_THREADS": "1"})
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), "the server")
        [worker] = wait_until(lambda: [child for child in psutil.Process(process.pid).children(recursive=True)
                                       if "worker" in child.cmdline()], "its worker")
        if command == "serve":
            samples = [0.0, 1.0, 0.0, -1.0] * 20
            signal_id = httpx.post(f"http://127.0.0.1:{port}/v1/signals", json={"samples": samples}).json()["id"]
            job = httpx.post(f"http://127.0.0.1:{port}/v1/fits", json={"signal": signal_id, "waves": 1}).json()["id"]
            wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/v1/jobs/{job}").json()["state"] == "done", "the fit")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "the end of the worker")
