"""What a worker answers on its port, while it really forks."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import dredge
from dredge.errors import Conflict, InvalidSetting
from dredge.jobs import open_queue
from dredge.jobs.worker import SILENT, EmbeddedWorker
from dredge.settings import Settings
from dredge.telemetry.worker import watching
from waiting import answers, free_ports, wait_until

SCRIPT = Path(__file__).with_name("watched_worker.py")


class Place:
    """A queue and a worker on it."""

    def __init__(self, folder, **settings):
        [self.port] = free_ports(1)
        self.data = folder / "data"
        self.settings = Settings(dredge_data=self.data, worker_port=self.port, job_lease=1.5, worker_grace=0.2, **settings)
        self.queue = open_queue(self.settings)
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def working(self, script=(str(SCRIPT),)):
        environment = {**os.environ, **self.settings.environment(), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen([sys.executable, *script], env=environment, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: answers(f"{self.url}/health"), "the worker")
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def told(self):
        answer = httpx.get(f"{self.url}/metrics").raise_for_status()
        return {(sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(answer.text) for sample in family.samples}

    def outcome(self, name):
        return self.told()["dredge_worker_jobs_total", name]

    def open(self, gate):
        (self.data / gate).touch()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_the_command_answers_on_its_port(place):
    with place.working(("-m", "dredge", "worker", "--concurrency", "3")):
        told = place.told()
        assert told["dredge_worker_concurrency",] == 3
        assert told["dredge_worker_jobs_running",] == 0
        assert told["dredge_build_info", dredge.__version__] == 1
        assert {key[1] for key in told if key[0] == "dredge_worker_jobs_total"} == {
            "done", "failed", "retried", "cancelled", "handed_back", "lost"}
        assert httpx.get(f"{place.url}/health/live").status_code == 200
        assert httpx.get(f"{place.url}/elsewhere").status_code == 404


def test_jobs_are_counted_by_how_they_end(place):
    with place.working():
        running = place.queue.submit("gated", {"gate": "first"})
        wait_until(lambda: place.told()["dredge_worker_jobs_running",] == 1, "the job running")
        place.open("first")
        wait_until(lambda: place.outcome("done") == 1, "the job done")
        assert place.queue.job(running.id).state == "done"
        assert place.told()["dredge_worker_jobs_running",] == 0

        place.queue.submit("hopeless", {})
        wait_until(lambda: place.outcome("failed") == 1, "a failure")
        place.queue.submit("broken", {}, retries=1)
        wait_until(lambda: (place.outcome("retried"), place.outcome("failed")) == (1, 2), "a retry and a failure")
        place.queue.submit("die", {}, retries=1)
        wait_until(lambda: (place.outcome("retried"), place.outcome("failed")) == (2, 3), "a death, again and for good")

        doomed = place.queue.submit("gated", {"gate": "never"})
        wait_until(lambda: place.told()["dredge_worker_jobs_running",] == 1, "the job running")
        place.queue.cancel(doomed.id)
        wait_until(lambda: place.outcome("cancelled") == 1, "the end of what was cancelled")


def test_a_job_that_another_worker_took_over_is_lost(place):
    with place.working() as process:
        job = place.queue.submit("gated", {"gate": "second"})
        wait_until(lambda: place.told()["dredge_worker_jobs_running",] == 1, "the job running")
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: place.queue.claim("somebody else"), "the end of its lease")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: place.outcome("lost") == 1, "the loss")
        assert place.queue.finish(job.id, "somebody else", "done", result={})


def test_a_worker_that_stops_hands_its_job_back(place):
    place.queue.submit("gated", {"gate": "third"})
    worker = EmbeddedWorker(place.settings, {"gated": lambda *_: threading.Event().wait()})
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait_until(lambda: worker.running, "the job running")
    worker.stop()
    thread.join(30)
    assert worker.outcomes["handed_back"] == 1
    assert sum(worker.outcomes.values()) == 1


def test_a_fork_never_happens_during_a_scrape(tmp_path):
    """A child that is born while a scrape holds a lock would wait for it for ever."""
    place = Place(tmp_path, worker_concurrency=4)
    jobs = [place.queue.submit("count", {}, retries=0) for _ in range(60)]
    over = threading.Event()

    def scrape():
        while not over.is_set():
            place.told()

    with place.working():
        scrapers = [threading.Thread(target=scrape) for _ in range(3)]
        for one in scrapers:
            one.start()
        try:
            wait_until(lambda: all(place.queue.job(job.id).ended for job in jobs), "the jobs", 120)
        finally:
            over.set()
            for one in scrapers:
                one.join(20)
        assert {place.queue.job(job.id).state for job in jobs} == {"done"}


@pytest.mark.redis
def test_a_worker_without_its_queue_is_unwell_until_it_is_back(tmp_path):
    [port] = free_ports(1)

    def start_redis():
        return subprocess.Popen(["redis-server", "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)

    place = Place(tmp_path, redis_url=f"redis://127.0.0.1:{port}/0")
    redis = start_redis()
    try:
        with place.working():
            redis.kill()
            redis.wait(20)
            answer = wait_until(lambda: (a := httpx.get(f"{place.url}/health")).status_code == 503 and a, "trouble")
            assert "does not answer" in answer.json()["error"]
            assert httpx.get(f"{place.url}/health/live").status_code == 200, "a restart would not help"
            redis = start_redis()
            wait_until(lambda: answers(f"{place.url}/health"), "health")
    finally:
        redis.kill()
        redis.wait(20)


def test_a_worker_that_has_a_child_is_well_without_its_queue(place):
    worker = EmbeddedWorker(place.settings, {})
    assert worker.trouble() == "The queue has not been asked yet."
    worker._children.append(None)
    assert worker.trouble() is None


def test_a_worker_whose_loop_stands_still_is_stuck(place):
    worker = EmbeddedWorker(place.settings, {})
    assert worker.stuck() is None
    worker._turned -= SILENT + 1
    worker._children.append(None)
    assert worker.stuck() == worker.trouble() == f"The worker has not looked after its jobs for {SILENT + 1:.0f} s."


def test_a_port_that_is_taken_is_named(place):
    worker = EmbeddedWorker(place.settings, {})
    with watching(place.settings, worker), pytest.raises(Conflict, match=str(place.port)), watching(place.settings, worker):
        pass


def test_no_port_is_opened_unless_asked_for(tmp_path):
    settings = Settings(dredge_data=tmp_path)
    assert settings.worker_port == 0
    threads = threading.active_count()
    with watching(settings, EmbeddedWorker(settings, {})):
        assert threading.active_count() == threads


def test_metrics_can_be_turned_off(tmp_path):
    place = Place(tmp_path, metrics_enabled=False)
    with watching(place.settings, EmbeddedWorker(place.settings, {})):
        assert httpx.get(f"{place.url}/metrics").status_code == 404
        assert httpx.get(f"{place.url}/health/live").status_code == 200


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_a_port_that_is_none_is_refused(port, monkeypatch):
    monkeypatch.setenv("WORKER_PORT", port)
    with pytest.raises(InvalidSetting, match="WORKER_PORT"):
        Settings.load()
