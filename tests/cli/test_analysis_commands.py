"""A file in, waves out, with no server running."""

import json

import numpy as np
import pytest

import dredge as library


@pytest.fixture
def model(dredge, tmp_path):
    assert dredge("fit", "example:ecg", "--waves", 3, "--output", "m.safetensors").code == 0
    return tmp_path / "m.safetensors"


def test_a_fit_prints_its_waves_and_says_how_it_went(dredge):
    ended = dredge("fit", "example:ecg", "--waves", 3)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].split("  ")[0].startswith("time [s]")
    assert "ECG: 1,024 samples, 3 waves, 19 numbers, SNR" in ended.out
    assert ended.err == "", "progress is for terminals"


def test_a_fit_writes_its_model_and_its_picture(dredge, tmp_path):
    ended = dredge("fit", library.example("ecg"), "--waves", 2, "-o", "m.safetensors", "--plot", "m.png", "--json")
    report = ended.data["report"]
    field = library.load(tmp_path / "m.safetensors")
    assert report["waves"] == len(field) == 2
    assert [event["time"] for event in ended.data["events"]] == [event.time for event in field.events()]
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


def test_lift_needs_no_option(dredge, tmp_path):
    np.save(tmp_path / "tone.npy", np.hanning(100) * np.sin(np.arange(100)))
    told = dredge("lift", "tone.npy", "--json").data
    assert told["signal"]["samples"] == 100
    assert told["report"]["waves"] >= 1


def test_a_library_and_a_command_agree(dredge, model):
    signal = library.read(library.example("ecg"))
    assert library.load(model)(0.5) == pytest.approx(library.fit(signal, waves=3)(0.5), rel=1e-9)


def test_events_are_sorted_and_cut_to_the_strongest(dredge, model):
    by_energy = dredge("events", model, "--sort", "energy", "--descending", "--json").data
    energies = [event["energy"] for event in by_energy]
    assert energies == sorted(energies, reverse=True)
    assert [event["energy"] for event in dredge("events", model, "--strongest", 1, "--json").data] == energies[:1]


def test_values_come_on_stdout_as_json_and_as_files(dredge, model, tmp_path):
    field = library.load(model)
    printed = dredge("evaluate", model, "--at", "0.5,0.75").out.split()
    assert [float(value) for value in printed] == [field(0.5), field(0.75)]
    assert dredge("evaluate", model, "--grid", "0:1:5", "--json").data["values"] == pytest.approx(field(np.linspace(0, 1, 5)))
    assert dredge("evaluate", model, "--grid", "0:1:5", "-o", "values.npy").code == 0
    assert np.load(tmp_path / "values.npy") == pytest.approx(field(np.linspace(0, 1, 5)))
    np.save(tmp_path / "points.npy", np.array([0.5, 0.75]))
    assert dredge("evaluate", model, "--points", "points.npy", "-o", "values.csv").code == 0
    assert np.loadtxt(tmp_path / "values.csv") == pytest.approx(field(np.array([0.5, 0.75])), rel=1e-15)


@pytest.mark.parametrize(("file", "beginning"), [("m.png", b"\x89PNG"), ("m.svg", b"<?xml")])
def test_a_model_is_drawn_with_its_recording(dredge, model, tmp_path, file, beginning):
    assert dredge("plot", model, "--recording", "example:ecg", "-o", file).out == f"Wrote {file}.\n"
    assert (tmp_path / file).read_bytes().startswith(beginning)


def test_json_is_the_only_thing_on_stdout(dredge, model):
    for command in (["fit", "example:ecg", "--waves", 1], ["lift", "example:ecg"], ["events", model],
                    ["evaluate", model, "--at", 1], ["doctor"], ["config"], ["signals", "list"], ["models", "list"],
                    ["jobs", "list"]):
        json.loads(dredge(*command, "--json").out)


BAD_FILES = {
    "text.csv": (b"time,value\n0,1\n1,banana\n", "banana"),
    "nan.csv": (b"1\nnan\n3\n", "missing"),
    "inf.csv": (b"1\ninf\n3\n", "inf"),
    "empty.csv": (b"", "empty"),
    "one.csv": (b"1\n", "sample"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_fitted_is_answered_with_a_sentence(dredge, tmp_path, name):
    content, word = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    ended = dredge("fit", name, "-o", "m.safetensors")
    assert word in ended.refusal
    assert ended.code == 2
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(("arguments", "words"), [
    (["fit", "nowhere.csv"], "There is no file nowhere.csv"),
    (["fit", "example:nope"], "Choose ecg, seismogram"),
    (["fit", "example:ecg", "--waves", 0], "waves is 0"),
    (["fit", "example:ecg", "--waves", 9999], "9999 waves are too many for 1024 samples"),
    (["fit", "example:ecg", "--waves", 2, "--numbers", 13], "waves or numbers, not both"),
    (["fit", "example:ecg", "--channel", "lead"], "No channel 'lead'; there are 'ecg'"),
    (["fit", "example:ecg", "--unit", "bananas"], "The unit 'bananas' is not known"),
    (["fit", "example:ecg", "--sample-rate", 0], "sample rate is 0"),
    (["fit", "example:ecg", "--format", "docx"], "docx"),
    (["fit", "example:ecg", "-o", "nowhere/m.safetensors"], "There is no folder"),
    (["fit", "example:ecg", "--plot", "picture.docx"], "A picture is a .png or .svg"),
    (["events", "nothing"], "There is no model nothing"),
    (["events", "nothing.safetensors"], "There is no file nothing.safetensors"),
    (["events", "name@latest"], "Write it as name@3"),
    (["evaluate", "m.safetensors"], "one of --at, --grid and --points"),
    (["evaluate", "m.safetensors", "--grid", "0:1"], "is not start:stop:count"),
    (["evaluate", "m.safetensors", "--at", "soon"], "'soon' is not a list of numbers"),
    (["evaluate", "m.safetensors", "--grid", "0:1:1000000000"], "cannot be evaluated on one axis"),
    (["evaluate", "m.safetensors", "--at", 1, "-o", "values.xlsx"], "written as .npy or .csv"),
])
def test_what_cannot_be_done_is_said_in_a_sentence(dredge, model, arguments, words):
    ended = dredge(*arguments)
    assert words in ended.refusal
    assert ended.code == 2


def test_a_model_file_that_is_none_is_refused(dredge, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"not a model at all")
    assert dredge("events", "bad.safetensors").refusal


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    import subprocess
    import sys

    done = subprocess.run(f"{sys.executable} -m dredge config --json | head -c 1", shell=True, capture_output=True, check=True)
    assert done.stdout == b"["
    assert done.stderr == b""
