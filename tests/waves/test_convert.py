"""Between the general wave and the original: exact where it is exact, within the bound elsewhere, refused with a reason."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_waves import original_reference, random_field
from scipy.special import jv

from dredge.errors import InvalidInput
from dredge.waves import QuasimotoEnsemble, QuasimotoWave, WaveField, to_chirps, to_general, to_original
from dredge.waves.bessel import bessel_orders, orders_needed

SEEDS = st.integers(0, 2**32 - 1)


def original(seed, dimension=1, waves=0, epsilon=None):
    model = QuasimotoEnsemble(waves, dimension, seed=seed) if waves else QuasimotoWave(dimension, seed=seed)
    model.double()
    draw = np.random.default_rng(seed)
    with torch.no_grad():
        for name in ("A", "log_sigma", "phi", "epsilon"):
            p = getattr(model, name)
            p.add_(torch.from_numpy(np.asarray(draw.normal(size=tuple(p.shape)))))
        if epsilon is not None:
            model.epsilon.fill_(epsilon)
    return model


def points_around(seed, columns, count=200):
    return np.random.default_rng(seed + 1).normal(size=(count, columns)) * 2


def truth(model, points):
    return original_reference(model, torch.from_numpy(points)).detach().numpy()


@given(z=st.floats(-80, 80), orders=st.integers(0, 120))
def test_bessel_functions_agree_with_scipy(z, orders):
    assert bessel_orders(z, orders) == pytest.approx(jv(np.arange(orders + 1), z), abs=1e-13)


@given(z=st.floats(-40, 40), tail=st.floats(1e-15, 1.0))
def test_the_dropped_orders_are_within_their_bound(z, tail):
    last, bound = orders_needed(z, tail)
    rest = 2 * np.abs(jv(np.arange(last + 1, last + 300), z)).sum()
    assert rest <= bound * (1 + 1e-9) + 1e-300
    assert bound <= tail


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, dimension=st.sampled_from([1, 4, 6]), waves=st.integers(0, 4))
def test_without_modulation_the_general_form_is_exact(seed, dimension, waves):
    model = original(seed, dimension, waves, epsilon=0.0)
    field, error = to_general(model)
    points = points_around(seed, model.dimension)
    assert error == 0
    assert len(field) == len(model)
    assert field.axes == model.axes
    assert field(points) == pytest.approx(truth(model, points), abs=1e-11)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, dimension=st.sampled_from([1, 4, 6]), waves=st.integers(0, 3), epsilon=st.floats(-20, 20),
       digits=st.integers(2, 10))
def test_modulation_expands_to_the_tolerance(seed, dimension, waves, epsilon, digits):
    model = original(seed, dimension, waves, epsilon=epsilon)
    field, error = to_general(model, tolerance=10.0**-digits)
    points = points_around(seed, model.dimension, 100)
    assert error <= 10.0**-digits
    assert np.abs(field(points) - truth(model, points)).max() <= error + 1e-11


def test_an_expansion_that_would_not_end_is_refused():
    with pytest.raises(InvalidInput, match="more than 100,000 waves"):
        to_general(original(1, epsilon=1e7))


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, dimension=st.sampled_from([1, 4, 6]), waves=st.integers(0, 4))
def test_a_moving_wave_goes_to_the_general_form_and_back(seed, dimension, waves):
    model = original(seed, dimension, waves, epsilon=0.0)
    back, error = to_original(to_general(model).model)
    points = points_around(seed, model.dimension)
    assert error == 0
    assert back.kind == model.kind
    assert truth(back, points) == pytest.approx(truth(model, points), abs=1e-9)


chirps = st.tuples(st.floats(0.3, 2), st.floats(-4, 4), st.floats(-5, 5), st.floats(-2, 2), st.floats(-2, 2))


@settings(max_examples=100, deadline=None)
@given(wave=chirps, centre=st.floats(-2, 2), digits=st.integers(2, 5))
def test_a_chirp_is_a_slow_modulation_within_the_bound(wave, centre, digits):
    sigma, k, beta, a, b = wave
    field = WaveField.chirplets([centre], [sigma], [k], [beta], [a], [b], bias=0.3)
    model, error = to_original(field, tolerance=10.0**-digits)
    assert error <= 10.0**-digits
    x = np.linspace(centre - 8 * sigma, centre + 8 * sigma, 300)
    at_one = np.stack([x, np.ones_like(x)], 1)
    assert np.abs(truth(model, at_one) - field(x)).max() <= error + 1e-12

    back, more = to_chirps(model, tolerance=1.0)
    assert np.abs(back(x) - truth(model, at_one)).max() <= more + 1e-8  # phases near ε lose digits


def test_a_chirp_about_its_own_zero_frequency_is_one_wave_with_epsilon_lambda_squared_minus_beta():
    field = WaveField.chirplets([0.0], [1.0], [0.0], [3.0], [0.5], [0.2])
    model, _ = to_original(field, tolerance=1e-5)
    assert isinstance(model, QuasimotoWave)
    assert (model.epsilon * model.lmbda**2).item() == pytest.approx(-3.0)
    [back] = to_chirps(model).model
    assert back.chirp[0, 0] == pytest.approx(3.0)
    assert (back.cosine, back.sine) == pytest.approx((0.5, 0.2), abs=1e-6)


def test_a_modulation_that_turns_inside_the_envelope_is_no_chirp():
    model = original(3, epsilon=2.0)
    with torch.no_grad():
        model.lmbda.fill_(5.0)
    with pytest.raises(InvalidInput, match="over the tolerance"):
        to_chirps(model)


def test_what_has_no_original_form_is_refused_with_the_reason():
    moving = to_general(original(5, epsilon=0.0)).model
    cases = {
        "only Gaussian": replace(moving, edge=moving.edge + 1),
        "has a chirp": replace(moving, chirp=torch.ones_like(moving.chirp)),
        "does not pass through the origin": replace(moving, centre=moving.centre + torch.tensor([1.0, 0.0])),
        "a phase at the origin": replace(moving, sine=moving.cosine),
        "not one width": random_field(0, 1, 4, 4).take([0]),
        "no original wave in 3": random_field(0, 1, 3, 3),
        "no waves": moving.take([]),
        "too far": WaveField.chirplets([1e4], [1.0], [0.0], [1.0], [1.0], [0.0]),
    }
    cases["not one width"] = replace(cases["not one width"], chirp=torch.zeros(1, 4, 4, dtype=torch.float64))
    for reason, field in cases.items():
        with pytest.raises(InvalidInput, match=reason):
            to_original(field)


def test_only_one_dimension_has_chirps():
    with pytest.raises(InvalidInput, match="one dimension"):
        to_chirps(QuasimotoWave(4))


def test_the_domain_covers_the_envelopes():
    field = to_general(original(2)).model
    assert field.domain.shape == (2, 2)
    assert math.isfinite(float(field.domain.sum()))
    assert to_general(original(2), domain=[[-1, 1], [0, 2]]).model.domain.tolist() == [[-1, 1], [0, 2]]
