"""A DREDGE server in this process, with a store of its own; or listening on a port, with a worker beside it."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from werkzeug.serving import make_server

from dredge.api import create_app
from dredge.service import Service
from dredge.settings import Settings
from dredge.waves import WaveField
from waiting import wait_until

WORKER = """
from dredge.jobs import run_worker
from dredge.service import Service
from dredge.settings import Settings
settings = Settings.load()
run_worker(settings, Service(settings).handlers(), concurrency=1)
"""
TIMES = np.arange(250) / 500


@pytest.fixture
def field():
    """Two chirplets within half a second."""
    return WaveField.chirplets([0.15, 0.35], [0.04, 0.02], [2 * np.pi * 40, 2 * np.pi * 90], [2 * np.pi * 100, 0.0],
                               [1.0, 0.3], [0.5, 0.2], bias=0.25, domain=(0, 0.498), unit="mV")


@pytest.fixture
def settings(tmp_path):
    return Settings.load(dredge_data=tmp_path)


@pytest.fixture
def service(settings):
    return Service(settings)


@pytest.fixture
def client(service, settings):
    """A client of the application, without a network."""
    return create_app(service, settings).test_client()


@pytest.fixture
def heart(service, field):
    """A stored model of that name."""
    return service.import_model("heart", field)


@pytest.fixture
def knock(service, field):
    """A stored signal: samples of the field."""
    return service.import_samples(field(TIMES), sample_rate=500, unit="mV", name="knock")


@pytest.fixture
def server(service, settings):
    """The application behind a real socket."""
    listening = make_server("127.0.0.1", 0, create_app(service, settings), threaded=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join(10)


@pytest.fixture
def worker(settings, service):
    """A worker on the same data."""
    process = subprocess.Popen([sys.executable, "-c", WORKER],
                               env={**os.environ, **settings.environment(), "OMP_NUM_THREADS": "1"})
    wait_until(lambda: service.queue.workers() or process.poll() is not None, what="the worker")
    assert process.poll() is None, "the worker did not start"
    yield process
    process.terminate()
    process.wait(30)
