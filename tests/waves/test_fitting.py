"""Samples in, waves out: how right, how many, when it stops, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dredge.errors import Cancelled, InvalidInput
from dredge.waves import FitOptions, evaluate, fit_samples


def chirplet(t, centre, width, frequency, chirp=0.0, amplitude=1.0, phase=0.0):
    u = t - centre
    return amplitude * np.exp(-0.5 * (u / width) ** 2) * np.cos(2 * np.pi * (frequency * u + chirp * u**2 / 2) + phase)


def glitchy_chirp(x):
    """A chirp with a burst that begins and ends at once, defined at every x."""
    burst = (x >= x0[500]) & (x <= x0[549])
    return np.sin(x**2 / 2) * np.exp(-0.1 * x**2) + np.where(burst, 0.5 * np.sin(20 * x), 0)


x0 = np.linspace(-10, 10, 1000)
T = np.arange(1000) / 200


def test_one_chirplet_is_found_exactly():
    result = fit_samples(chirplet(T, 2.1, 0.35, 17.0, chirp=9.0, amplitude=3.0, phase=0.7), step=1 / 200,
                         options=FitOptions(waves=1))
    [event] = result.field.events()
    assert event.time == pytest.approx(2.1, abs=1e-6)
    assert event.width == pytest.approx(0.35, rel=1e-6)
    assert event.frequency == pytest.approx(17.0, rel=1e-6)
    assert event.chirp_rate == pytest.approx(9.0, rel=1e-5)
    assert event.amplitude == pytest.approx(3.0, rel=1e-6)
    assert event.phase == pytest.approx(0.7, abs=1e-5)


@settings(max_examples=12, deadline=None)
@given(centre=st.floats(1, 4), width=st.floats(0.1, 0.6), frequency=st.floats(4, 70), chirp=st.floats(-15, 15),
       phase=st.floats(-3, 3), scale=st.sampled_from([1e-9, 1.0, 1e9]), offset=st.sampled_from([0.0, -7.0]))
def test_any_chirplet_is_found_whatever_its_scale_and_offset(centre, width, frequency, chirp, phase, scale, offset):
    samples = scale * (chirplet(T, centre, width, frequency, chirp, 1.0, phase) + offset)
    result = fit_samples(samples, step=1 / 200, options=FitOptions(waves=1))
    # A wave that is cut off by the end of the recording, or is nearly a constant, may be told in other words:
    # what must be right is the value, here to a ten thousandth of the amplitude.
    assert np.sqrt(result.report.error) < 1e-4 * scale


def test_a_model_is_right_between_the_samples():
    true = {"centre": 2.0, "width": 0.3, "frequency": 60.0, "chirp": 20.0}
    field = fit_samples(chirplet(T, **true), step=1 / 200, options=FitOptions(waves=1)).field
    between = T[100:-100] + 1 / 400
    assert evaluate(field, between) == pytest.approx(chirplet(between, **true), abs=1e-6)


def test_five_separate_events_in_noise_are_all_found_and_no_more():
    rng = np.random.default_rng(4)
    times, frequencies = [0.5, 1.4, 2.3, 3.3, 4.4], [20.0, 55.0, 12.0, 70.0, 33.0]
    clean = sum(chirplet(T, t, 0.12, f) for t, f in zip(times, frequencies, strict=True))
    result = fit_samples(clean + 0.05 * rng.normal(size=T.size), step=1 / 200)
    assert result.report.stopped_because == "another wave would describe noise"
    found = result.field.events()
    assert [event.time for event in found] == pytest.approx(times, abs=0.02)
    assert [event.frequency for event in found] == pytest.approx(frequencies, abs=0.3)


def test_the_glitchy_chirp_needs_fifteen_numbers():
    result = fit_samples(glitchy_chirp(x0), start=-10, step=20 / 999, options=FitOptions(waves=2, edge=True))
    assert result.report.numbers == 15
    assert result.report.error < 1e-12
    inside = np.linspace(-9.9, 9.9, 777)
    inside = inside[np.abs(inside - x0[500]) > 0.03]
    inside = inside[np.abs(inside - x0[549]) > 0.03]  # nobody can tell from samples where between two of them the burst begins
    assert np.mean((evaluate(result.field, inside) - glitchy_chirp(inside)) ** 2) < 1e-12


def test_noise_alone_gives_few_waves():
    noise = np.random.default_rng(1).normal(size=600)
    assert fit_samples(noise).report.waves <= 2


def test_a_constant_is_told_with_its_value_and_no_wave():
    result = fit_samples(np.full(100, 7.25))
    assert result.report.stopped_because == "the signal is constant"
    assert result.report.waves == 0
    assert evaluate(result.field, [0.0, 50.0]) == pytest.approx([7.25, 7.25])


def test_two_samples_are_enough():
    assert np.isfinite(fit_samples([0.0, 1.0]).report.error)


def test_numbers_bound_the_stored_numbers():
    samples = np.random.default_rng(2).normal(size=400).cumsum()
    result = fit_samples(samples, options=FitOptions(numbers=50))
    assert result.field.numbers == result.report.numbers <= 50
    assert result.report.waves == 8


def test_a_target_error_ends_the_fit():
    samples = np.random.default_rng(2).normal(size=400).cumsum()
    result = fit_samples(samples, options=FitOptions(target_error=float(np.var(samples)) / 10))
    assert result.report.error <= np.var(samples) / 10
    assert "target" in result.report.stopped_because


def test_seconds_end_the_fit_with_the_best_so_far():
    samples = np.random.default_rng(2).normal(size=3000).cumsum()
    result = fit_samples(samples, options=FitOptions(waves=200, seconds=1.0))
    assert result.report.stopped_because == "the time was up"
    assert 0 < result.report.waves < 200
    assert result.report.seconds < 3  # the last step it was in is finished, on a machine that may be busy


def test_held_out_samples_tell_when_waves_begin_to_describe_noise():
    rng = np.random.default_rng(5)
    samples = chirplet(T, 2.5, 0.5, 10) + 0.3 * rng.normal(size=T.size)
    result = fit_samples(samples, options=FitOptions(hold_out=0.2))
    assert result.report.held_out_error == pytest.approx(0.09, rel=0.4)  # the variance of the noise, from 200 samples


def test_the_same_seed_gives_the_same_field():
    samples = np.random.default_rng(3).normal(size=300).cumsum()
    first, second = (fit_samples(samples, options=FitOptions(waves=4, hold_out=0.1, seed=9)).field for _ in range(2))
    assert evaluate(first, np.arange(300.0)) == pytest.approx(evaluate(second, np.arange(300.0)), abs=0)


def test_progress_never_falls_and_ends_where_the_report_says():
    told = []
    samples = np.random.default_rng(3).normal(size=300).cumsum()
    report = fit_samples(samples, options=FitOptions(waves=5), progress=told.append).report
    fractions = [now.fraction for now in told]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert {now.stage for now in told} >= {"finding", "polishing"}
    assert [stage.stage for stage in report.stages][:2] == ["finding", "polishing"]
    assert report.stages[-1].error == pytest.approx(report.error)


def test_somebody_who_asks_to_stop_is_heard():
    asked = []

    def stop():
        asked.append(1)
        return "enough" if len(asked) > 3 else None

    with pytest.raises(Cancelled, match="enough"):
        fit_samples(np.random.default_rng(3).normal(size=500).cumsum(), options=FitOptions(waves=20), should_stop=stop)


def test_a_fit_goes_on_from_its_checkpoint_to_the_same_error():
    samples = np.random.default_rng(3).normal(size=500).cumsum()
    states = []
    whole = fit_samples(samples, options=FitOptions(waves=6), checkpoint=states.append)
    assert len(states) >= 6
    told = []
    resumed = fit_samples(samples, options=FitOptions(waves=6), resume=states[3], progress=told.append)
    assert min(now.waves for now in told) >= 4, "the first four waves are not looked for again"
    assert resumed.report.error == pytest.approx(whole.report.error, rel=1e-6)


@pytest.mark.parametrize("state", [b"", b"nonsense", b"{}", b'{"format":"dredge-fit","version":1,"length":3,"rows":[]}',
                                   b'{"format":"dredge-fit","version":1,"length":100,"rows":[[null]]}'])
def test_a_checkpoint_that_is_none_is_passed_over(state):
    assert fit_samples(np.hanning(100), options=FitOptions(waves=1), resume=state).report.waves == 1


@pytest.mark.parametrize(("samples", "words"), [
    ([], "at least 2"), ([1.0], "at least 2"), ([0.0, np.nan, 1.0], "Sample 1 is not a finite"),
    ([0.0, 1.0, np.inf], "Sample 2 is not a finite"), (np.zeros((4, 4)), "one axis"),
    (1e300 * np.hanning(90), r"by up to \d.*e\+299"), (5e-324 * np.arange(80.0), "square is not a number"),
    ([-1.7e308, 1.7e308, 1.7e308], "square is not a number"),
])
def test_samples_that_cannot_be_fitted_are_refused(samples, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        fit_samples(samples)
    assert refused.value.field == "samples"


@pytest.mark.parametrize(("options", "field"), [
    ({"waves": 0}, "waves"), ({"waves": -3}, "waves"), ({"waves": 1.5}, "waves"), ({"waves": True}, "waves"),
    ({"waves": "12"}, "waves"), ({"numbers": 3}, "numbers"), ({"waves": 2, "numbers": 13}, "numbers"),
    ({"target_error": 0.0}, "target_error"), ({"target_error": float("nan")}, "target_error"), ({"seconds": -1}, "seconds"),
    ({"seconds": float("inf")}, "seconds"), ({"seed": -1}, "seed"), ({"seed": 2**40}, "seed"), ({"hold_out": 1.0}, "hold_out"),
    ({"hold_out": -0.1}, "hold_out"),
])
def test_options_that_make_no_sense_are_refused_by_name(options, field):
    with pytest.raises(InvalidInput) as refused:
        FitOptions(**options)
    assert refused.value.field == field


def test_more_waves_than_samples_can_tell_apart_are_refused():
    with pytest.raises(InvalidInput, match="100 samples; 25 can be told apart") as refused:
        fit_samples(np.hanning(100), options=FitOptions(waves=26))
    assert refused.value.field == "waves"


@pytest.mark.parametrize("samples", [
    np.r_[np.zeros(50), 1.0, np.zeros(50)], np.tile([1.0, -1.0], 60), np.arange(120.0), 1e140 * np.hanning(90),
    1e-140 * np.arange(80.0), 1e12 + np.hanning(100), np.sign(np.sin(np.arange(150) / 9)),
], ids=["impulse", "Nyquist", "ramp", "huge", "tiny", "large offset", "square"])
def test_awkward_signals_give_finite_waves_that_are_no_worse_than_their_mean(samples):
    result = fit_samples(samples, options=FitOptions(waves=3))
    values = evaluate(result.field, np.arange(len(samples), dtype=float))
    assert np.isfinite(values).all()
    scale = np.max(np.abs(samples - samples.mean())) or 1.0
    assert np.std((values - samples) / scale) <= np.std((samples - samples.mean()) / scale) * (1 + 1e-6)
