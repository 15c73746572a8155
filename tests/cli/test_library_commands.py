"""What is kept: recordings, models, jobs."""

import os
import signal
import subprocess
import sys

import pytest

import dredge as library


@pytest.fixture
def worker(tmp_path):
    """A worker on the data folder of the test."""
    process = subprocess.Popen([sys.executable, "-m", "dredge", "worker"], stderr=subprocess.DEVNULL,
                               env={**os.environ, "DREDGE_DATA": str(tmp_path / "data")})
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.fixture
def ecg(dredge):
    return dredge("signals", "import", "example:ecg", "--json").data["id"]


def test_a_recording_is_kept_listed_shown_and_deleted(dredge, ecg):
    assert [row["id"] for row in dredge("signals", "list", "--json").data] == [ecg]
    assert ecg[:12] in dredge("signals", "list").out
    assert dredge("signals", "show", ecg[:8], "--json").data["samples"] == 1024
    assert "1024" in dredge("signals", "show", ecg).out
    assert dredge("signals", "delete", ecg[:10], "--json").data == {"deleted": ecg}
    assert dredge("signals", "list").out == "No recordings yet. Try: dredge signals import FILE\n"


def test_the_same_recording_is_kept_once(dredge, ecg):
    assert dredge("signals", "import", library.example("ecg"), "--json").data["id"] == ecg
    assert len(dredge("signals", "list", "--json").data) == 1


def test_a_fit_is_waited_for_and_its_model_kept(dredge, ecg, worker, tmp_path):
    job = dredge("jobs", "fit", ecg, "--waves", 2, "--model", "heart", "--wait", "--json").data
    assert job["state"] == "done"
    assert job["result"]["model"] == "heart"
    assert dredge("jobs", "fit", ecg[:8], "--waves", 3, "--model", "heart", "--wait").code == 0

    assert [(m["name"], m["version"]) for m in dredge("models", "list", "--json").data] == [("heart", 2)]
    assert [m["waves"] for m in dredge("models", "versions", "heart", "--json").data] == [2, 3]
    shown = dredge("models", "show", "heart@1", "--json").data
    assert shown["signal"] == ecg
    assert shown["seed"] == 0
    assert shown["software"] == f"dredge {library.__version__}"
    assert len(shown["events"]) == 2

    compared = dredge("models", "compare", "heart@1", "heart@2", "--json").data
    assert compared["second_error"] < compared["first_error"]

    assert dredge("models", "export", "heart@1", "heart.safetensors").code == 0
    assert len(library.load(tmp_path / "heart.safetensors")) == 2
    assert dredge("models", "import", "heart.safetensors", "--name", "copy", "--json").data["version"] == 1
    assert dredge("models", "delete", "heart@2").code == 0
    assert [m["version"] for m in dredge("models", "versions", "heart", "--json").data] == [1]
    assert dredge("jobs", "show", job["id"], "--json").data["state"] == "done"
    assert dredge("jobs", "follow", job["id"]).code == 0
    assert job["id"] in dredge("jobs", "list", "--state", "done").out


def test_a_job_that_waits_is_cancelled_and_says_so(dredge, ecg):
    job = dredge("jobs", "fit", ecg, "--json").data
    assert job["state"] == "queued"
    assert dredge("jobs", "cancel", job["id"], "--json").data["state"] == "cancelled"
    assert "has ended already" in dredge("jobs", "cancel", job["id"]).refusal
    followed = dredge("jobs", "follow", job["id"])
    assert followed.code == 1
    assert "ended as cancelled" in followed.err


@pytest.mark.parametrize(("arguments", "words"), [
    (["signals", "show", "123"], "is not the id of a signal"),
    (["signals", "delete", "0" * 64], "There is no signal"),
    (["signals", "import", "nowhere.csv"], "There is no file nowhere.csv"),
    (["models", "show", "nothing"], "There is no model nothing"),
    (["models", "show", "../../etc/passwd"], "name"),
    (["models", "import", "nowhere.safetensors", "--name", "a"], "There is no file nowhere.safetensors"),
    (["models", "export", "nothing", "a.safetensors"], "There is no model nothing"),
    (["models", "export", "nothing", "nowhere/a.safetensors"], "There is no folder"),
    (["models", "delete", "nothing"], "There is no model nothing"),
    (["jobs", "show", "nothing"], "There is no job 'nothing'"),
    (["jobs", "cancel", "nothing"], "There is no job 'nothing'"),
    (["jobs", "fit", "0" * 64], "There is no signal"),
])
def test_what_is_not_there_is_said_in_a_sentence(dredge, arguments, words):
    assert words in dredge(*arguments).refusal


def test_a_state_that_does_not_exist_is_refused(dredge):
    ended = dredge("jobs", "list", "--state", "asleep")
    assert ended.code == 2
    assert "asleep" in ended.err
    assert "Traceback" not in ended.err
