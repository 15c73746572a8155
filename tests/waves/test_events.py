"""Waves as rows for people."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_waves import random_field

from dredge.errors import InvalidInput
from dredge.waves import AxisLabel, QuasimotoWave, WaveField, evaluate_grid, events

weights = st.floats(-3, 3)


@settings(max_examples=100, deadline=None)
@given(centre=st.floats(-5, 5), sigma=st.floats(0.05, 3), k=st.floats(-30, 30), beta=st.floats(-40, 40), a=weights,
       b=weights, edge=st.floats(1.0, 8))
def test_a_row_describes_its_wave(centre, sigma, k, beta, a, b, edge):
    field = WaveField.chirplets([centre], [sigma], [k], [beta], [a], [b], edge=[edge], bias=4.0)
    [event] = events(field)
    assert (event.time, event.width, event.edge) == (centre, pytest.approx(sigma), edge)
    assert event.frequency >= 0
    assert -math.pi < event.phase <= math.pi
    u = np.linspace(-3 * sigma, 3 * sigma, 101)
    told = event.amplitude * np.exp(-0.5 * np.abs(u / event.width) ** event.edge) * np.cos(
        2 * np.pi * (event.frequency * u + 0.5 * event.chirp_rate * u**2) + event.phase)
    assert field(centre + u) - 4.0 == pytest.approx(told, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(sigma=st.floats(0.2, 2), k=st.floats(-8, 8), beta=st.floats(-8, 8), a=weights, b=weights,
       edge=st.just(2.0) | st.floats(1.0, 8))
def test_energy_is_the_integral_of_the_square(sigma, k, beta, a, b, edge):
    field = WaveField.chirplets([0.3], [sigma], [k], [beta], [a], [b], edge=[edge])
    reach = 40 ** (1 / edge) * sigma
    # Two halves, since the envelope has a kink at the centre for small edges; Simpson's rule on each.
    half = np.linspace(0, reach, 40_001)
    rule = np.full(half.size, 2.0)
    rule[1::2], rule[0], rule[-1] = 4.0, 1.0, 1.0
    squares = field(0.3 + half) ** 2 + field(0.3 - half) ** 2
    quadrature = float((squares * rule).sum() * (half[1] - half[0]) / 3)
    [event] = events(field)
    assert event.energy == pytest.approx(quadrature, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("k", [0.0, 500.0, 1e6])
def test_energy_of_a_long_chirp_keeps_what_is_left_of_its_ripple(k):
    rows = [WaveField.chirplets([0.0], [1.0], [k], [beta], [0.3], [1.0], edge=[2.0 + 1e-12]) for beta in (5e3, 2e4)]
    closed = [WaveField.chirplets([0.0], [1.0], [k], [beta], [0.3], [1.0]) for beta in (5e3, 2e4)]
    for row, exact in zip(rows, closed, strict=True):  # an edge of 2, but on the numerical path
        assert events(row)[0].energy == pytest.approx(events(exact)[0].energy, rel=3e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 3))
def test_energy_in_several_dimensions(seed, d):
    field = random_field(seed, 1, d, d, diagonal=True)
    shape = field.shape.clone()
    shape[0].diagonal().abs_().clamp_(0.7, 2)
    field = WaveField(torch.zeros_like(field.centre), shape, field.wavenumber / 2, field.chirp / 4, field.cosine, field.sine,
                      field.edge, torch.zeros_like(field.bias), field.domain, field.axes)
    axis = np.linspace(-10, 10, 241)
    squares = evaluate_grid(field, [axis] * d) ** 2
    [event] = events(field)
    assert event.energy == pytest.approx(squares.sum() * (axis[1] - axis[0]) ** d, rel=1e-6)


def test_an_envelope_that_never_ends_is_measured_over_the_domain():
    one = torch.ones(1, dtype=torch.float64)
    zero = torch.zeros(1, 2, dtype=torch.float64)
    field = WaveField(zero, torch.tensor([[[1.0, -2.0]]], dtype=torch.float64), zero, torch.zeros(1, 2, 2).double(), one,
                      0 * one, 2 * one, one[0], torch.tensor([[-20.0, 20.0], [-1.0, 1.0]]).double(),
                      (AxisLabel("x", "m"), AxisLabel("t", "s")))
    [event] = events(field)
    assert event.energy == pytest.approx(2 * math.sqrt(math.pi), rel=1e-3)
    assert event.widths == pytest.approx((1.0, 0.5))


def test_a_flat_top_has_its_energy_too():
    field = random_field(2, 2, 2, 2, gaussian=False)
    assert all(event.energy > 0 for event in events(field))


def test_rows_are_sorted_as_asked():
    field = WaveField.chirplets([2, 1, 3], [0.1, 0.2, 0.3], [5, 50, -20], [0, 0, 0], [3, 1, 2], [0, 0, 0])
    assert [event.index for event in events(field)] == [1, 0, 2]
    assert [event.index for event in field.events(sort="amplitude", descending=True)] == [0, 2, 1]
    assert [event.index for event in events(field, sort="frequency")] == [0, 2, 1]
    assert [event.index for event in events(field, sort="energy")] == [1, 2, 0]
    with pytest.raises(InvalidInput, match="Choose time, energy, amplitude, frequency") as caught:
        events(field, sort="colour")
    assert caught.value.field == "sort"


def test_units_are_turns_per_axis_unit():
    [event] = events(WaveField.chirplets([1.0], [0.5], [2 * math.pi * 7], [2 * math.pi * 3], [0.0], [2.0]))
    assert (event.frequency, event.chirp_rate, event.amplitude) == pytest.approx((7, 3, 2))
    assert event.phase == pytest.approx(-math.pi / 2)
    assert event.centre == event.widths == event.wavenumber == ()


def test_several_dimensions_have_a_place_and_a_wavenumber():
    field = random_field(3, 4, 3, 3, diagonal=True)
    for event in events(field):
        assert event.time == event.centre[0]
        assert len(event.centre) == len(event.widths) == len(event.wavenumber) == 3
        assert event.wavenumber[0] >= 0
        assert event.widths[1] == pytest.approx(1 / abs(float(field.shape[event.index, 1, 1])))
        assert math.isfinite(event.energy)


def test_original_models_have_no_rows():
    with pytest.raises(InvalidInput, match="no list of events"):
        events(QuasimotoWave())
