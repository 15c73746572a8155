"""A server on a free port with a store of its own, a worker beside it, and a client of the official SDK."""

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
import uvicorn
from mcp import Client
from mcp.shared.exceptions import MCPError

from dredge.mcp import create_app
from dredge.service import Service
from dredge.settings import Settings
from dredge.signals import example
from dredge.waves import FitOptions
from waiting import wait_until

WORKER = """
from dredge.jobs import run_worker
from dredge.service import Service
from dredge.settings import Settings
settings = Settings.load()
run_worker(settings, Service(settings).handlers(), concurrency=1)
"""
MODES = ["2026-07-28", "legacy"]


@dataclass
class Answer:
    """What a tool answered."""

    text: str
    data: dict
    content: list
    is_error: bool

    @property
    def links(self):
        return [block.uri for block in self.content if block.type == "resource_link"]


@dataclass
class Running:
    """A server that listens."""

    url: str
    service: Service

    def ask(self, work, **client_options):
        """Run `await work(client)` with a client of the SDK."""

        async def asking():
            async with Client(f"{self.url}/mcp", **client_options) as client:
                try:
                    return await work(client), None
                except MCPError as error:  # raised here it would arrive inside groups
                    return None, error

        result, error = asyncio.run(asking())
        if error is not None:
            raise error
        return result

    def call(self, tool, arguments=None, /, mode="2026-07-28", progress=None, **more):
        """Call one tool; its answer, whether it went well or not."""

        async def work(client):
            return await client.call_tool(tool, {**(arguments or {}), **more}, progress_callback=progress)

        result = self.ask(work, mode=mode)
        return Answer(result.content[0].text, result.structured_content, result.content, result.is_error)

    def refused(self, tool, arguments=None, /, **more):
        """The sentence with which a call is refused."""
        answer = self.call(tool, arguments, **more)
        assert answer.is_error, answer.text
        assert "Traceback" not in answer.text
        assert "Error executing" not in answer.text
        return answer.text

    def original(self, operation, **params):
        """Status and answer of the original project's body."""
        body = {"operation": operation, "params": params}
        response = httpx.post(f"{self.url}/mcp", json=body, timeout=60)
        return response.status_code, response.json()


class Listening:
    """An application behind uvicorn on a free port, in a thread."""

    def __init__(self, settings, service):
        app = create_app(service, settings)
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, http="h11", log_config=None))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.service = service

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.server.started, what="a listening server")
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return Running(f"http://127.0.0.1:{port}", self.service)

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture(scope="session")
def listen():
    """Starts further servers, for tests of settings."""
    return lambda settings: Listening(settings, Service(settings))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that most tests share. Tests name what they make."""
    settings = Settings.load(dredge_data=tmp_path_factory.mktemp("mcp-data"))
    with Listening(settings, Service(settings)) as running:
        yield running


@pytest.fixture(scope="session")
def worker(server):
    """A worker on the same queue."""
    environment = {**os.environ, **server.service.settings.environment(), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", WORKER], env=environment)
    yield process
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="session")
def ecg(server):
    """The example ECG, stored: its record."""
    return server.service.import_signal(example("ecg"))


@pytest.fixture(scope="session")
def heart(server, ecg):
    """The example ECG as twelve waves, stored as the model `heart`."""
    return server.service.lift(signal=ecg.id, options=FitOptions(waves=12), save_as="heart").model


@pytest.fixture(scope="session")
def knock():
    """Half a second of one knock: 256 samples at 512 Hz, 60 Hz inside a Gaussian at 0.25 s."""
    times = np.arange(256) / 512
    return (np.exp(-0.5 * ((times - 0.25) / 0.03) ** 2) * np.sin(2 * np.pi * 60 * times)).tolist()


@pytest.fixture(params=MODES)
def mode(request):
    """Each revision of the protocol that the server speaks."""
    return request.param
