"""What Prometheus reads from the exporter."""

import threading
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dredge.errors import QueueUnavailable
from dredge.telemetry import exporter
from waiting import free_ports


@contextmanager
def exporting(*collectors):
    """A running exporter; gives a function that scrapes it."""
    [port] = free_ports(1)
    stop, started = threading.Event(), threading.Event()

    def run():
        started.set()
        exporter.serve("127.0.0.1", port, collectors, stop)

    thread = threading.Thread(target=run)
    thread.start()
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8))

    def scrape():
        answer = client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        return {(sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(answer.text) for sample in family.samples}

    scrape.client = client
    try:
        yield scrape
    finally:
        stop.set()
        thread.join(10)
        client.close()


def test_numbers_of_the_parts_are_told_under_their_names():
    parts = {"queue": lambda: {"queue_depth": 3, "jobs": {"queued": 3, "done": 9}}, "store": lambda: {"signals": 2}}
    with exporting(exporter.SystemCollector(parts)) as scrape:
        told = scrape()
    assert told["dredge_queue_depth",] == 3
    assert told["dredge_jobs", "done"] == 9
    assert told["dredge_signals",] == 2
    assert told["dredge_up", "queue"] == told["dredge_up", "store"] == 1


def test_a_part_that_does_not_answer_is_down_and_the_others_are_told():
    def broken():
        raise QueueUnavailable("no broker")

    with exporting(exporter.SystemCollector({"queue": broken, "store": lambda: {"models": 1}})) as scrape:
        told = scrape()
    assert told["dredge_up", "queue"] == 0
    assert told["dredge_up", "store"] == 1
    assert told["dredge_models",] == 1


def test_each_fit_is_counted_once_when_it_is_done():
    done = [("before", 2.0, 12, 0.01)]
    with exporting(exporter.FitCollector(lambda: done)) as scrape:
        before = scrape()
        done.append(("a", 2.0, 12, 0.01))
        once = scrape()
        again = scrape()
    count, seconds = ("dredge_fit_waves_count",), ("dredge_fit_seconds_sum",)
    assert once[count] - before[count] == 1
    assert once[seconds] - before[seconds] == pytest.approx(2)
    assert again[count] == once[count]


def test_the_version_is_told():
    import dredge

    with exporting() as scrape:
        assert scrape()["dredge_build_info", dredge.__version__] == 1


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/health/live", 200), ("/", 200), ("/etc/passwd", 404)])
def test_paths_answer(path, status):
    with exporting() as scrape:
        assert scrape.client.get(path).status_code == status
