"""Recordings in every format, written by the library of the field, and what becomes of them."""

import io
import zipfile

import numpy as np
import pytest

from dredge.errors import InvalidInput, NotFound, TooLarge, UnknownUnit, UnreadableRecording
from dredge.signals import EXAMPLES, FORMATS, example, read

TIMES = np.arange(500) / 100
WAVE = np.sin(2 * np.pi * 3 * TIMES)


# The recordings that come with DREDGE


def test_the_bundled_ecg():
    signal = read(example("ecg"))
    assert (signal.name, signal.unit, signal.channels) == ("ECG", "1", ("ecg",))
    assert signal.samples.shape == (1, 1024)
    assert signal.sample_rate == pytest.approx(360)
    assert signal.samples[0, :3].tolist() == [-86, -87, -87]
    assert signal.provenance == {"file": "ecg.csv", "format": "csv"}


def test_the_bundled_seismogram():
    signal = read(example("seismogram"))
    assert signal.channels == ("EHZ",)
    assert signal.samples.shape == (1, 3000)
    assert signal.sample_rate == pytest.approx(100)
    assert signal.unit == "count"
    assert signal.start_time == "2009-08-24T00:20:03Z"
    assert signal.name == "BW.RJOB"


def test_every_bundled_recording_is_there():
    assert sorted(EXAMPLES) == ["ecg", "seismogram"]
    assert all(example(name).exists() for name in EXAMPLES)


# CSV


def csv(text, **options):
    return read(text.encode(), name="record.csv", **options)


def test_a_column_of_numbers():
    signal = csv("1\n2.5\n-3e2\n", sample_rate=50, unit="mV")
    assert signal.samples.tolist() == [[1, 2.5, -300]]
    assert (signal.sample_rate, signal.unit, signal.channels, signal.name) == (50, "mV", ("signal",), "record")


def test_without_a_sample_rate_one_hertz_is_taken_and_said():
    signal = csv("1\n2\n3\n")
    assert signal.sample_rate == 1
    assert signal.provenance["sample_rate"] == "not given; 1 Hz was taken"


@pytest.mark.parametrize("text", [
    "a,b\n1,2\n3,4\n", "a;b\n1;2\n3;4\n", "a\tb\n1\t2\n3\t4\n", "a b\n1 2\n3  4\n", "\ufeffa, b\r\n1, 2\r\n3, 4\r\n",
    '"a","b"\n"1","2"\n3,4',
    "# measured by hand\n\na,b\n1,2\n\n3,4\n\n",
])
def test_columns_under_a_header_whatever_separates_them(text):
    signal = csv(text)
    assert signal.channels == ("a", "b")
    assert signal.samples.tolist() == [[1, 3], [2, 4]]


def test_three_columns_without_a_header_are_three_channels():
    signal = csv("1,2,3\n4,5,6\n")
    assert signal.channels == ("channel0", "channel1", "channel2")
    assert signal.samples.tolist() == [[1, 4], [2, 5], [3, 6]]


def test_remarks_say_what_the_columns_cannot():
    signal = csv("# name: hum\n# sample_rate: 360 Hz\n# unit: mV\n# start_time: 2024-05-01T12:00:00+02:00\n1\n2\n")
    assert (signal.name, signal.sample_rate, signal.unit) == ("hum", 360, "mV")
    assert signal.start_time == "2024-05-01T10:00:00Z"


def test_what_is_given_wins_over_what_the_file_says():
    text = "# sample_rate: 360\n# unit: mV\n# start_time: 2024-05-01\n1\n2\n"
    signal = csv(text, sample_rate=10, unit="Pa", start_time="2020-01-01T00:00:00Z")
    assert (signal.sample_rate, signal.unit, signal.start_time) == (10, "Pa", "2020-01-01T00:00:00Z")


@pytest.mark.parametrize("header", ["ecg [mV]", "ecg (mV)"])
def test_a_header_of_one_column_names_the_unit(header):
    signal = csv(f"{header}\n1\n2\n3\n")
    assert (signal.channels, signal.unit) == (("ecg",), "mV")
    assert signal.samples.tolist() == [[1, 2, 3]]


def test_a_name_of_two_words_is_one_name():
    assert csv("lead II\n1\n2\n").channels == ("lead II",)


def test_units_between_spaces_belong_to_the_name_before_them():
    signal = csv("time [ms] ecg [mV]\n0 5\n2 6\n4 7\n")
    assert (signal.channels, signal.unit) == (("ecg",), "mV")
    assert signal.sample_rate == pytest.approx(500)


def test_columns_of_different_units_claim_none_until_one_is_chosen():
    text = "ecg [mV],pressure [mmHg]\n1,2\n3,4\n"
    both = csv(text)
    assert both.unit == "1"
    assert both.provenance["units_in_file"] == ["mV", "mmHg"]
    assert csv(text, channels=["pressure"]).unit == "mmHg"


def test_a_unit_of_the_file_that_no_one_knows_is_kept_beside():
    signal = csv("level [parrots]\n1\n2\n")
    assert signal.unit == "1"
    assert signal.provenance["unit_in_file"] == "parrots"


@pytest.mark.parametrize(("header", "step", "rate", "start"), [
    ("time", 0.01, 100, 2.0), ("t [s]", 0.01, 100, 2.0), ("Time (ms)", 10, 100, 0.002), ("time [µs]", 10, 1e5, 2e-6),
    ("time [min]", 1, 1 / 60, 120), ("time [h]", 1, 1 / 3600, 7200), ("time [ns]", 1, 1e9, 2e-9), ("time [sec]", 1, 1, 2),
])
def test_a_time_column_gives_rate_and_start(header, step, rate, start):
    signal = csv(f"{header},a\n" + "".join(f"{2 + i * step},{i}\n" for i in range(50)))
    assert signal.channels == ("a",)
    assert signal.sample_rate == pytest.approx(rate)
    assert signal.axes[0].start == pytest.approx(start)


def test_times_that_were_rounded_in_print_are_still_even():
    signal = csv("time,a\n" + "".join(f"{i / 360:.6f},{i}\n" for i in range(20_000)))
    assert signal.sample_rate == pytest.approx(360, rel=1e-6)
    assert signal.samples.shape == (1, 20_000)


def test_two_columns_without_a_header_are_time_and_samples():
    signal = csv("0,5\n0.5,6\n1,7\n")
    assert (signal.sample_rate, signal.samples.tolist()) == (2, [[5, 6, 7]])


@pytest.mark.parametrize("unit", ["parrots", "mV"])
def test_a_time_column_in_something_else_than_time_is_refused(unit):
    with pytest.raises(UnknownUnit, match=f"'{unit}'") as caught:
        csv(f"time [{unit}],a\n0,1\n1,2\n")
    assert caught.value.field == "unit"


@pytest.mark.parametrize(("times", "row"), [
    ((0, 1, 2, 3.5, 4.5, 5.5), 5), ((0, 1, 1, 2, 3), 4), ((3, 2, 1, 0), 3), ((1, 1, 1), 3)])
def test_uneven_times_are_refused_saying_where(times, row):
    with pytest.raises(InvalidInput, match=f"not regular: row {row} comes") as caught:
        csv("time,a\n" + "".join(f"{t},1\n" for t in times))
    assert caught.value.field == "file"
    assert "Resample" in caught.value.hint


def test_rows_that_are_missing_are_a_gap_in_time():
    text = "time,a\n" + "".join(f"{i / 10},{i}\n" for i in range(40) if i not in (7, 20, 21))
    with pytest.raises(InvalidInput, match=r"3 samples are missing, the first is sample 7 \(0\.7 s\) of channel 'a'"):
        csv(text)
    filled = csv(text, gaps="interpolate")
    assert filled.sample_rate == pytest.approx(10)
    np.testing.assert_allclose(filled.samples, [np.arange(40.0)])


def test_a_time_column_that_jumps_by_a_century_takes_no_memory():
    with pytest.raises(TooLarge, match="with its gaps, claims 3,153,600,0"):
        csv("time,a\n0,1\n1,1\n2,1\n3,1\n3153600000,1\n")


def test_a_row_without_a_time_is_refused():
    with pytest.raises(InvalidInput, match="Row 3 has no time"):
        csv("time,a\n0,1\n,2\n2,3\n")


@pytest.mark.parametrize("gap", ["", "nan", "NaN", "NA", "n/a", "null", "-"])
def test_a_gap_is_refused_saying_where_or_filled_when_asked(gap):
    text = f"# sample_rate: 10\na,b\n1,1\n2,{gap}\n3,3\n4,7\n"
    with pytest.raises(InvalidInput, match=r"1 sample is missing: sample 1 \(0\.1 s\) of channel 'b'") as caught:
        csv(text)
    assert caught.value.field == "samples"
    assert "gaps=interpolate" in caught.value.hint

    filled = csv(text, gaps="interpolate")
    assert filled.samples.tolist() == [[1, 2, 3, 4], [1, 2, 3, 7]]
    assert filled.provenance["interpolated_samples"] == 1


def test_a_gap_in_a_channel_that_is_not_chosen_does_not_matter():
    assert csv("a,b\n1,1\n2,\n3,3\n", channels=["a"]).samples.tolist() == [[1, 2, 3]]


def test_a_channel_of_gaps_alone_cannot_be_filled():
    with pytest.raises(InvalidInput, match="Channel 'b' has fewer than two samples that are numbers"):
        csv("a,b\n1,\n2,\n3,1\n", gaps="interpolate")


def test_channels_are_chosen_by_name_and_number_in_the_order_asked():
    signal = csv("a,b,c\n1,2,3\n4,5,6\n", channels=["c", 0])
    assert signal.channels == ("c", "a")
    assert signal.samples.tolist() == [[3, 6], [1, 4]]
    assert csv("aa,b\n1,2\n4,5\n", channels="aa").channels == ("aa",)


@pytest.mark.parametrize(("channels", "message"), [
    (["d"], "No channel 'd'; there are 'a', 'b'"), ([2], "No channel '2'"), ([-1], "No channel '-1'"), (["²"], "No channel '²'"),
    (["a", 0], "Channel 'a' is asked for twice"),
])
def test_channels_that_are_not_there_are_refused(channels, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        csv("a,b\n1,2\n4,5\n", channels=channels)
    assert caught.value.field == "channels"


def test_columns_of_one_name_are_told_apart():
    assert csv("a,a,,a_1\n1,2,3,4\n4,5,6,7\n").channels == ("a", "a_1", "channel2", "a_1_3")


# NPY and NPZ


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "f4", "f2", "i1", "u2", ">i4", "u8", "longdouble"])
def test_npy_of_any_real_type(tmp_path, dtype):
    values = np.arange(10).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    signal = read(tmp_path / "a.npy", sample_rate=8)
    np.testing.assert_array_equal(signal.samples, [np.arange(10.0)])
    assert (signal.sample_rate, signal.name) == (8, "a")


def test_npy_of_several_channels_in_either_order(tmp_path):
    values = np.arange(12.0).reshape(3, 4)
    for order in "CF":
        np.save(tmp_path / "a.npy", np.array(values, order=order))
        signal = read(tmp_path / "a.npy")
        np.testing.assert_array_equal(signal.samples, values)
        assert signal.channels == ("channel0", "channel1", "channel2")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_rate_unit_and_start(tmp_path, save):
    save(tmp_path / "a.npz", samples=WAVE, sample_rate=100, unit="mV", start_time="2024-05-01", junk=np.zeros(3))
    signal = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(signal.samples, [WAVE])
    assert (signal.sample_rate, signal.unit, signal.start_time) == (100, "mV", "2024-05-01T00:00:00Z")


def test_npz_of_one_array_whatever_it_is_called(tmp_path):
    np.savez(tmp_path / "a.npz", whatever=WAVE, sample_rate=100)
    np.testing.assert_array_equal(read(tmp_path / "a.npz").samples, [WAVE])


def test_npz_of_many_arrays_asks_which(tmp_path):
    np.savez(tmp_path / "a.npz", x=WAVE, y=WAVE)
    with pytest.raises(InvalidInput, match="holds x, y; which are the samples") as caught:
        read(tmp_path / "a.npz")
    assert caught.value.hint == "Call the array `samples`."


# Sound


@pytest.mark.parametrize(("subtype", "error"), [
    ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-31), ("FLOAT", 1e-7), ("DOUBLE", 0), ("PCM_U8", 2**-7)])
def test_wav_of_every_depth(tmp_path, subtype, error):
    import soundfile

    both = np.column_stack([WAVE, -WAVE / 2])
    soundfile.write(tmp_path / "a.wav", both, 44100, subtype=subtype)
    signal = read(tmp_path / "a.wav")
    assert signal.channels == ("left", "right")
    assert signal.sample_rate == pytest.approx(44100)
    np.testing.assert_allclose(signal.samples, both.T, rtol=0, atol=error)
    np.testing.assert_array_equal(read(tmp_path / "a.wav", channels=["right"]).samples[0], signal.samples[1])


def test_flac(tmp_path):
    import soundfile

    long = np.tile(WAVE, 400)  # longer than what is read at once
    soundfile.write(tmp_path / "a.flac", long, 8000)
    signal = read(tmp_path / "a.flac")
    assert (signal.sample_rate, signal.channels, signal.unit) == (8000, ("signal",), "1")
    np.testing.assert_allclose(signal.samples, [long], rtol=0, atol=2**-15)


def test_sound_of_many_channels(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.tile(WAVE[:, None], 3), 100)
    assert read(tmp_path / "a.wav").channels == ("channel0", "channel1", "channel2")


# MiniSEED


def trace(values, begin=0.0, channel="EHZ", rate=100.0, **about):
    import obspy

    when = obspy.UTCDateTime(2024, 5, 1) + begin
    return obspy.Trace(np.asarray(values), {"network": "XX", "station": "TEST", "channel": channel, "starttime": when,
                                            "sampling_rate": rate, **about})


def mseed(tmp_path, *traces, name="a.mseed", **options):
    import obspy

    obspy.Stream(traces).write(str(tmp_path / name), format="MSEED", **options)
    return tmp_path / name


@pytest.mark.parametrize(("dtype", "encoding"), [
    ("int32", "STEIM1"), ("int32", "STEIM2"), ("int32", "INT32"), ("int16", "INT16"),
    ("float32", "FLOAT32"), ("float64", "FLOAT64")])
def test_miniseed_in_every_encoding(tmp_path, dtype, encoding):
    values = (1000 * np.tile(WAVE, 4)).astype(dtype)
    signal = read(mseed(tmp_path, trace(values), encoding=encoding, reclen=512))
    np.testing.assert_array_equal(signal.samples, [values.astype(float)])
    assert (signal.start_time, signal.name, signal.unit) == ("2024-05-01T00:00:00Z", "XX.TEST", "count")


def test_three_components_become_three_channels(tmp_path):
    values = np.arange(300, dtype=np.int32)
    path = mseed(tmp_path, *(trace(values * k, channel=name) for k, name in enumerate(("EHZ", "EHN", "EHE"), 1)))
    signal = read(path, channels=["EHN"])
    assert sorted(read(path).channels) == ["EHE", "EHN", "EHZ"]
    np.testing.assert_array_equal(signal.samples, [2.0 * np.arange(300)])


def test_one_channel_of_two_stations_is_named_in_full(tmp_path):
    one, other = trace(np.arange(300, dtype=np.int32)), trace(np.arange(300, dtype=np.int32), station="ELSE")
    assert sorted(read(mseed(tmp_path, one, other)).channels) == ["XX.ELSE..EHZ", "XX.TEST..EHZ"]


def test_a_gap_between_two_records(tmp_path):
    path = mseed(tmp_path, trace(np.arange(100, dtype=np.int32)), trace(np.arange(110, 200, dtype=np.int32), begin=1.1))
    with pytest.raises(InvalidInput, match=r"10 samples are missing, the first is sample 100 \(1 s\) of channel 'EHZ'") as caught:
        read(path)
    assert caught.value.field == "samples"

    filled = read(path, gaps="interpolate")
    np.testing.assert_allclose(filled.samples, [np.arange(200.0)])
    assert filled.provenance["interpolated_samples"] == 10


def test_a_component_that_begins_late_has_a_gap_before_it(tmp_path):
    path = mseed(tmp_path, trace(np.arange(100, dtype=np.int32)), trace(np.arange(90, dtype=np.int32), begin=0.1, channel="EHN"))
    with pytest.raises(InvalidInput, match=r"10 samples are missing, the first is sample 0 \(0 s\) of channel 'EHN'"):
        read(path)


def test_records_of_two_rates_are_refused(tmp_path):
    values = np.arange(300, dtype=np.int32)
    with pytest.raises(InvalidInput, match="sample rates of 20 Hz, 100 Hz") as caught:
        read(mseed(tmp_path, trace(values), trace(values, channel="BHZ", rate=20.0)))
    assert caught.value.hint == "Export the channels of one rate."


def test_a_gap_of_a_century_takes_no_memory(tmp_path):
    values = np.arange(300, dtype=np.int32)
    path = mseed(tmp_path, trace(values), trace(values, begin=50 * 365 * 86400.0))
    with pytest.raises(TooLarge, match=r"with its gaps, claims 157,680,000,\d{3} samples"):
        read(path)


def test_a_name_with_brackets_is_a_name_not_a_pattern(tmp_path):
    values = np.arange(300, dtype=np.int32)
    path = mseed(tmp_path, trace(values)).rename(tmp_path / "a[1]*?.mseed")
    assert read(path).samples.shape == (1, 300)


# WFDB


def wfdb_record(folder, name="100", units=("mV", "mV"), fmt="16", **options):
    import wfdb

    both = np.column_stack([WAVE, 2 * WAVE])
    wfdb.wrsamp(name, 360, list(units), ["MLII", "V1"], p_signal=both, fmt=[fmt, fmt], write_dir=str(folder), **options)
    return folder / f"{name}.hea"


def zipped(folder, *names):
    with zipfile.ZipFile(folder / "record.zip", "w") as archive:
        for name in names:
            archive.write(folder / name, f"some/folder/{name}")
    return folder / "record.zip"


@pytest.mark.parametrize("fmt", ["16", "24", "32", "212", "80"])
def test_wfdb_header_beside_its_samples(tmp_path, fmt):
    signal = read(wfdb_record(tmp_path, fmt=fmt))
    assert (signal.channels, signal.unit, signal.name) == (("MLII", "V1"), "mV", "100")
    assert signal.sample_rate == pytest.approx(360)
    np.testing.assert_allclose(signal.samples, [WAVE, 2 * WAVE], atol=0.02 if fmt == "80" else 1e-3)


def test_wfdb_in_a_zip(tmp_path):
    wfdb_record(tmp_path)
    signal = read(zipped(tmp_path, "100.hea", "100.dat"), channels=["V1"])
    np.testing.assert_allclose(signal.samples, [2 * WAVE], atol=1e-3)
    assert signal.name == "100"


def test_wfdb_with_a_start_and_two_units(tmp_path):
    import datetime

    path = wfdb_record(tmp_path, units=("mV", "mmHg"), base_date=datetime.date(2024, 5, 1), base_time=datetime.time(12, 30))
    signal = read(path)
    assert signal.start_time == "2024-05-01T12:30:00Z"
    assert (signal.unit, signal.provenance["units_in_file"]) == ("1", ["mV", "mmHg"])
    assert read(path, channels=["V1"]).unit == "mmHg"


def test_wfdb_in_segments(tmp_path):
    for name in ("one", "two"):
        wfdb_record(tmp_path, name)
    (tmp_path / "whole.hea").write_text("whole/2 2 360 1000\none 500\ntwo 500\n")
    assert read(tmp_path / "whole.hea").samples.shape == (2, 1000)
    files = [f"{name}.{ending}" for name in ("one", "two") for ending in ("hea", "dat")]
    np.testing.assert_allclose(read(zipped(tmp_path, *files, "whole.hea")).samples[0], np.tile(WAVE, 2), atol=1e-3)


def test_a_zip_of_two_records_asks_which(tmp_path):
    wfdb_record(tmp_path, "one")
    wfdb_record(tmp_path, "two")
    with pytest.raises(InvalidInput, match="holds 2 records: one, two"):
        read(zipped(tmp_path, "one.hea", "one.dat", "two.hea", "two.dat"))


# EDF


def edf_file(path, rates=(100, 100), units=("uV", "uV"), labels=("Fp1", "Fp2"), seconds=5):
    import datetime

    import pyedflib

    with pyedflib.EdfWriter(str(path), len(rates)) as writer:
        for number, (rate, unit, label) in enumerate(zip(rates, units, labels, strict=True)):
            writer.setSignalHeader(number, {
                "label": label, "dimension": unit, "sample_frequency": rate, "physical_max": 2, "physical_min": -2,
                "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": ""})
        writer.setStartdatetime(datetime.datetime(2024, 5, 1, 12, 0))
        writer.writeSamples([np.sin(2 * np.pi * 3 * np.arange(rate * seconds) / rate) for rate in rates])
    return path


def test_edf(tmp_path):
    signal = read(edf_file(tmp_path / "a.edf"))
    assert (signal.channels, signal.unit, signal.start_time) == (("Fp1", "Fp2"), "uV", "2024-05-01T12:00:00Z")
    assert signal.sample_rate == pytest.approx(100)
    np.testing.assert_allclose(signal.samples, [WAVE, WAVE], atol=1e-4)


def test_edf_channels_of_another_rate_or_unit_are_left_out_and_named(tmp_path):
    path = edf_file(tmp_path / "a.edf", (100, 50, 100), ("uV", "uV", "mV"), ("Fp1", "Resp", "Temp"))
    signal = read(path)
    assert signal.channels == ("Fp1",)
    assert signal.provenance["channels_left_out"] == ["Resp", "Temp"]


def test_edf_labels_that_repeat_are_told_apart(tmp_path):
    assert read(edf_file(tmp_path / "a.edf", labels=("EEG", "EEG"))).channels == ("EEG", "EEG_1")


# NIfTI


def nifti_file(path, values, steps=(1, 2, 3, 1500), units=("mm", "msec"), kind="Nifti1Image"):
    import nibabel

    image = getattr(nibabel, kind)(values, np.eye(4))
    image.header.set_zooms(steps[: values.ndim])
    image.header.set_xyzt_units(*units)
    nibabel.save(image, str(path))
    return path


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image"])
def test_nifti_of_space_and_time(tmp_path, ending, kind):
    values = np.random.default_rng(1).standard_normal((3, 4, 5, 6)).astype(np.float32)
    path = nifti_file(tmp_path / f"brain{ending}", values, kind=kind)
    for signal in (read(path), read(path.read_bytes(), format="nifti"), read(path.read_bytes(), name=path.name)):
        np.testing.assert_array_equal(signal.samples, values[None].astype(float))
        assert [(axis.name, axis.unit, axis.size, axis.step) for axis in signal.axes] == [
            ("x", "mm", 3, 1), ("y", "mm", 4, 2), ("z", "mm", 5, 3), ("time", "s", 6, 1.5)]
        assert signal.channels == ("volume",)
    assert read(path).name == "brain"


def test_nifti_in_three_dimensions_and_other_units(tmp_path):
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    signal = read(nifti_file(tmp_path / "a.nii", values, units=("micron", "sec")))
    assert [axis.unit for axis in signal.axes] == ["um", "um", "um"]
    np.testing.assert_array_equal(signal.samples[0], values)


def test_nifti_scaled_whole_numbers(tmp_path):
    import nibabel

    image = nibabel.Nifti1Image(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "a.nii")
    expected = nibabel.load(tmp_path / "a.nii").get_fdata()
    np.testing.assert_array_equal(read(tmp_path / "a.nii").samples[0], expected)


def test_a_spectrum_along_the_fourth_axis_is_not_called_time(tmp_path):
    signal = read(nifti_file(tmp_path / "a.nii", np.ones((2, 2, 2, 3), np.float32), (1, 1, 1, 10), ("mm", "hz")))
    assert (signal.axes[3].name, signal.axes[3].unit, signal.axes[3].step) == ("frequency", "Hz", 10)


def test_a_sample_rate_that_is_given_holds_for_time(tmp_path):
    values = np.ones((2, 2, 2, 3), np.float32)
    assert read(nifti_file(tmp_path / "a.nii", values), sample_rate=4).axes[3].step == 0.25
    with pytest.raises(InvalidInput, match="no axis of time") as caught:
        read(nifti_file(tmp_path / "b.nii", values[..., 0]), sample_rate=4)
    assert caught.value.field == "sample_rate"


def test_voxels_without_a_number_are_told_by_their_place(tmp_path):
    values = np.zeros((2, 3, 4), np.float32)
    values[1, 2, 3] = np.nan
    path = nifti_file(tmp_path / "a.nii", values)
    with pytest.raises(InvalidInput, match=r"1 sample is missing: sample \[1, 2, 3\] of channel 'volume'"):
        read(path)
    with pytest.raises(InvalidInput, match="on a time axis only") as caught:
        read(path, gaps="interpolate")
    assert caught.value.field == "gaps"


# Which format a file is in


def test_a_file_without_an_ending_is_known_by_its_first_bytes(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", WAVE, 100)
    np.save(tmp_path / "a.npy", WAVE)
    np.savez(tmp_path / "a.npz", WAVE)
    edf_file(tmp_path / "a.edf")
    mseed(tmp_path, trace(np.arange(300, dtype=np.int32)))
    nifti_file(tmp_path / "a.nii", np.ones((2, 2, 2), np.float32))
    for name, format in (("wav", "wav"), ("npy", "npy"), ("npz", "npz"), ("edf", "edf"), ("mseed", "miniseed"), ("nii", "nifti")):
        assert read((tmp_path / f"a.{name}").read_bytes()).provenance["format"] == format
    assert read(b"1\n2\n3\n").provenance == {"file": "recording", "format": "csv", "sample_rate": "not given; 1 Hz was taken"}


def test_the_ending_may_be_in_capitals_and_the_format_may_be_named(tmp_path):
    np.save(tmp_path / "a.npy", WAVE)
    data = (tmp_path / "a.npy").read_bytes()
    assert read(data, name="A.NPY").name == "A"
    assert read(data, name="A.dat", format="NPY").samples.shape == (1, 500)


def test_a_stream_is_read_under_the_name_of_its_file(tmp_path):
    np.save(tmp_path / "hum.npy", WAVE)
    with (tmp_path / "hum.npy").open("rb") as handle:
        signal = read(handle)
    assert (signal.name, signal.provenance["file"]) == ("hum", "hum.npy")
    assert read(io.BytesIO(b"1\n2\n")).name == "recording"


@pytest.mark.parametrize("name", [
    "../../etc/passwd.csv", "/etc/x.csv", "a\0b.csv", "x" * 5000 + ".csv", ".csv", "..", "é.csv", "a b;c.csv"])
def test_the_name_of_an_upload_is_only_a_name(name):
    signal = read(b"1\n2\n3\n", name=name)
    assert signal.samples.tolist() == [[1, 2, 3]]
    assert "/" not in signal.name


def test_a_format_that_does_not_exist_is_refused():
    with pytest.raises(InvalidInput, match="no format 'mp3'") as caught:
        read(b"1\n2\n", format="mp3")
    assert caught.value.field == "format"
    assert all(name in caught.value.hint for name in FORMATS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NotFound, match="There is no file"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(NotFound):
        read("a\0b.csv")
    with pytest.raises(InvalidInput, match="is a folder"):
        read(tmp_path)
    with pytest.raises(UnreadableRecording, match="cannot be read: File name too long"):
        read("x" * 5000)


def test_a_pipe_and_a_device_are_refused_and_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/zero"):
        with pytest.raises(InvalidInput, match="is not a regular file") as caught:
            read(path)
        assert caught.value.field == "file"


def test_what_is_neither_path_nor_bytes_nor_stream_is_refused():
    for source in (7, [1, 2], None):
        with pytest.raises(InvalidInput, match="A recording is a path, bytes or a stream"):
            read(source)
    with pytest.raises(InvalidInput, match="open it in binary mode"):
        read(io.StringIO("1\n2\n"))


@pytest.mark.parametrize(("options", "field"), [
    ({"sample_rate": 0}, "sample_rate"), ({"sample_rate": -1}, "sample_rate"), ({"sample_rate": float("nan")}, "sample_rate"),
    ({"sample_rate": "8"}, "sample_rate"), ({"unit": "parrots"}, "unit"), ({"start_time": "soon"}, "start_time"),
    ({"gaps": "ignore"}, "gaps"), ({"channels": ["x"]}, "channels"),
])
def test_options_that_cannot_be_used_name_themselves(options, field):
    with pytest.raises(InvalidInput) as caught:
        csv("1\n2\n", **options)
    assert caught.value.field == field
