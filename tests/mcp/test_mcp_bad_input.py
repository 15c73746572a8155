"""Bad input through the protocol: a sentence that names the field, no stack trace, nothing half-written."""

import io
import json
import pickle
import struct
import wave
import zipfile

import numpy as np
import pytest


@pytest.fixture
def inbox(server):
    folder = server.service.settings.dredge_data / "inbox"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def nothing_is_written(server):
    """Whatever is refused leaves the store as it was."""
    before = sorted(path for path in (server.service.settings.dredge_data / "store").rglob("*") if path.is_file())
    yield
    after = sorted(path for path in (server.service.settings.dredge_data / "store").rglob("*") if path.is_file())
    assert after == before


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(["one", "two", "three"], id="text as numbers"),
        pytest.param(["1.0", "2.0", "3.0"], id="numbers as text"),
        pytest.param([1.0, None, 2.0], id="null"),
        pytest.param([1.0, float("nan"), 2.0], id="NaN"),
        pytest.param([1.0, float("inf"), 2.0], id="infinity"),
        pytest.param([], id="empty"),
        pytest.param([[1.0, 2.0], [1.0]], id="ragged"),
        pytest.param([[[1.0, 2.0], [1.0, 2.0]]], id="too many axes"),
        pytest.param([True, False, True], id="truth values"),
        pytest.param({"a": 1}, id="an object"),
        pytest.param("all of it", id="a text"),
    ],
)
def test_bad_samples(server, samples):
    arguments = json.loads(json.dumps({"samples": samples, "sample_rate": 10}))  # NaN travels as the token NaN
    for tool in ("import_signal", "lift"):
        told = server.refused(tool, arguments, mode="legacy")
        assert "." in told, "a sentence"
        assert "ample" in told or "signal" in told.lower()


@pytest.mark.parametrize("samples", [pytest.param([1.0], id="one sample"), pytest.param([3.0] * 50, id="constant")])
def test_a_signal_without_waves_is_refused_or_has_none(server, samples):
    answer = server.call("lift", samples=samples, sample_rate=10)
    assert answer.is_error or answer.data["waves"] == 0
    assert len(answer.text) > 20


@pytest.mark.parametrize(
    "arguments",
    [
        {"sample_rate": 0},
        {"sample_rate": -1},
        {"sample_rate": "fast"},
        {"unit": "furlong-ish"},
    ],
)
def test_bad_rate_and_unit(server, knock, arguments):
    told = server.refused("import_signal", {"samples": knock, **arguments})
    assert next(iter(arguments)).split("_")[-1] in told


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "sub/../../x.csv",
        "http://example.org/x.csv",
        "file:///etc/passwd",
        "a\0b",
        "link/passwd",
    ],
)
def test_tricks_with_paths(server, inbox, path):
    link = inbox / "link"
    if not link.exists():
        link.symlink_to("/etc")
    told = server.refused("import_signal", path=path)
    assert "root:" not in told
    assert "inbox" in told


def test_a_file_that_is_not_there_is_named_with_those_that_are(server, inbox):
    (inbox / "there.csv").write_text("1\n2\n3\n")
    told = server.refused("import_signal", path="not-there.csv")
    assert "not-there.csv" in told
    assert "there.csv" in told.split("There are:")[1]


def pickled_npy():
    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return out.getvalue()


def giant_npy():
    header = repr({"descr": "<f8", "fortran_order": False, "shape": (10**9,)}).encode()
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64


def truncated_wav():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 4000)
    return out.getvalue()[:600]


def zip_bomb():
    out = io.BytesIO()
    header = repr({"descr": "<f8", "fortran_order": False, "shape": (20_000_000_0,)}).encode()
    header += b" " * (117 - len(header)) + b"\n"
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        for _ in range(64):
            file.write(b"\0" * 2**20)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("pickled.npy", pickled_npy),
        ("giant.npy", giant_npy),
        ("cut.wav", truncated_wav),
        ("bomb.npz", zip_bomb),
        ("bare.pkl", lambda: pickle.dumps([1, 2, 3])),
        ("empty.csv", lambda: b""),
        ("noise.wav", lambda: b"\x01\x02" * 99),
    ],
)
def test_bad_files(server, inbox, name, make):
    (inbox / name).write_bytes(make())
    assert len(server.refused("import_signal", path=name)) > 10


@pytest.mark.parametrize("name", ["../up", "Big Name", ".hidden", "a/b", "", "x" * 200, "nul\0"])
def test_bad_names_of_models(server, knock, name):
    told = server.refused("lift", samples=knock, sample_rate=512, waves=1, save_as=name)
    assert "name" in told.lower()


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("describe_model", {"model": "nobody"}, "nobody"),
        ("find_events", {"model": "nobody"}, "nobody"),
        ("evaluate", {"model": "nobody", "points": [1]}, "nobody"),
        ("plot", {"model": "nobody"}, "nobody"),
        ("delete_model", {"model": "nobody"}, "nobody"),
        ("compare_models", {"first": "nobody", "second": "nobody"}, "nobody"),
        ("describe_signal", {"signal": "0123456789"}, "0123456789"),
        ("fit_signal", {"signal": "0123456789"}, "0123456789"),
    ],
)
def test_what_is_not_known_is_named(server, tool, arguments, named):
    assert named in server.refused(tool, arguments)


@pytest.mark.parametrize("points", [["a"], [[1, 2]], [[1], [2, 3]], [None], [[[1]]]])
def test_bad_points(server, heart, points):
    assert "oint" in server.refused("evaluate", model="heart", points=points)


@pytest.mark.parametrize(
    "grid",
    [
        [],
        [{"start": 0, "stop": 1, "count": 0}],
        [{"start": 0, "stop": 1, "count": 10**12}],
        [{"start": 0, "stop": 1, "count": 5}] * 2,
        [{"start": 0, "stop": 1}],
        "0:1:5",
    ],
)
def test_bad_grids(server, heart, grid):
    told = server.refused("evaluate", model="heart", grid=grid)
    assert "grid" in told or "points" in told


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"waves": 0}, "waves"),
        ({"waves": -3}, "waves"),
        ({"waves": "many"}, "waves"),
        ({"waves": 10**9}, "waves"),
        ({"seconds": 0}, "seconds"),
        ({"hold_out": 2}, "hold_out"),
        ({"channel": "no such"}, "channel"),
        ({"channel": 9}, "channel"),
    ],
)
def test_bad_options_of_a_fit(server, ecg, arguments, named):
    assert named in server.refused("fit_signal", signal=ecg.id, **arguments)


def test_an_argument_that_does_not_exist_is_not_ignored(server, ecg):
    told = server.refused("fit_signal", signal=ecg.id, wave=12)
    assert "'wave'" in told
    assert "waves" in told


def test_a_missing_argument_is_named(server):
    assert "signal is missing" in server.refused("describe_signal")


def test_a_tool_that_does_not_exist_is_said_so(server):
    assert "Unknown tool" in server.refused("make_coffee")


def test_one_of_two_sources_is_needed(server, knock):
    assert "either" in server.refused("import_signal")
    assert "either" in server.refused("import_signal", samples=knock, path="x.csv")
    assert "either" in server.refused("evaluate", model="heart")


def test_what_breaks_inside_is_told_with_a_number_only(server, monkeypatch):
    def breaks(**_):
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(server.service, "models", breaks)
    told = server.refused("list_models")
    assert "swordfish" not in told
    assert "internal error" in told
