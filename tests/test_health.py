"""The health check of a container: a program of its own that asks one port."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest


def ask(*arguments, **environment):
    return subprocess.run([sys.executable, "-m", "dredge.health", *arguments], env=environment, capture_output=True, text=True,
                          timeout=30, check=False)


@pytest.fixture(params=[200, 503])
def part(request):
    """Something that answers like a part that is ready, and like one that is not."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(request.param if self.path == "/health/ready" else 404)
            self.end_headers()
            self.wfile.write(b"its own words")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield request.param, str(server.server_port)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("name", "setting"), [("serve", "DREDGE_PORT"), ("mcp", "MCP_PORT"), ("worker", "WORKER_PORT"),
                                              ("metrics", "METRICS_PORT")])
def test_a_part_is_asked_on_its_port_whether_it_is_ready(part, name, setting):
    status, port = part
    done = ask(name, **{setting: port})
    assert done.returncode == (0 if status == 200 else 1)
    assert done.stdout == "its own words\n"


def test_a_part_that_does_not_answer_is_not_ready():
    done = ask("mcp", MCP_PORT="1")
    assert done.returncode == 1
    assert done.stderr.startswith("mcp does not answer")


def test_a_part_that_does_not_exist_is_named():
    assert "no part 'brain'" in ask("brain").stderr


def test_it_is_light():
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "dredge.health", "mcp"], env={"MCP_PORT": "1"},
                          capture_output=True, text=True, check=False)
    assert not [name for name in ("torch", "numpy", "typer", "pydantic", "flask") if f" {name}\n" in done.stderr]
