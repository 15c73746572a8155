"""Files that are damaged, that lie, or that mean harm: each is refused in a sentence, and none takes memory or time for it."""

import gzip
import io
import pickle
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from dredge.errors import DredgeError, InvalidInput, MissingExtra, TooLarge, UnreadableRecording
from dredge.signals import FORMATS, example, read

MANY = 10**9
SMALL = 32 << 20  # bytes: what refusing a file may take at most, libraries included
WAVE = np.sin(np.arange(2000) / 20)


@pytest.fixture
def refuse():
    """Read what must be refused: in a sentence, for the field, and with little memory."""

    def check(error, message, data, *, field="file", **options):
        tracemalloc.start()
        try:
            with pytest.raises(error, match=message) as caught:
                read(data, **options)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert caught.value.field == field
        assert caught.value.message.endswith((".", "?"))
        assert "/tmp" not in str(caught.value)
        assert peak < SMALL, f"{peak:,} bytes were taken"
        return caught.value

    return check


def npy(values, **options):
    held = io.BytesIO()
    np.save(held, values, **options)
    return held.getvalue()


def npy_header(text, version=1):
    body = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(body)) + body


def claim(shape, descr="<f8"):
    return npy_header(repr({"descr": descr, "fortran_order": False, "shape": shape}))


def npz(**members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


def archive_of(members, kind=zipfile.ZIP_STORED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return held.getvalue()


def sound(format="WAV", values=WAVE, subtype=None):
    import soundfile

    held = io.BytesIO()
    soundfile.write(held, values, 8000, format=format, subtype=subtype)
    return held.getvalue()


def nifti(values=None, **header):
    import nibabel

    image = nibabel.Nifti1Image(np.ones((4, 4, 4), np.float32) if values is None else values, np.eye(4))
    data = bytearray(image.to_bytes())
    places = {"dim": (40, "<8h"), "pixdim": (76, "<8f"), "vox_offset": (108, "<f"), "datatype": (70, "<2h"), "magic": (344, "4s")}
    for name, value in header.items():
        at, form = places[name]
        struct.pack_into(form, data, at, *(value if isinstance(value, tuple) else (value,)))
    return bytes(data)


def miniseed(count=5000):
    import obspy

    held = io.BytesIO()
    trace = obspy.Trace(np.arange(count, dtype=np.int32), {"sampling_rate": 100.0})
    obspy.Stream([trace]).write(held, format="MSEED", reclen=512)
    return held.getvalue()


@pytest.fixture
def edf(tmp_path):
    import pyedflib

    with pyedflib.EdfWriter(str(tmp_path / "good.edf"), 1) as writer:
        writer.setSignalHeader(0, {
            "label": "EEG", "dimension": "uV", "sample_frequency": 100, "physical_max": 2, "physical_min": -2,
            "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": ""})
        writer.writeSamples([WAVE[:1000]])
    return (tmp_path / "good.edf").read_bytes()


@pytest.fixture
def wfdb_folder(tmp_path):
    import wfdb

    wfdb.wrsamp("r", 360, ["mV"], ["II"], p_signal=WAVE[:, None], fmt=["16"], write_dir=str(tmp_path))
    return tmp_path


# Every format


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_file(refuse, format):
    for ending in FORMATS[format].extensions:
        refuse(UnreadableRecording, "The file is empty", b"", name=f"a{ending}")
    refuse(UnreadableRecording, "The file is empty", b"", format=format)


def test_an_empty_file_without_a_name(refuse):
    refuse(UnreadableRecording, "The file is empty", b"")


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in ("csv", "wfdb")])
def test_a_text_that_calls_itself_something_else(refuse, format):
    refuse(UnreadableRecording, f"This is not a {format} file: it does not begin as one", b"1\n2\n3\n",
           name=f"a{FORMATS[format].extensions[0]}")


def test_a_sound_that_calls_itself_csv(refuse):
    refuse(UnreadableRecording, "This is not a CSV file: it", sound(), name="a.csv")
    refuse(UnreadableRecording, "This is not a CSV file: it holds binary data", b"1\n\0\n2\n", name="a.csv")


def test_bytes_of_no_format(refuse):
    refuse(UnreadableRecording, "The format of this file is not known", b"\0\1\2\3" * 100)


@pytest.mark.parametrize(("format", "module", "extra"), [
    ("wav", "soundfile", "audio"), ("flac", "soundfile", "audio"), ("miniseed", "obspy", "seismic"), ("wfdb", "wfdb", "medical"),
    ("edf", "pyedflib", "medical"), ("nifti", "nibabel", "volumes")])
def test_a_library_that_is_missing_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch, format, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    data = {
        "wav": b"RIFF", "flac": b"fLaC", "miniseed": b"000001D ", "edf": b"0       ", "nifti": b"\x1f\x8b", "wfdb": b"r 1 360"}
    path = tmp_path / f"a{FORMATS[format].extensions[0]}"
    path.write_bytes(data[format])
    with pytest.raises(MissingExtra, match=f"needs the package '{module}', which is not installed") as caught:
        read(path)
    assert caught.value.hint == f"pip install 'dredge-cli[{extra}]'"
    assert FORMATS[format].extra == extra


# CSV


@pytest.mark.parametrize(("text", "message", "field"), [
    ("a\n1\ntwo\n3\n", "Row 3, column 1 is 'two', not a number", "file"),
    ("1,2\n3,x\n", "Row 2, column 2 is 'x', not a number", "file"),
    ("1.2.3\n4\n5\n", r"Row 1, column 1 is '1\.2\.3', not a number", "file"),
    ("1,x\n3,4\n", "Row 1, column 2 is 'x', not a number", "file"),
    ("a;b\n0,5;1,5\n0,6;1,6\n", "Row 2, column 1 is '0,5', not a number", "file"),
    ("a\n1_000\n2\n", "Row 2, column 1 is '1_000', not a number", "file"),
    ("a\n0x10\n2\n", "Row 2, column 1 is '0x10', not a number", "file"),
    ("a,b\n1,2\n3\n", "Row 3 has 1 columns, the first has 2", "file"),
    ("a,b,c\n1,2\n3,4\n", "Row 2 has 2 columns, the header 3", "file"),
    ("a\n1\ninf\n", "Sample 1 of channel 'a' is infinite", "samples"),
    ("a\n1\n-1e999\n", "Sample 1 of channel 'a' is infinite", "samples"),
    ("a\n1\nnan\n3\n", "1 sample is missing: sample 1 of channel 'a'", "samples"),
    ("a\n5\n", "at least 2 samples; there is one", "samples"),
    ("time,a\n0,5\n", "at least 2 samples; there is one", "samples"),
    ("a,b\n", "holds a header and no rows", "file"),
    ("# only remarks\n", "holds no rows", "file"),
    ("\n \n", "holds no rows", "file"),
    ("just some words\nand some more\n", "Row 2, column 1 is 'and', not a number", "file"),
    ("# sample_rate: 0\n1\n2\n", "The sample rate is 0; it must be a number above zero", "sample_rate"),
    ("# sample_rate: -8\n1\n2\n", "The sample rate is -8", "sample_rate"),
    ("# sample_rate: nan\n1\n2\n", "The sample rate is nan", "sample_rate"),
    ("# sample_rate: fast\n1\n2\n", "The file says sample_rate: 'fast', which is not a number", "sample_rate"),
    ("# start_time: soon\n1\n2\n", "The start time 'soon' is not an ISO 8601 time", "start_time"),
    ("time,a\n0,1\ninf,2\n", "Row 3 has no time", "file"),
    ("time,a\n0,1\n1e-320,2\n2e-320,3\n", "which no axis can have", "file"),
    ('a,b\n"' + "9" * 200_000 + '",2\n1,2\n', "not a CSV file that can be read: field larger than field limit", "file"),
])
def test_csv_that_is_no_recording(refuse, text, message, field):
    refuse(InvalidInput, message, text.encode(), name="a.csv", field=field)


def test_csv_over_the_limit(refuse):
    about = {"name": "a.csv", "field": "samples", "max_samples": 1000}
    refuse(TooLarge, r"claims 1,001 samples; the limit is 1,000", b"1\n" * 1001, **about)
    refuse(TooLarge, r"has 2,000,000 bytes; the limit is 1,000 samples", b"1" * 2_000_000, **about)


def test_a_constant_column_is_a_signal():
    assert read(b"7\n7\n7\n").samples.tolist() == [[7, 7, 7]]


# NPY and NPZ


class Trap:
    """Pickled, this creates a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_is_never_loaded(refuse, tmp_path):
    trap = tmp_path / "sprung"
    objects = npy(np.array([Trap(trap), 1.0], object), allow_pickle=True)
    refuse(UnreadableRecording, "holds pickled objects, which are never loaded", objects, name="a.npy")
    refuse(UnreadableRecording, "holds pickled objects, which are never loaded", npz(**{"samples.npy": objects}), name="a.npz")
    bare = pickle.dumps(Trap(trap))
    for name in ("a.npy", "a.npz", "a.csv", None):
        with pytest.raises(DredgeError):
            read(bare, name=name)
    with pytest.raises(DredgeError):
        read(npz(**{"samples.npy": bare}), name="a.npz")
    assert not trap.exists()


@pytest.mark.parametrize(("data", "message", "field"), [
    (npy(np.array(["1", "2"])), "holds <U1, not real numbers", "file"),
    (npy(np.array([b"1", b"2"])), "holds .S1, not real numbers", "file"),
    (npy(np.array([1j, 2])), "holds complex128, not real numbers", "file"),
    (npy(np.array([True, False])), "holds bool, not real numbers", "file"),
    (npy(np.array([(1, 2)], "f8,f8")), "not real numbers", "file"),
    (npy(np.array([1.0])), "at least 2 samples; there is one", "samples"),
    (npy(np.array(1.0)), r"The array has shape \[\]", "samples"),
    (npy(np.zeros((2, 2, 2))), r"The array has shape \[2, 2, 2\]; \[N\] or \[channels, N\] can be read", "samples"),
    (npy(np.array([])), "there are none", "samples"),
    (npy(np.zeros((0, 5))), "there are none", "samples"),
    (npy(np.array([1, np.nan, 3])), "1 sample is missing: sample 1 of channel 'signal'", "samples"),
    (npy(np.array([[1, 2], [3, -np.inf]])), "Sample 1 of channel 'channel1' is infinite", "samples"),
    (npy(WAVE)[:-8], "cut short: 1,999 of 2,000 samples are there", "file"),
    (npy(WAVE)[:100], "not a NPY file that can be read: its header is damaged", "file"),
    (npy(WAVE)[:7], "not a NPY file that can be read", "file"),
    (claim((-1,)) + bytes(800), r"its shape is \[-1\]", "file"),
    (claim((-4, -5)) + bytes(800), r"its shape is \[-4, -5\]", "file"),
    (claim((40_000_000,)) + bytes(80), "cut short: 10 of 40,000,000 samples are there", "file"),
    (claim(("a",)), "its header is damaged", "file"),
    (claim((5,), "O8"), "pickled objects, which are never loaded", "file"),
    (npy_header("(" * 110), "its header is damaged", "file"),
    (npy_header("__import__('os').abort()"), "its header is damaged", "file"),
    (npy_header("{}", version=9), "version .9, 0. of the format is not known", "file"),
])
def test_npy_that_is_no_recording(refuse, data, message, field):
    refuse(InvalidInput, message, data, name="a.npy", field=field)


@pytest.mark.parametrize("shape", [(MANY,), (2, MANY // 2), (10**30,), (2**63, 2)])
def test_npy_that_claims_a_thousand_million_samples(refuse, shape):
    refuse(TooLarge, r"The NPY file claims 1[\d,]{12,} samples; the limit is 50,000,000", claim(shape) + bytes(64), name="a.npy",
           field="samples")
    refuse(TooLarge, r"The NPY file claims", npz(**{"samples.npy": claim(shape)}), name="a.npz", field="samples")


def test_a_zip_bomb_is_seen_before_it_is_unpacked(refuse):
    bomb = npz(**{"samples.npy": claim((2_500_000,)) + bytes(20_000_000)})
    assert len(bomb) < 50_000
    refuse(UnreadableRecording, r"unpacks to \d+ times its size; recordings do not", bomb, name="a.npz")


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(refuse):
    bomb = bytearray(npz(**{"samples.npy": claim((2_500_000,)) + bytes(20_000_000)}))
    central = bomb.rindex(b"PK\x01\x02")
    struct.pack_into("<I", bomb, central + 24, 1000)  # its size unpacked
    refuse(UnreadableRecording, "not a NPY file that can be read: Bad CRC-32", bytes(bomb), name="a.npz")


def test_a_bomb_beyond_the_limit(refuse):
    held = npz(**{"samples.npy": claim((200_000,)) + np.random.default_rng(1).bytes(1_600_000)})
    refuse(TooLarge, "unpacks to 1,600,129 bytes; the limit is 1,000 samples", held, name="a.npz", max_samples=1000)


def test_paths_in_an_archive_lead_nowhere(tmp_path, monkeypatch):
    inner = tmp_path / "deep" / "inside"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    for name in ("../../evil.npy", "/tmp/dredge-evil.npy", "..\\evil.npy"):
        signal = read(archive_of([(name, npy(WAVE))]), name="a.npz")
        assert signal.samples.shape == (1, 2000)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_npz_that_is_no_recording(refuse):
    refuse(UnreadableRecording, "not a NPZ file that can be read", npz(**{"samples.npy": npy(WAVE)})[:500], name="a.npz")
    refuse(UnreadableRecording, "not a NPY file", npz(**{"samples.npy": b"1,2,3"}), name="a.npz")
    refuse(InvalidInput, "sample_rate in the NPZ is not one number",
           npz(**{"samples.npy": npy(WAVE), "sample_rate.npy": npy([1.0, 2])}), name="a.npz", field="sample_rate")
    refuse(InvalidInput, "The sample rate is 0", npz(**{"samples.npy": npy(WAVE), "sample_rate.npy": npy(0.0)}), name="a.npz",
           field="sample_rate")
    long = archive_of([(f"{letter * 60_000}.npy", npy(WAVE)) for letter in "ab"])
    assert len(refuse(InvalidInput, "which are the samples", long, name="a.npz").message) < 200


def test_an_encrypted_archive(refuse):
    locked = bytearray(npz(**{"samples.npy": npy(WAVE)}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.rindex(mark) + at] |= 1
    refuse(UnreadableRecording, "The NPZ is encrypted", bytes(locked), name="a.npz")


# Sound


def test_a_sound_that_is_cut_short(refuse):
    refuse(UnreadableRecording, r"The sound file is cut short: 1,000 of 2,000 frames are there", sound()[:-2000], name="a.wav")
    refuse(UnreadableRecording, "not a sound file that can be read: .*lost sync", sound("FLAC")[:-500], name="a.flac")
    refuse(UnreadableRecording, "not a sound file that can be read", sound()[:20], name="a.wav")
    refuse(UnreadableRecording, "not a sound file that can be read", b"fLaC" + bytes(100), name="a.flac")


def test_a_wav_that_claims_a_thousand_million_samples(refuse):
    data = bytearray(sound())
    struct.pack_into("<I", data, data.index(b"data") + 4, 2 * MANY)
    refuse(TooLarge, "The sound file claims 1,000,000,000 samples", bytes(data), name="a.wav", field="samples")
    struct.pack_into("<I", data, data.index(b"data") + 4, 80_000_000)
    refuse(UnreadableRecording, "cut short: 2,000 of 40,000,000 frames", bytes(data), name="a.wav")


@pytest.mark.parametrize(("claimed", "error"), [(MANY, DredgeError), (40_000_000, UnreadableRecording)])
def test_a_flac_that_claims_what_is_not_there(refuse, claimed, error):
    data = bytearray(sound("FLAC"))
    struct.pack_into(">I", data, 8 + 14, claimed)  # the low 32 bits of the samples in STREAMINFO
    with pytest.raises(error) as caught:
        read(bytes(data), name="a.flac")
    assert caught.value.field in ("file", "samples")


def test_a_sound_without_numbers_or_samples(refuse):
    broken = WAVE.copy()
    broken[7] = np.nan
    refuse(InvalidInput, r"1 sample is missing: sample 7 \(0\.000875 s\) of channel 'signal'", sound("WAV", broken, "FLOAT"),
           name="a.wav", field="samples")
    broken[7] = np.inf
    refuse(InvalidInput, "Sample 7 of channel 'signal' is infinite", sound("WAV", broken, "DOUBLE"), name="a.wav",
           field="samples")
    refuse(InvalidInput, "there are none", sound("WAV", WAVE[:0]), name="a.wav", field="samples")
    refuse(InvalidInput, "there is one", sound("WAV", WAVE[:1]), name="a.wav", field="samples")


def test_a_wav_of_a_million_tiny_chunks_ends(refuse):
    body = b"WAVE" + b"junk\0\0\0\0" * 300_000
    refuse(UnreadableRecording, "not a sound file that can be read", b"RIFF" + struct.pack("<I", len(body)) + body, name="a.wav")


# MiniSEED


def test_a_seismogram_that_is_cut_short(refuse):
    whole = example("seismogram").read_bytes()
    for left in (len(whole) - 100, len(whole) - 1, 4096 + 700, 300, 130):
        refuse(UnreadableRecording, "not a MiniSEED file that can be read: it ends within a record", whole[:left], name="a.mseed")
    refuse(UnreadableRecording, "ends within a record", miniseed()[:-100], name="a.mseed")


def test_a_record_whose_samples_are_damaged(refuse):
    data = bytearray(miniseed())
    data[600:700] = bytes(100)
    refuse(UnreadableRecording, "not a MiniSEED file that can be read", bytes(data), name="a.mseed")


def test_a_record_that_claims_more_samples_than_it_holds(refuse):
    data = bytearray(miniseed(300)[:512])
    struct.pack_into(">H", data, 30, 65535)
    refuse(UnreadableRecording, "not a MiniSEED file that can be read", bytes(data), name="a.mseed")


def test_a_seismogram_over_the_limit(refuse):
    refuse(TooLarge, "The MiniSEED file claims 5,000 samples; the limit is 1,000", miniseed(), name="a.mseed", field="samples",
           max_samples=1000)


def test_records_without_a_rate(refuse):
    data = bytearray(miniseed(300)[:512])
    struct.pack_into(">hh", data, 32, 0, 0)
    if data[48 + 0 : 50] == b"\x00\x64":  # blockette 100 gives the rate again
        struct.pack_into(">f", data, 52, 0.0)
    refuse(InvalidInput, "have a sample rate of 0", bytes(data), name="a.mseed", field="sample_rate")


def test_obspy_is_not_asked_to_unpack_or_to_fetch(refuse):
    packed = bytearray(gzip.compress(miniseed()))
    packed[4:8] = b"\0\0D\0"  # a time that makes it begin like a record
    refuse(UnreadableRecording, "not a MiniSEED file that can be read", bytes(packed), name="a.mseed")


# WFDB


def rewrite(folder, header):
    (folder / "r.hea").write_text(header)
    return folder / "r.hea"


@pytest.mark.parametrize(("header", "error", "message"), [
    ("r 1 360 2000\n../r.dat 16\n", InvalidInput, "invalid syntax in signal line"),
    ("r 1 360 2000\n/etc/passwd 16\n", UnreadableRecording, "invalid syntax in signal line"),
    ("r 1 360 2000\n.. 16\n", InvalidInput, "invalid syntax in signal line"),
    ("r 1 360 2000\nother.dat 16\n", UnreadableRecording, "names 'other.dat', which is not there"),
    ("r/2 1 360 4000\n../r 2000\nr 2000\n", UnreadableRecording, "invalid syntax in segment line"),
    ("r/1 1 360 2000\nr 2000\n", UnreadableRecording, "itself a record of segments"),
    ("r/1 1 360 2000\nnothing 2000\n", UnreadableRecording, "names 'nothing.hea', which is not there"),
    ("r 1000000000 360 2000\nr.dat 16\n", UnreadableRecording, "claims 1,000,000,000 signals and describes 1"),
    ("r 3 360 2000\nr.dat 16\n", UnreadableRecording, "claims 3 signals and describes 1"),
    ("r 0 360 2000\n", UnreadableRecording, "holds no signals"),
    ("r 1 360 2000\nr.dat 999\n", UnreadableRecording, "not a WFDB file that can be read: it is damaged"),
    ("r 1 360 2000 25:61:99\nr.dat 16\n", UnreadableRecording, "not a WFDB file"),
    ("no header\n", UnreadableRecording, "not a WFDB file"),
    ("\n", UnreadableRecording, "not a WFDB file"),
])
def test_a_wfdb_header_that_asks_for_what_it_should_not(refuse, wfdb_folder, header, error, message):
    with pytest.raises(error, match=message) as caught:
        read(rewrite(wfdb_folder, header))
    assert caught.value.field == "file"
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("header", [
    "r 1 360 1000000000\nr.dat 16\n", "r 1 360 2000\nr.dat 16:1000000000\n", "r 1 360 2000\nr.dat 16x1000000000\n"])
def test_a_wfdb_header_that_claims_too_much(refuse, wfdb_folder, header):
    refuse(TooLarge, r"The WFDB record claims [12],000,00\d,000", rewrite(wfdb_folder, header), field="samples")


def test_the_folder_in_which_an_archive_is_unpacked_is_not_told(refuse, wfdb_folder):
    packed = archive_of([("r.hea", "r 1 360 1000\nr.dat 508\n"), ("r.dat", (wfdb_folder / "r.dat").read_bytes())])
    refuse(UnreadableRecording, "can be read: r.dat is not a FLAC file", packed, name="a.zip")


def test_a_wfdb_header_without_a_rate(refuse, wfdb_folder):
    refuse(InvalidInput, "The sample rate is 0", rewrite(wfdb_folder, "r 1 0 2000\nr.dat 16\n"), field="sample_rate")


def test_wfdb_samples_that_are_cut_short(refuse, wfdb_folder):
    whole = (wfdb_folder / "r.dat").read_bytes()
    (wfdb_folder / "r.dat").write_bytes(whole[:1000])
    refuse(UnreadableRecording, "not a WFDB file that can be read", wfdb_folder / "r.hea")
    (wfdb_folder / "r.dat").unlink()
    assert "Put the .dat beside" in refuse(UnreadableRecording, "'r.dat', which is not there", wfdb_folder / "r.hea").hint


def test_a_header_alone_cannot_reach_the_files_of_the_server(refuse, wfdb_folder, monkeypatch):
    monkeypatch.chdir(wfdb_folder)
    refuse(UnreadableRecording, "'r.dat', which is not there", (wfdb_folder / "r.hea").read_bytes(), name="r.hea")


def test_wfdb_archives_that_are_no_record(refuse, wfdb_folder):
    header, data = (wfdb_folder / "r.hea").read_bytes(), (wfdb_folder / "r.dat").read_bytes()
    refuse(UnreadableRecording, "holds no WFDB header", archive_of([("r.dat", data)]), name="a.zip")
    refuse(UnreadableRecording, "two files named 'r.dat'", archive_of([("r.hea", header), ("a/r.dat", data), ("b/r.dat", data)]),
           name="a.zip")
    refuse(UnreadableRecording, "'r.dat', which is not there", archive_of([("r.hea", header)]), name="a.zip")
    refuse(UnreadableRecording, "not a WFDB file", b"PK\3\4" + bytes(100), name="a.zip")
    refuse(UnreadableRecording, "not a WFDB file", b"no archive", name="a.zip")
    refuse(UnreadableRecording, "not a WFDB file", archive_of([("r.hea", header), ("r.dat", data)])[:2000], name="a.zip")
    bomb = archive_of([("r.hea", header), ("r.dat", bytes(30_000_000))], zipfile.ZIP_DEFLATED)
    refuse(UnreadableRecording, "times its size", bomb, name="a.zip")
    outside = archive_of([("../../../r.hea", header), ("/r.dat", data)])
    assert read(outside, name="a.zip").samples.shape == (1, 2000)


# EDF


def test_edf_that_is_no_recording(refuse, edf, capfd):
    refuse(UnreadableRecording, "The EDF file is cut short: 9 of 10 records are there", edf[:-50], name="a.edf")
    refuse(UnreadableRecording, "header is cut short", edf[:300], name="a.edf")
    refuse(UnreadableRecording, "not a EDF file that can be read", edf[:100], name="a.edf")
    refuse(UnreadableRecording, "50 bytes follow its last record", edf + bytes(50), name="a.edf")
    refuse(UnreadableRecording, "cut short", edf[:236] + b"99999999" + edf[244:], name="a.edf")
    refuse(UnreadableRecording, "claims -1 records", edf[:236] + b"-1      " + edf[244:], name="a.edf")
    refuse(UnreadableRecording, "not a EDF file that can be read", edf[:244] + b"0       " + edf[252:], name="a.edf")
    refuse(UnreadableRecording, "not a EDF file that can be read", edf[:252] + b"9999" + edf[256:], name="a.edf")
    refuse(UnreadableRecording, "not a EDF file that can be read", edf[:252] + b"abcd" + edf[256:], name="a.edf")
    assert capfd.readouterr().out == ""  # a server may speak a protocol there


def test_edf_over_the_limit(refuse, edf):
    refuse(TooLarge, "The EDF file claims 1,000 samples; the limit is 100", edf, name="a.edf", field="samples", max_samples=100)


# NIfTI


@pytest.mark.parametrize(("data", "message", "field"), [
    (nifti()[:-10], "The NIfTI volume is cut short: 61 of 64 samples are there", "file"),
    (nifti()[:300], "This is not a nifti file: it does not begin as one", "file"),
    (nifti()[:348], "cut short: 0 of 64 samples are there", "file"),
    (gzip.compress(nifti()[:-10]), "cut short: 61 of 64", "file"),
    (gzip.compress(nifti())[:-30], "not a NIfTI file that can be read", "file"),
    (gzip.compress(b"1,2,3"), "not a NIfTI file that can be read: it does not begin as one", "file"),
    (b"\x1f\x8b" + bytes(50), "not a NIfTI file that can be read", "file"),
    (nifti(dim=(3, 4, -4, 4, 1, 1, 1, 1)), "The NIfTI volume is empty", "file"),
    (nifti(dim=(3, 4, 0, 4, 1, 1, 1, 1)), "The NIfTI volume is empty", "file"),
    (nifti(dim=(0, 4, 4, 4, 1, 1, 1, 1)), "The NIfTI volume is empty", "file"),
    (nifti(dim=(5, 2, 2, 2, 2, 4, 1, 1)), "The volume has 5 axes; up to four can be read", "file"),
    (nifti(vox_offset=1e30), "its samples begin at byte", "file"),
    (nifti(vox_offset=-800.0), "vox offset -800 too low", "file"),
    (nifti(datatype=(32, 64)), "holds complex64, not real numbers", "file"),
    (nifti(datatype=(12345, 8)), "not a NIfTI file that can be read", "file"),
    (nifti(magic=b"ni1\0"), "header of a NIfTI pair", "file"),
    (nifti(pixdim=(1, np.inf, 1, 1, 1, 1, 1, 1)), "'x' has a step of inf", "step"),
    (nifti(np.ones((1, 1, 1), np.float32)), "there is one", "samples"),
])
def test_nifti_that_is_no_volume(refuse, data, message, field):
    refuse(InvalidInput, message, data, name="a.nii.gz" if data[:2] == b"\x1f\x8b" else "a.nii", field=field)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_nifti_that_claims_a_thousand_million_voxels(refuse, pack):
    refuse(TooLarge, "The NIfTI volume claims 1,000,000,000 samples", pack(nifti(dim=(3, 1000, 1000, 1000, 1, 1, 1, 1))),
           name="a.nii", field="samples")
    refuse(UnreadableRecording, "cut short: 64 of 40,000,000 samples", pack(nifti(dim=(3, 1000, 1000, 40, 1, 1, 1, 1))),
           name="a.nii")


def test_a_gzip_bomb_is_unpacked_as_far_as_its_volume_and_no_further(refuse):
    bomb = gzip.compress(nifti() + bytes(100_000_000), 9)
    assert len(bomb) < 200_000
    tracemalloc.start()
    assert read(bomb, name="a.nii.gz").samples.shape == (1, 4, 4, 4)
    assert tracemalloc.get_traced_memory()[1] < SMALL
    tracemalloc.stop()
    far = gzip.compress(nifti(vox_offset=99e6) + bytes(100_000_000), 9)
    refuse(UnreadableRecording, "its samples begin at byte 99,000,000", far, name="a.nii.gz")
