"""The original Quasimoto models: their numbers, their names, their beginnings, and that they train."""

import pytest
import torch
from reference_waves import original_reference

from dredge.errors import InvalidInput
from dredge.waves import QuasimotoEnsemble, QuasimotoWave, from_original_state, to_original_state

NAMES = {
    1: ["A", "k", "omega", "v", "log_sigma", "phi", "epsilon", "lmbda"],
    4: ["A", "kx", "ky", "kz", "omega", "vx", "vy", "vz", "log_sigma", "phi", "epsilon", "lmbda_x", "lmbda_y", "lmbda_z"],
    6: ["A", *(f"k{i}" for i in range(1, 6)), "omega", *(f"v{i}" for i in range(1, 6)), "log_sigma", "phi", "epsilon",
        *(f"lmbda_{i}" for i in range(1, 6))],
}


@pytest.mark.parametrize(("dimension", "numbers"), [(1, 8), (4, 14), (6, 20)])
def test_a_wave_has_the_numbers_and_coordinates_of_the_original(dimension, numbers):
    wave = QuasimotoWave(dimension)
    assert wave.numbers == numbers
    assert wave.kind == f"quasimoto_{dimension}d"
    assert wave.dimension == len(wave.axes) == {1: 2, 4: 4, 6: 6}[dimension]
    assert wave.axes[-1].name == "t"
    assert len(wave) == 1
    assert [name for name, _ in wave.named_parameters()] == NAMES[1]


def test_an_ensemble_of_eight_has_73_numbers():
    ensemble = QuasimotoEnsemble(8)
    assert ensemble.numbers == 73
    assert ensemble.kind == "quasimoto_ensemble"
    assert len(ensemble) == 8


def test_models_begin_as_the_original_does_and_a_seed_repeats_them():
    first, second, other = QuasimotoEnsemble(5, seed=3), QuasimotoEnsemble(5, seed=3), QuasimotoEnsemble(5, seed=4)
    assert first.A.tolist() == [1.0] * 5
    assert first.epsilon.tolist() == pytest.approx([0.1] * 5)
    assert first.phi.tolist() == first.log_sigma.tolist() == [0.0] * 5
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.k, other.k)


@pytest.mark.parametrize("dimension", [1, 4, 6])
@pytest.mark.parametrize("waves", [0, 3])
def test_state_dicts_of_the_original_load_with_the_same_values(dimension, waves):
    generator = torch.Generator().manual_seed(dimension)

    def numbers():
        return {name: torch.randn((), generator=generator) for name in NAMES[dimension]}

    state = numbers() if not waves else {
        **{f"waves.{i}.{name}": value for i in range(waves) for name, value in numbers().items()},
        "head.weight": torch.randn(1, waves, generator=generator), "head.bias": torch.randn(1, generator=generator)}
    model = from_original_state(state)
    assert to_original_state(model).keys() == state.keys()
    assert all(torch.equal(to_original_state(model)[name], value) for name, value in state.items())

    fresh = QuasimotoEnsemble(waves, dimension) if waves else QuasimotoWave(dimension)
    fresh.load_state_dict(state)
    points = torch.randn(20, model.dimension, generator=generator)
    values = fresh(*points.T)
    assert values.shape == ((20, 1) if waves else (20,))  # the head keeps its one output as an axis
    assert torch.allclose(values.reshape(-1), original_reference(model, points), atol=1e-5)


def test_the_other_spelling_of_the_modulation_loads_too():
    state = to_original_state(QuasimotoWave(6, seed=2))
    renamed = {name.replace("lmbda_", "lmbda"): value for name, value in state.items()}
    assert torch.equal(from_original_state(renamed).lmbda, torch.stack([state[f"lmbda_{i}"] for i in range(1, 6)]))


def test_own_state_dicts_load_as_well():
    model = QuasimotoEnsemble(4, 4, seed=1)
    again = QuasimotoEnsemble(4, 4)
    again.load_state_dict(model.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_an_ensemble_trains_by_autograd_and_is_evaluated_alike_with_and_without_gradients():
    x = torch.linspace(-5, 5, 200)
    target = torch.exp(-0.1 * x**2) * torch.sin(0.5 * x**2)
    model = QuasimotoEnsemble(8, seed=0)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    errors = []
    for _ in range(60):
        optimiser.zero_grad()
        error = (model(x, torch.zeros_like(x))[:, 0] - target).square().mean()
        error.backward()
        optimiser.step()
        errors.append(error.item())
    assert errors[-1] < 0.7 * errors[0]
    with torch.no_grad():
        quiet = model(x, torch.tensor(0.0))
    assert torch.allclose(quiet, model(x, 0.0), atol=1e-5)


def test_coordinates_broadcast_to_a_common_shape():
    wave = QuasimotoWave(seed=0)
    assert wave(torch.zeros(3, 1), torch.zeros(4)).shape == (3, 4)
    with pytest.raises(InvalidInput, match="takes 2 coordinates, x, t; 1 were given"):
        wave(torch.zeros(3))


def test_what_is_no_original_state_is_refused():
    state = to_original_state(QuasimotoWave(4))
    for broken in ({}, {"weight": torch.zeros(3)}, {name: state[name] for name in list(state)[1:]},
                   state | {"extra": torch.zeros(())}, state | {"kx": torch.zeros(7)},
                   state | {"phi": torch.tensor(float("nan"))}):
        with pytest.raises(InvalidInput) as caught:
            from_original_state(broken)
        assert caught.value.field == "state"
    with pytest.raises(InvalidInput, match="in 3 dimensions"):
        QuasimotoWave(3)
    with pytest.raises(InvalidInput, match="at least one wave"):
        QuasimotoEnsemble(0)
