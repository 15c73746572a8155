"""A worker as `dredge worker` starts it, with handlers that tests can steer. Gates are files in DREDGE_DATA."""

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dredge.errors import InvalidInput
from dredge.jobs import retrying, run_worker
from dredge.settings import Settings
from dredge.telemetry import metrics, worker

LOCK = threading.Lock()


class Slow(Collector):
    """Holds a lock for most of the time in which the worker is scraped, as a metric does for an instant of it."""

    def collect(self):
        with LOCK:
            time.sleep(0.01)
            yield GaugeMetricFamily("slow", "A lock that was held", value=1)


def count(context, payload):
    """Needs the lock that scrapes hold."""
    if not LOCK.acquire(timeout=1):
        os._exit(3)
    return {}


def gated(context, payload):
    while not (Path(os.environ["DREDGE_DATA"]) / payload["gate"]).exists():
        time.sleep(0.02)
    return {}


def hopeless(context, payload):
    raise InvalidInput("This cannot work.")


def broken(context, payload):
    raise RuntimeError("a fault")


def die(context, payload):
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    settings = Settings.load()
    retrying.FIRST_DELAY = 0.1
    parts = metrics.everywhere()
    metrics.everywhere = lambda: [*parts, Slow()]
    run_worker(settings, {one.__name__: one for one in (count, gated, hopeless, broken, die)},
               watching=partial(worker.watching, settings))
