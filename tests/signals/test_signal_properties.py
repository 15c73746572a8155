"""What holds for any numbers and any bytes."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dredge.errors import DredgeError
from dredge.signals import FORMATS, Signal, check_unit, read

FEW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TABLES = arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(2, 30)), elements=FINITE)
ENDINGS = sorted(ending for entry in FORMATS.values() for ending in entry.extensions)
MAGIC = sorted({(entry.extensions[0], bytes(offset) + mark) for entry in FORMATS.values() for offset, mark in entry.magic})


def same_bits(left, right):
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@FEW
@given(TABLES)
@example(np.array([[5e-324, -0.0, 1.7976931348623157e308, 0.1 + 0.2]]))
def test_csv_comes_back_bit_for_bit(table):
    names = [f"c{i}" for i in range(len(table))]
    text = "\n".join([",".join(names), *(",".join(map(repr, row)) for row in table.T.tolist())])
    signal = read(text.encode(), name="a.csv")
    assert signal.channels == tuple(names)
    assert same_bits(signal.samples, table)


@FEW
@given(TABLES, st.sampled_from(["<f8", ">f8"]), st.sampled_from("CF"))
def test_npy_comes_back_bit_for_bit(table, dtype, order):
    held = io.BytesIO()
    np.save(held, np.array(table, dtype, order=order))
    assert same_bits(read(held.getvalue()).samples, table)


@FEW
@given(TABLES)
def test_equal_samples_have_equal_hashes_and_others_do_not(table):
    one, other = read(_npy(table)), read(_npy(table.copy()))
    assert one.sha256 == other.sha256
    changed = table.copy()
    changed.flat[0] = 1.0 if table.flat[0] != 1.0 else 2.0
    assert read(_npy(changed)).sha256 != one.sha256


@pytest.mark.parametrize("ending", ENDINGS)
@settings(FEW, max_examples=15)
@given(data=st.binary(max_size=2000))
def test_random_bytes_are_a_signal_or_refused(ending, data):
    _read_or_refuse(data, f"a{ending}")


@pytest.mark.parametrize(("ending", "magic"), MAGIC)
@settings(FEW, max_examples=25)
@given(data=st.binary(max_size=2000))
def test_random_bytes_that_begin_well_are_a_signal_or_refused(ending, magic, data):
    _read_or_refuse(magic + data, f"a{ending}")


@FEW
@given(st.text(alphabet="0123456789.,;-+eE#[]() \n\tnainf:_\"abtimesr", max_size=300))
def test_any_text_is_a_signal_or_refused(text):
    _read_or_refuse(text.encode(), "a.csv")
    _read_or_refuse(text.encode(), "a.hea")


@pytest.mark.parametrize("name", ["wav", "flac", "npy", "npz", "nii", "mseed", "edf"])
@settings(FEW, max_examples=40)
@given(data=st.data())
def test_a_good_file_with_some_bytes_changed_is_a_signal_or_refused(good_files, name, data):
    damaged = bytearray(good_files[name])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, min(len(damaged), 1200) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(1, len(damaged))) :]
    _read_or_refuse(bytes(damaged), f"a.{name}")


@FEW
@given(st.text(max_size=80) | st.text(alphabet="msVNkg*/^-+()0123456789 .", max_size=80))
def test_any_text_is_a_unit_or_refused(text):
    try:
        assert check_unit(text) == text
    except DredgeError as error:
        assert error.field == "unit"


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    import nibabel
    import obspy
    import pyedflib
    import soundfile

    folder, wave = tmp_path_factory.mktemp("good"), np.sin(np.arange(500) / 9)
    soundfile.write(folder / "a.wav", wave, 8000)
    soundfile.write(folder / "a.flac", wave, 8000)
    np.save(folder / "a.npy", wave)
    np.savez_compressed(folder / "a.npz", samples=wave, sample_rate=8)
    nibabel.save(nibabel.Nifti1Image(wave.reshape(5, 10, 10).astype(np.float32), np.eye(4)), folder / "a.nii")
    obspy.Stream([obspy.Trace(wave)]).write(str(folder / "a.mseed"), format="MSEED", reclen=512)
    with pyedflib.EdfWriter(str(folder / "a.edf"), 1) as writer:
        writer.setSignalHeader(0, {
            "label": "EEG", "dimension": "uV", "sample_frequency": 100, "physical_max": 2, "physical_min": -2,
            "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": ""})
        writer.writeSamples([wave])
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


def _npy(table):
    held = io.BytesIO()
    np.save(held, table)
    return held.getvalue()


def _read_or_refuse(data, name):
    try:
        signal = read(data, name=name, max_samples=100_000)
    except DredgeError as error:
        assert error.message.strip()
        assert "\n" not in error.message
    else:
        assert isinstance(signal, Signal)
        assert np.isfinite(signal.samples).all()
