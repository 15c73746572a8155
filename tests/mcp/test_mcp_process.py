"""The server as a process: over HTTP with a signal to stop, and over stdin and stdout."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from waiting import answers, free_ports, wait_until

HTTP = "from dredge.mcp import run; from dredge.settings import Settings; run(Settings.load())"
STDIO = "from dredge.mcp import run_stdio; from dredge.settings import Settings; run_stdio(Settings.load())"


@pytest.fixture
def environment(tmp_path):
    [port] = free_ports(1)
    return {**os.environ, "DREDGE_DATA": str(tmp_path), "MCP_PORT": str(port), "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_process_serves_until_it_is_asked_to_stop(environment, ending):
    process = subprocess.Popen([sys.executable, "-c", HTTP], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{environment['MCP_PORT']}/health"), what="a healthy server")
        process.send_signal(ending)
        _, log = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode in (0, -ending, 130)
    assert "Traceback" not in log


def test_one_client_is_served_over_stdin_and_stdout(environment):
    async def ask():
        server = StdioServerParameters(command=sys.executable, args=["-c", STDIO], env=environment)
        async with Client(server) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            lifted = await client.call_tool(
                "lift", {"samples": [0, 1, 0, -1] * 16, "sample_rate": 8, "waves": 1, "save_as": "by-stdio"}
            )
            return names, lifted

    names, lifted = asyncio.run(ask())
    assert "find_events" in names
    assert not lifted.is_error, lifted.content
    assert lifted.structured_content["model"] == "by-stdio"
