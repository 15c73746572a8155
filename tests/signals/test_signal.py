"""What a Signal is: samples on axes that nothing can change, known by their content."""

import time
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from dredge.errors import InvalidInput, NotFound, UnknownUnit
from dredge.signals import Axis, Signal, check_unit, example, from_samples, from_text, windows


def make(samples=((0.0, 1.0, 2.0),), rate=100.0, **about):
    samples = np.asarray(samples, float)
    about.setdefault("channels", tuple("abcdefgh"[: len(samples)]))
    return Signal(samples, (Axis("time", "s", samples.shape[1], 1 / rate),), **about)


# What cannot change


def test_the_samples_of_a_signal_cannot_be_written():
    signal = make()
    with pytest.raises(ValueError, match="read-only"):
        signal.samples[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        signal.channel("a")[0] = 5
    with pytest.raises(FrozenInstanceError):
        signal.unit = "mV"
    with pytest.raises(FrozenInstanceError):
        signal.axes[0].step = 2.0


def test_what_the_caller_does_to_his_array_afterwards_does_not_reach_the_signal():
    mine = np.array([[1.0, 2.0, 3.0]])
    signal, before = make(mine), make(mine).sha256
    mine[0, 0] = 99

    assert signal.samples[0, 0] == 1
    assert signal.sha256 == before


def test_a_read_only_view_of_an_array_that_can_change_is_copied_too():
    mine = np.array([[1.0, 2.0, 3.0]])
    view = mine[:]
    view.flags.writeable = False
    signal = Signal(view, (Axis("time", "s", 3, 1.0),))
    mine[0, 0] = 99

    assert signal.samples[0, 0] == 1


def test_a_list_of_axes_and_of_channels_becomes_what_no_one_can_append_to():
    axes, channels = [Axis("time", "s", 3, 1.0)], ["a"]
    signal = Signal(np.arange(3.0)[None], axes, channels)
    axes.clear()
    channels.append("b")

    assert (len(signal.axes), signal.channels) == (1, ("a",))


# The same content, the same hash


def test_equal_content_has_an_equal_hash_whatever_type_the_numbers_came_in():
    of_floats = make([[0.0, 1.0, 2.0]])
    assert make(np.array([[0, 1, 2]], np.int16)).sha256 == of_floats.sha256
    assert make(np.array([[0, 1, 2]], ">f4")).sha256 == of_floats.sha256
    assert make(np.asfortranarray([[0.0, 1.0, 2.0]])).sha256 == of_floats.sha256
    assert len(of_floats.sha256) == 64


def test_the_name_and_the_provenance_are_not_part_of_what_a_signal_is():
    assert make(name="x", provenance={"file": "x.csv"}).sha256 == make(name="y").sha256


@pytest.mark.parametrize("change", [
    {"samples": np.array([[0.0, 1.0, np.nextafter(2, 3)]])},
    {"unit": "mV"},
    {"channels": ("b",)},
    {"start_time": "2024-01-01T00:00:00Z"},
    {"axes": (Axis("time", "s", 3, 0.02),)},
    {"axes": (Axis("time", "s", 3, 0.01, 1.0),)},
    {"axes": (Axis("time", "ms", 3, 0.01),)},
])
def test_whatever_else_differs_gives_another_hash(change):
    assert replace(make(), **change).sha256 != make().sha256


def test_the_same_moment_written_in_two_zones_is_the_same_signal():
    in_utc, in_berlin = make(start_time="2024-05-01T10:00:00Z"), make(start_time="2024-05-01T12:00:00+02:00")
    assert in_berlin.start_time == "2024-05-01T10:00:00Z"
    assert in_berlin.sha256 == in_utc.sha256


# Axes


def test_an_axis_knows_the_coordinates_of_its_samples():
    axis = Axis("time", "s", 4, 0.25, -1.0)
    np.testing.assert_array_equal(axis.coordinates, [-1, -0.75, -0.5, -0.25])
    assert axis.rate == 4
    assert make(rate=360.0).sample_rate == pytest.approx(360, rel=1e-15)


def test_a_volume_has_as_many_dimensions_as_axes():
    axes = (Axis("x", "mm", 2, 1), Axis("y", "mm", 3, 0.5))
    signal = Signal(np.arange(6.0).reshape(1, 2, 3), axes)
    assert signal.dimension == 2
    assert signal.channel().shape == (2, 3)


@pytest.mark.parametrize(("axis", "field", "message"), [
    (("time", "s", 3, 0.0), "sample_rate", r"'time' has a step of 0\.0; it must be a number above zero"),
    (("time", "s", 3, -0.1), "sample_rate", r"a step of -0\.1"),
    (("time", "s", 3, float("nan")), "sample_rate", "a step of nan"),
    (("time", "s", 3, float("inf")), "sample_rate", "a step of inf"),
    (("time", "s", 3, 1e-320), "sample_rate", "a step of"),
    (("x", "mm", 3, 0), "step", "'x' has a step of 0"),
    (("x", "mm", 3, "1"), "step", "The step of axis 'x' is '1', not a number"),
    (("x", "mm", 3, 1.0, float("nan")), "start", "'x' starts at nan"),
    (("x", "mm", 3, 1e308), "step", "ends beyond the largest number"),
    (("x", "mm", -3, 1.0), "axes", "'x' has a size of -3"),
    (("x", "mm", 2.5, 1.0), "axes", r"'x' has a size of 2\.5"),
    (("", "mm", 3, 1.0), "axes", "An axis has a name"),
    (("x", "parrots", 3, 1.0), "unit", "The unit 'parrots' is not known"),
])
def test_an_axis_that_makes_no_sense_is_refused(axis, field, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        Axis(*axis)
    assert caught.value.field == field


# Units


@pytest.mark.parametrize("unit", ["", "1", "count", "mV", "µV", "m/s", "m/s**2", "1/s", "m·s", "nT", "degC", "°C", "mmHg", "%"])
def test_units_of_the_laboratory_are_known(unit):
    assert check_unit(unit) == unit
    assert make(unit=unit).unit == unit


@pytest.mark.parametrize("unit", ["parrots", "9**9**9**9", "m**999999999", "m**9**9", "2 m", "()", "m" * 100, "__import__('os')",
                                  "\n", "mV\0", "nan"])
def test_an_unknown_unit_is_refused_at_once_with_advice(unit):
    begin = time.monotonic()
    with pytest.raises(UnknownUnit, match="is not known") as caught:
        make(unit=unit)
    assert caught.value.field == "unit"
    assert "mV" in caught.value.hint
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("unit", [None, 1, [], {}])
def test_a_unit_that_is_not_a_text_is_refused(unit):
    with pytest.raises(UnknownUnit, match="is not a text") as caught:
        make(unit=unit)
    assert caught.value.field == "unit"


# Start time


@pytest.mark.parametrize("when", ["yesterday", "", "2024-13-01", "0001-01-01T00:00:00+14:00"])
def test_a_start_time_that_is_no_time_is_refused(when):
    with pytest.raises(InvalidInput, match="is not an ISO 8601 time") as caught:
        make(start_time=when)
    assert caught.value.field == "start_time"
    assert "2009-08-24" in caught.value.hint


# Channels


def test_a_channel_is_found_by_name_and_by_number():
    signal = make([[1, 2], [3, 4]], channels=("I", "II"))
    for which in ("II", 1, "1", np.int64(1)):
        np.testing.assert_array_equal(signal.channel(which), [3, 4])


def test_a_name_that_looks_like_a_number_is_a_name_first():
    np.testing.assert_array_equal(make([[1, 2], [3, 4]], channels=("1", "0")).channel("1"), [1, 2])


@pytest.mark.parametrize("which", ["III", 2, -1, "²", "9" * 5000, 1.5, None, True, [1]])
def test_a_channel_that_is_not_there_is_refused_with_those_that_are(which):
    with pytest.raises(InvalidInput, match=r"No channel .*; there are 'I', 'II'") as caught:
        make([[1, 2], [3, 4]], channels=("I", "II")).channel(which)
    assert caught.value.field == "channel"
    assert len(caught.value.message) < 200


def test_two_channels_cannot_share_a_name():
    with pytest.raises(InvalidInput, match="Two channels are named 'a'") as caught:
        make([[1, 2], [3, 4]], channels=("a", "a"))
    assert caught.value.field == "channels"


def test_a_channel_name_is_a_text():
    with pytest.raises(InvalidInput, match="The channel name '7' is not a text"):
        make(channels=(7,))


# Samples


@pytest.mark.parametrize(("samples", "message"), [
    ([[1, np.nan, 3]], r"Sample 1 of channel 'a' is nan \(1 of 3 are not finite\)"),
    ([[1, 2, 3], [1, 2, np.inf]], r"Sample 2 of channel 'b' is inf \(1 of 6"),
    ([[-np.inf, np.nan, 3]], r"Sample 0 of channel 'a' is -inf \(2 of 3"),
])
def test_a_sample_that_is_not_finite_is_refused_saying_where(samples, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        make(samples)
    assert caught.value.field == "samples"


def test_in_a_volume_the_place_is_told_by_all_coordinates():
    samples = np.zeros((1, 2, 3, 4))
    samples[0, 1, 2, 3] = np.nan
    with pytest.raises(InvalidInput, match=r"Sample \[1, 2, 3\] of channel 'signal' is nan"):
        Signal(samples, tuple(Axis(name, "mm", size, 1) for name, size in zip("xyz", (2, 3, 4), strict=True)))


def test_samples_that_do_not_fit_the_axes_are_refused():
    with pytest.raises(InvalidInput, match=r"shape \(1, 3\), but channels and axes say \(1, 4\)") as caught:
        Signal(np.zeros((1, 3)), (Axis("time", "s", 4, 1),))
    assert caught.value.field == "samples"
    with pytest.raises(InvalidInput, match=r"say \(2, 3\)"):
        Signal(np.zeros((1, 3)), (Axis("time", "s", 3, 1),), ("a", "b"))
    with pytest.raises(InvalidInput, match="at least one axis"):
        Signal(np.zeros(1), ())


def test_an_empty_signal_is_refused():
    with pytest.raises(InvalidInput, match="The signal is empty") as caught:
        Signal(np.zeros((1, 0)), (Axis("time", "s", 0, 1),))
    assert caught.value.field == "samples"


@pytest.mark.parametrize("samples", [[["a", "b"]], [[1j, 2]], [[True, False]], [[None, 1.0]]])
def test_a_signal_is_made_of_real_numbers(samples):
    with pytest.raises(InvalidInput, match="Samples are real numbers, not") as caught:
        Signal(samples, (Axis("time", "s", 2, 1),))
    assert caught.value.field == "samples"


# From memory


def test_samples_in_memory_become_a_signal():
    signal = from_samples([0, 1, 0, -1], sample_rate=8, unit="mV", name="hum")
    assert (signal.sample_rate, signal.unit, signal.name, signal.channels) == (8, "mV", "hum", ("signal",))
    assert from_samples([[1, 2], [3, 4]]).channels == ("channel0", "channel1")


@pytest.mark.parametrize(("values", "message"), [
    ("1,2,3", "Samples are numbers, not str"), (b"12", "not bytes"), (None, "not NoneType"), ({"a": 1}, "not dict"),
    (["1", "2"], "not text"), ([1 + 2j, 2], "not complex numbers"), ([True, False], "not booleans"),
    ([[1, 2], [3]], "different lengths"), ([1, None], "not all numbers"), ([], "are none"), ([[]], "are none"),
    ([5.0], "there is one"), (5.0, "give \\[N\\]"), (np.zeros((2, 2, 2)), "give \\[N\\]"),
    ([1, float("nan")], "Sample 1 of channel 'signal' is nan"),
    ([1, float("inf")], "is inf"), ([1, 10**400], "not all numbers"), (np.array(["2024-01-01"], "M8[D]"), "not dates"),
])
def test_values_that_are_no_samples_are_refused(values, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        from_samples(values)
    assert caught.value.field == "samples"


def test_a_tensor_that_needs_gradients_is_refused_in_words():
    import torch

    with pytest.raises(InvalidInput, match="cannot be read as numbers"):
        from_samples(torch.zeros(4, requires_grad=True))
    np.testing.assert_array_equal(from_samples(torch.ones(4)).samples, np.ones((1, 4)))


def test_masked_samples_count_as_missing():
    with pytest.raises(InvalidInput, match="Sample 1 of channel 'signal' is nan"):
        from_samples(np.ma.array([1, 2, 3], mask=[False, True, False]))


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e-320, "8", None, True])
def test_a_sample_rate_that_is_none_is_refused(rate):
    with pytest.raises(InvalidInput, match="sample rate") as caught:
        from_samples([1, 2], sample_rate=rate)
    assert caught.value.field == "sample_rate"


def test_a_constant_signal_is_a_signal():
    assert from_samples([3.0] * 10).samples.std() == 0


def test_a_text_becomes_its_code_points():
    np.testing.assert_array_equal(from_text("Aé").samples, [[65, 233]])
    for text in ("", "A", 7):
        with pytest.raises(InvalidInput) as caught:
            from_text(text)
        assert caught.value.field == "text"


# Windows


def test_windows_share_samples_and_keep_their_place_in_time():
    signal = from_samples(np.arange(10.0), sample_rate=10, start_time="2024-01-01T00:00:00Z")
    pieces = list(windows(signal, 4, 1))
    assert [piece.samples[0].tolist() for piece in pieces] == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert [piece.axes[0].start for piece in pieces] == pytest.approx([0, 0.3, 0.6])
    assert {piece.start_time for piece in pieces} == {"2024-01-01T00:00:00Z"}


def test_the_last_window_may_be_shorter():
    assert [piece.axes[0].size for piece in windows(from_samples(np.arange(10.0)), 4)] == [4, 4, 2]
    assert [piece.axes[0].size for piece in windows(from_samples(np.arange(3.0)), 8)] == [3]


@pytest.mark.parametrize(("size", "overlap", "field"), [(1, 0, "size"), (0, 0, "size"), (4, 4, "overlap"), (4, -1, "overlap")])
def test_windows_that_never_end_are_refused(size, overlap, field):
    with pytest.raises(InvalidInput) as caught:
        list(windows(from_samples(np.arange(10.0)), size, overlap))
    assert caught.value.field == field


def test_an_example_that_does_not_exist_is_not_found():
    with pytest.raises(NotFound, match="no example 'whale'") as caught:
        example("whale")
    assert caught.value.hint == "Choose ecg, seismogram."
