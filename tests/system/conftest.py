"""A running DREDGE for the tests of one file."""

import pytest
from running import start, wait_for_example


@pytest.fixture(scope="module")
def dredge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("system")
    running = start(folder / "data", folder / "log")
    try:
        wait_for_example(running)
        yield running
    finally:
        running.stop()
