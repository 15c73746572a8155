"""What goes wrong with jobs: handlers that fail, processes that are killed, workers that stop."""

import os
import signal

from job_worker import FIRST_DELAY


def test_a_job_that_fails_is_tried_again_ever_later_and_then_ends_with_the_reason(place):
    job = place.queue.submit("broken", {}, retries=2)
    place.start_worker()

    ended = place.ended(job.id)

    assert (ended.state, ended.attempts) == ("failed", 3)
    assert ended.reason == "an error inside DREDGE (RuntimeError); the log has the details (after 3 attempts)"
    assert "secret" not in ended.reason and "Traceback" not in ended.reason
    first, second, third = (event["time"] for event in place.events("start"))
    assert second - first >= FIRST_DELAY
    assert third - second >= 2 * FIRST_DELAY
    assert [event["attempt"] for event in place.events("start")] == [1, 2, 3]


def test_a_job_that_waits_for_its_next_try_says_why_and_can_be_cancelled(place, until):
    job = place.queue.submit("broken", {}, retries=9)
    place.start_worker()
    waiting = until(lambda: (now := place.queue.job(job.id)).attempts >= 3 and now.state == "queued" and now, "a wait")
    assert "RuntimeError" in waiting.reason
    assert place.queue.depth().queued == 1
    assert place.queue.cancel(job.id).state == "cancelled"
    assert place.queue.depth().queued == 0


def test_what_cannot_succeed_is_not_tried_again(place):
    job = place.queue.submit("hopeless", {}, retries=5)
    unknown = place.queue.submit("nonsense", {}, retries=5)
    place.start_worker()
    ended = place.ended(job.id)
    assert (ended.state, ended.reason, ended.attempts) == ("failed", "The signal has no samples.", 1)
    ended = place.ended(unknown.id)
    assert (ended.state, ended.attempts) == ("failed", 1)
    assert "does not know jobs of the kind 'nonsense'" in ended.reason


def test_a_result_that_is_no_json_is_an_error_of_the_handler(place):
    job = place.queue.submit("not_json", {}, retries=0)
    place.start_worker()
    assert place.ended(job.id).reason == "an error inside DREDGE (TypeError); the log has the details"


def test_a_job_whose_process_dies_is_tried_again_then_ends(place):
    job = place.queue.submit("dying", {}, retries=1)
    place.start_worker()
    ended = place.ended(job.id)
    assert (ended.state, ended.attempts) == ("failed", 2)
    assert ended.reason == "its process died (signal SIGKILL) (after 2 attempts)"


def test_a_process_that_somebody_kills_is_replaced(place):
    job = place.queue.submit("gated", {"gate": "open"})
    place.start_worker()
    os.kill(place.started(job.id)["pid"], signal.SIGKILL)
    place.started(job.id, times=2)
    place.open_gate("open")
    ended = place.ended(job.id)
    assert (ended.state, ended.attempts, len(place.events("written"))) == ("done", 2, 1)


def test_the_job_of_a_killed_worker_is_run_again_by_another(place, lease):
    job = place.queue.submit("gated", {"gate": "open"})
    first = place.start_worker()
    taken = place.started(job.id)
    second = place.start_worker()

    first.kill()

    again = place.started(job.id, times=2)
    assert again["worker"] == second.pid
    assert again["time"] - taken["time"] >= 0.9 * lease
    place.open_gate("open")
    ended = place.ended(job.id)
    assert (ended.state, ended.attempts, len(place.events("written"))) == ("done", 2, 1)


def test_a_worker_that_slept_past_its_lease_writes_nothing(place, until):
    job = place.queue.submit("gated", {"gate": "open"})
    sleeper = place.start_worker()
    stale = place.started(job.id)
    sleeper.send_signal(signal.SIGSTOP)  # its child goes on
    place.start_worker()
    fresh = place.started(job.id, times=2)

    place.open_gate("open")

    done = place.ended(job.id)
    until(lambda: place.events("stopped"), "the stale attempt to notice")
    sleeper.send_signal(signal.SIGCONT)
    place.ended(place.queue.submit("echo", {}).id)
    sleeper.terminate()
    assert sleeper.wait(20) == 0
    assert [event["pid"] for event in place.events("stopped")] == [stale["pid"]]
    assert [event["pid"] for event in place.events("written")] == [fresh["pid"]]
    assert place.queue.job(job.id) == done
    assert (done.state, done.result["pid"], done.attempts) == ("done", fresh["pid"], 2)


def test_a_worker_that_is_asked_to_stop_lets_its_job_finish(place):
    job = place.queue.submit("gated", {"gate": "open"})
    later = place.queue.submit("echo", {})
    worker = place.start_worker()
    place.started(job.id)

    worker.terminate()
    place.open_gate("open")

    assert worker.wait(20) == 0
    assert place.queue.job(job.id).state == "done"
    assert place.queue.job(later.id).state == "queued", "it took no further job"


def test_after_the_grace_a_job_is_handed_back_to_the_front_and_costs_no_try(place):
    job = place.queue.submit("gated", {"gate": "open"}, retries=0)
    later = place.queue.submit("echo", {})
    worker = place.start_worker(worker_grace=0.3)
    place.started(job.id)

    worker.terminate()

    assert worker.wait(20) == 0
    back = place.queue.job(job.id)
    assert (back.state, back.attempts) == ("queued", 0)
    assert back.reason == "handed back by a worker that stopped"
    place.open_gate("open")
    place.start_worker()
    place.ended(later.id)
    assert [event["job"] for event in place.events("start")] == [job.id, job.id, later.id]
    done = place.queue.job(job.id)
    assert (done.state, done.attempts, done.reason) == ("done", 1, None)


def test_a_job_that_kills_every_worker_is_parked_with_the_reason(place):
    job = place.queue.submit("poison", {}, retries=1)
    healthy = place.queue.submit("echo", {})
    for attempt in (1, 2):
        worker = place.start_worker()
        place.started(job.id, times=attempt)
        assert worker.wait(20) == -signal.SIGKILL

    place.start_worker()

    ended = place.ended(job.id)
    assert (ended.state, ended.reason, ended.attempts) == ("failed", "its worker died 2 times", 2)
    assert place.ended(healthy.id).state == "done"
    assert len(place.events("start", job.id)) == 2


def test_a_handler_that_lets_no_thread_run_keeps_its_lease(place, lease):
    job = place.queue.submit("hold_gil", {"seconds": int(2 * lease)})
    place.start_worker()
    place.started(job.id)
    place.start_worker()
    ended = place.ended(job.id)
    assert (ended.state, ended.attempts) == ("done", 1)
    assert len(place.events("start")) == 1


def test_an_answer_that_the_queue_did_not_take_is_told_again(place):
    job = place.queue.submit("echo", {})
    following = place.queue.submit("echo", {})
    place.start_worker(answers_lost=3)
    for id in (job.id, following.id):
        ended = place.ended(id)
        assert (ended.state, ended.attempts) == ("done", 1)
    assert len(place.events("start")) == 2
