"""Derivatives by hand against torch autograd, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_waves import GROUPS, field_reference, original_reference, random_field
from torch import Tensor

from dredge.errors import InvalidInput
from dredge.waves import QuasimotoEnsemble, QuasimotoWave, gradients, original_gradients

SHAPES = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]


def assert_close(mine: Tensor, theirs: Tensor, scale: float) -> None:
    assert mine.shape == theirs.shape
    assert float((mine - theirs).abs().max() if mine.numel() else 0.0) <= 1e-9 * max(
        float(theirs.abs().max()) if theirs.numel() else 0.0, scale)


@settings(max_examples=60, deadline=None)
@given(shape=st.sampled_from(SHAPES), waves=st.integers(1, 9), count=st.integers(1, 40), gaussian=st.booleans(),
       on_centre=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_every_parameter_of_a_field_agrees_with_autograd(shape, waves, count, gaussian, on_centre, seed):
    d, m = shape
    field = random_field(seed, waves, d, m, gaussian=gaussian)
    draw = np.random.default_rng(seed)
    points = torch.from_numpy(draw.normal(size=(count, d)) * 2)
    if on_centre:
        points[0] = field.centre[0]
    weights = torch.from_numpy(draw.normal(size=count))
    leaves = {name: getattr(field, name).clone().requires_grad_() for name in GROUPS}
    x = points.clone().requires_grad_()

    (field_reference(replace(field, **leaves), x) @ weights).backward()

    mine = gradients(field, points, weights, block=17)
    scale = 1e-3 * float(sum(leaf.grad.abs().sum() for leaf in leaves.values()))
    for name, leaf in leaves.items():
        assert_close(getattr(mine, name), leaf.grad, scale)
    assert_close(mine.points, x.grad, scale)


@settings(max_examples=40, deadline=None)
@given(dimension=st.sampled_from([1, 4, 6]), waves=st.integers(0, 5), count=st.integers(1, 40),
       seed=st.integers(0, 2**32 - 1))
def test_every_parameter_of_an_original_model_agrees_with_autograd(dimension, waves, count, seed):
    model = QuasimotoEnsemble(waves, dimension, seed=seed) if waves else QuasimotoWave(dimension, seed=seed)
    model.double()
    draw = np.random.default_rng(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.from_numpy(np.asarray(draw.normal(size=tuple(p.shape)) * 0.5)))
    x = torch.from_numpy(draw.normal(size=(count, model.dimension))).requires_grad_()
    weights = torch.from_numpy(draw.normal(size=count))

    (original_reference(model, x) @ weights).backward()

    mine = original_gradients(model, x.detach(), weights, block=13)
    named = dict(model.named_parameters())
    assert mine.keys() == named.keys() | {"points"}
    scale = 1e-3 * float(sum(p.grad.abs().sum() for p in named.values()))
    for name, p in named.items():
        assert_close(mine[name], p.grad, scale)
    assert_close(mine["points"], x.grad, scale)


def test_points_and_weights_may_be_lists_and_float32_stays_float32():
    field = random_field(3, 4, 1, 1)
    from_lists = gradients(field, [0.1, 0.2], [1.0, -1.0])
    assert from_lists.centre.dtype == torch.float64
    narrow = gradients(field, torch.tensor([0.1, 0.2]), torch.tensor([1.0, -1.0]))
    assert narrow.centre.dtype == torch.float32
    assert torch.allclose(narrow.wavenumber.double(), from_lists.wavenumber, rtol=1e-4, atol=1e-5)


def test_weights_of_another_length_are_refused():
    with pytest.raises(InvalidInput, match="one a point") as caught:
        gradients(random_field(0, 2, 1, 1), [0.0, 1.0], [1.0])
    assert caught.value.field == "weights"
