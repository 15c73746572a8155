"""The server as a process: it comes up, answers side by side, and goes away when asked."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from dredge.errors import InvalidSetting
from dredge.settings import Settings
from waiting import answers, free_ports, wait_until

SERVE = "from dredge.api import run; from dredge.settings import Settings; run(Settings.load())"


@pytest.mark.slow
def test_the_process_serves_and_stops(tmp_path):
    [port] = free_ports(1)
    settings = Settings.load(dredge_data=tmp_path, dredge_port=port, server_threads=4)
    process = subprocess.Popen([sys.executable, "-c", SERVE],
                               env={**os.environ, **settings.environment(), "OMP_NUM_THREADS": "1"})
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{url}/health/ready"), what="the server")
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda _: answers(f"{url}/health/ready"), range(20)))
        chunks = (b"value\n", b"1\n2\n3\n")
        sent = httpx.post(f"{url}/v1/signals?name=v.csv", content=iter(chunks))
        assert sent.status_code == 201, "a body of unknown length arrives whole"
        assert sent.json()["samples"] == 3
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_an_open_door_is_not_served(tmp_path):
    from dredge.api import run

    with pytest.raises(InvalidSetting, match="no API keys"):
        run(Settings.load(dredge_data=tmp_path, dredge_host="0.0.0.0"))
