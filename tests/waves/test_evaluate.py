"""Values in blocks against the formula as it is written."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_waves import amplitude_sum, field_reference, original_reference, random_field

from dredge.errors import InvalidInput
from dredge.waves import QuasimotoEnsemble, QuasimotoWave, WaveField, cost, evaluate, evaluate_grid
from dredge.waves.grid import separable

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (3, 3), (6, 6)])


def reference(field, points):
    return field_reference(field, torch.from_numpy(points)).numpy()


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, waves=st.integers(1, 90), count=st.integers(1, 300), gaussian=st.booleans(), seed=SEEDS)
def test_float64_agrees_with_the_formula_to_twelve_digits_of_the_amplitude(shape, waves, count, gaussian, seed):
    d, m = shape
    field = random_field(seed, waves, d, m, gaussian=gaussian)
    points = np.random.default_rng(seed).normal(size=(count, d)) * 3
    points[0] = field.centre[0]
    values = evaluate(field, points[:, 0] if d == 1 else points)
    assert values.dtype == np.float64
    assert values.shape == (count,)
    assert np.abs(values - reference(field, points)).max() <= 1e-12 * amplitude_sum(field)


@settings(max_examples=20, deadline=None)
@given(shape=SHAPES, block=st.integers(1, 70), seed=SEEDS)
def test_the_size_of_a_block_does_not_change_the_values(shape, block, seed):
    field = random_field(seed, 60, *shape, gaussian=False)
    points = np.random.default_rng(seed).normal(size=(200, shape[0]))
    assert evaluate(field, points, block=block) == pytest.approx(evaluate(field, points), rel=1e-12, abs=1e-11)


def test_many_waves_and_few_points_are_blocked_over_the_waves():
    field = random_field(1, 3000, 2, 2)
    points = np.random.default_rng(1).normal(size=(9, 2))
    assert evaluate(field, points) == pytest.approx(reference(field, points), abs=1e-11)


def test_short_waves_along_a_long_recording_lose_nothing_when_the_far_ones_are_left_out():
    draw = np.random.default_rng(0)
    n = 500
    field = WaveField.chirplets(draw.uniform(0, 1e4, n), draw.uniform(0.1, 3, n), draw.normal(size=n) * 20,
                                draw.normal(size=n), draw.normal(size=n), draw.normal(size=n),
                                edge=draw.choice([2.0, 1.5, 6.0], n))
    points = np.linspace(0, 1e4, 5001)
    assert np.abs(field(points) - reference(field, points[:, None])).max() <= 1e-12 * amplitude_sum(field)


def test_far_from_the_origin_no_digits_are_lost():
    near = WaveField.chirplets([0.0], [0.1], [300.0], [50.0], [1.0], [0.5])
    far = WaveField.chirplets([2.0**30], [0.1], [300.0], [50.0], [1.0], [0.5])
    points = np.arange(-64, 64) / 256.0  # exact in binary, so that the shift is exact too
    assert far(points + 2.0**30) == pytest.approx(near(points), abs=1e-15)


@pytest.mark.parametrize("place", [1e30, 1e200, -1e308])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_points_where_numbers_overflow_see_only_the_constant(place, dtype):
    if dtype == torch.float32 and abs(place) > 1e38:
        place = np.sign(place) * 3e38
    for d in (1, 2):
        field = random_field(5, 6, d, d)
        values = evaluate(field, torch.full((2, d), place, dtype=dtype))
        assert values == pytest.approx(float(field.bias), rel=1e-6)
    values = evaluate(QuasimotoWave(seed=1), torch.tensor([[place, 0.0]], dtype=dtype))
    assert values.tolist() == [0.0]


def test_tensors_give_tensors_of_their_dtype():
    field = random_field(2, 5, 1, 1)
    exact = field(np.linspace(-2, 2, 50))
    for dtype, digits in ((torch.float64, 1e-13), (torch.float32, 1e-5), (torch.float16, 2e-2), (torch.bfloat16, 2e-1)):
        points = torch.linspace(-2, 2, 50, dtype=torch.float64).to(dtype)
        values = field(points)
        assert values.dtype == dtype
        assert np.abs(values.double().numpy() - field(points.double().numpy())).max() <= digits * amplitude_sum(field)
    assert field(torch.tensor([1, 2])).dtype == torch.float64
    assert field(np.linspace(-2, 2, 50).astype(np.float32)) == pytest.approx(exact, abs=1e-5)


def test_one_number_gives_one_number_and_lists_are_taken():
    field = random_field(2, 5, 1, 1)
    assert float(field(0.5)) == pytest.approx(field([0.5])[0])
    assert field([[0.5], [1.0]]) == pytest.approx(field([0.5, 1.0]))
    assert field([]).shape == (0,)
    assert evaluate(random_field(2, 5, 2, 2), np.zeros((0, 2))).shape == (0,)


def test_a_field_without_waves_is_its_constant():
    field = random_field(2, 5, 1, 1).take([])
    assert field([0.0, 9.0]).tolist() == [float(field.bias)] * 2


def test_autograd_flows_through_a_field_that_asks_for_it():
    field = random_field(4, 3, 2, 2, gaussian=False)
    points = torch.zeros(4, 2, dtype=torch.float64, requires_grad=True)
    values = evaluate(field, points)
    values.sum().backward()
    assert torch.isfinite(points.grad).all()
    assert values.detach().numpy() == pytest.approx(evaluate(field, points.detach()).numpy(), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(dimension=st.sampled_from([1, 4, 6]), waves=st.integers(0, 80), count=st.integers(1, 200), seed=SEEDS)
def test_original_models_are_evaluated_by_the_formula(dimension, waves, count, seed):
    model = QuasimotoEnsemble(waves, dimension, seed=seed) if waves else QuasimotoWave(dimension, seed=seed)
    points = np.random.default_rng(seed).normal(size=(count, model.dimension))
    expected = original_reference(model.double(), torch.from_numpy(points)).detach().numpy()
    assert evaluate(model, points) == pytest.approx(expected, abs=1e-12 * (1 + waves))
    assert evaluate(model, points, block=7) == pytest.approx(expected, abs=1e-12 * (1 + waves))


@settings(max_examples=30, deadline=None)
@given(shape=SHAPES.filter(lambda s: s[0] <= 3), waves=st.integers(0, 20), diagonal=st.booleans(), seed=SEEDS)
def test_a_grid_has_the_values_of_its_points(shape, waves, diagonal, seed):
    field = random_field(seed, waves or 1, *shape, diagonal=diagonal and shape[0] == shape[1])
    field = field.take(range(waves))
    axes = [np.linspace(-3, 3, 4 + 3 * j) for j in range(shape[0])]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, shape[0])
    grid = evaluate_grid(field, axes)
    assert grid.shape == tuple(len(axis) for axis in axes)
    assert np.abs(grid.ravel() - evaluate(field, points)).max() <= 1e-12 * (amplitude_sum(field) + 1)


def test_grids_of_separable_fields_are_recognised():
    assert separable(random_field(0, 3, 2, 2, diagonal=True))
    assert not separable(random_field(0, 3, 2, 2))
    assert not separable(random_field(0, 3, 2, 2, diagonal=True, gaussian=False))
    assert not separable(random_field(0, 3, 2, 1))


def test_a_grid_of_an_original_model():
    model = QuasimotoEnsemble(3, seed=0)
    grid = evaluate_grid(model, [np.linspace(-1, 1, 5), [0.0, 1.0]])
    assert grid.shape == (5, 2)
    assert grid[2, 1] == pytest.approx(evaluate(model, [[0.0, 1.0]])[0])


def test_cost_counts_points_times_waves():
    assert cost(random_field(0, 7, 1, 1), 100) == 700
    assert cost(QuasimotoWave(), 100) == 100


@pytest.mark.parametrize(("points", "words"), [
    (["a", "b"], "numbers"), ("0.5", "numbers"), ([None], "numbers"), ([1 + 2j], "numbers"), ([True], "numbers"),
    ([0.0, float("nan")], "Point 1 is not a finite number"), ([float("inf")], "Point 0 is not"),
    ([[0.0, 1.0]], r"shape \[1, 2\]"), ([[[0.0]]], "shape"), ([[0.0], [1.0, 2.0]], "different lengths"),
    (torch.tensor([True]), "real numbers"), (torch.tensor([1j]), "real numbers"), ({"x": 1}, "numbers"),
])
def test_points_that_cannot_be_used_are_refused(points, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        evaluate(random_field(0, 2, 1, 1), points)
    assert caught.value.field == "points"


def test_several_dimensions_need_that_many_columns():
    with pytest.raises(InvalidInput, match=r"\[N, 3\]"):
        evaluate(random_field(0, 2, 3, 3), [0.0, 1.0])
    with pytest.raises(InvalidInput, match=r"\[N, 2\]"):
        evaluate(QuasimotoWave(), [0.0, 1.0])
    with pytest.raises(InvalidInput, match="2 axes"):
        evaluate_grid(random_field(0, 2, 3, 3), [[0.0], [1.0]])
    with pytest.raises(InvalidInput, match="Axis 1"):
        evaluate_grid(random_field(0, 2, 2, 2), [[0.0], [float("nan")]])
    with pytest.raises(InvalidInput, match="at least one"):
        evaluate(random_field(0, 2, 1, 1), [0.0], block=0)
