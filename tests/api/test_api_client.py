"""The Python client of a server."""

import numpy as np
import pytest

import dredge
from dredge import errors

POINTS = np.linspace(0.01, 0.49, 17)


@pytest.fixture
def remote(server):
    with dredge.Client(server) as client:
        yield client


def test_values_come_back_to_the_last_bit(remote, heart, field):
    assert np.array_equal(remote.evaluate("heart", POINTS), field(POINTS))
    assert np.array_equal(remote.load("heart")(POINTS), field(POINTS))
    assert remote.evaluate_grid("heart", [(0, 0.5, 11)]) == pytest.approx(field(np.linspace(0, 0.5, 11)), abs=1e-12)


def test_recordings_and_models_go_in_and_out(remote, field):
    record = remote.import_signal(dredge.example("ecg"))
    assert record["samples"] == 1024
    assert remote.samples(record["id"], start=10, stop=20).shape == (len(record["channels"]), 10)
    numbers = remote.import_samples(field(POINTS), sample_rate=8, unit="mV", name="few")
    assert {one["id"] for one in remote.signals()} == {record["id"], numbers["id"]}
    remote.delete_signal(numbers["id"])

    assert remote.import_model("m", field)["version"] == 1
    assert [event["frequency"] for event in remote.events("m", start=0.3)] == pytest.approx([90])
    assert remote.plot("m").startswith(b"\x89PNG")
    assert remote.compare("m", "m")["difference"] == 0
    assert [one["name"] for one in remote.models()] == ["m"]
    remote.delete_model("m")
    assert list(remote.models()) == []


def test_the_servers_errors_are_the_librarys(remote, heart, server):
    with pytest.raises(errors.ModelNotFound):
        remote.evaluate("none", POINTS)
    with pytest.raises(errors.SignalNotFound):
        remote.signal("f" * 64)
    with pytest.raises(errors.JobNotFound):
        remote.cancel("none")
    with pytest.raises(errors.UnknownUnit) as refused:
        remote.import_samples([1, 2, 3], unit="bananas")
    assert refused.value.field == "unit"
    with pytest.raises(errors.InvalidInput) as refused:
        remote.lift([1.0, float("nan")] if False else ["a", "b"])
    assert refused.value.field == "samples"


def test_a_server_that_is_not_there_is_told_as_such():
    with dredge.Client("http://127.0.0.1:9") as client, pytest.raises(errors.Unavailable, match="does not answer"):
        client.health()


@pytest.mark.slow
def test_a_fit_is_waited_for_with_its_progress(remote, worker, knock):
    seen = []
    model = remote.fit(knock.id, waves=2, model="knock", progress=seen.append)
    assert model["waves"] == 2
    assert seen[-1]["state"] == "done"
    job = next(remote.jobs())
    assert remote.wait(job["id"])["result"]["model"] == "knock"


@pytest.mark.slow
def test_a_cancelled_fit_is_told_as_such(remote, knock):
    job = remote.submit_fit(knock.id, waves=2)
    remote.cancel(job["id"])
    with pytest.raises(errors.Cancelled):
        remote.wait(job["id"])


def test_text_is_lifted(remote):
    assert remote.lift(text="Digital memory must be human-reachable.")["lifted"] is True
