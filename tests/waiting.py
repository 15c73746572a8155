"""What tests of running processes share: waiting for a condition, ports that are free, addresses that answer."""

import contextlib
import socket
import time

import httpx
import pytest


def wait_until(condition, what="the condition", seconds=60):
    """The first true value of `condition`; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail(f"{what} did not come true within {seconds} s")


def free_ports(count):
    """Different ports of this machine that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def answers(url):
    """Whether a GET succeeds."""
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False
