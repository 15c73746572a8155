"""The original project's `{"operation", "params"}` body."""

import httpx
import numpy as np
import pytest

from dredge.service import Service
from dredge.waves import QuasimotoEnsemble, QuasimotoWave, evaluate


@pytest.fixture(scope="module")
def wave(server):
    """A loaded 1-D wave: its model_id."""
    _, answer = server.original("load_model", model_type="quasimoto_1d", config={"seed": 3})
    return answer["model_id"]


def test_capabilities_name_the_four_models_and_their_parameters(server):
    status, answer = server.original("list_capabilities")
    assert status == 200
    models = answer["capabilities"]["models"]
    assert "(8 parameters)" in models["quasimoto_1d"]
    assert "(14 parameters)" in models["quasimoto_4d"]
    assert "(20 parameters)" in models["quasimoto_6d"]
    assert "quasimoto_ensemble" in models
    assert {"load_model", "inference", "get_parameters", "benchmark"} <= set(answer["capabilities"]["operations"])


@pytest.mark.parametrize(
    ("model_type", "config", "parameters"),
    [
        ("quasimoto_1d", {}, 8),
        ("quasimoto_4d", {}, 14),
        ("quasimoto_6d", {}, 20),
        ("quasimoto_ensemble", {"n_waves": 5}, 46),
    ],
)
def test_every_type_loads(server, model_type, config, parameters):
    status, answer = server.original("load_model", model_type=model_type, config=config)
    assert status == 200
    assert answer == {
        "success": True,
        "model_id": answer["model_id"],
        "model_type": model_type,
        "n_parameters": parameters,
        "config": config,
    }


def test_values_are_those_of_the_formula(server, wave):
    x, t = np.linspace(-2, 2, 9), 0.3
    status, answer = server.original("inference", model_id=wave, inputs={"x": x.tolist(), "t": [t]})
    assert status == 200

    _, told = server.original("get_parameters", model_id=wave)
    p = {name: one["value"] for name, one in told["parameters"].items()}
    sigma = np.exp(p["log_sigma"])
    expected = (
        p["A"]
        * np.cos(p["k"] * x - p["omega"] * t)
        * np.exp(-0.5 * ((x - p["v"] * t) / sigma) ** 2)
        * np.sin(p["phi"] + p["epsilon"] * np.cos(p["lmbda"] * x))
    )
    assert answer["output"] == pytest.approx(expected, abs=1e-9)


def test_more_dimensions_and_what_is_left_out_is_zero(server):
    _, loaded = server.original("load_model", model_type="quasimoto_4d", config={"seed": 1})
    _, answer = server.original("inference", model_id=loaded["model_id"], inputs={"x": [0.1, 0.2], "z": [0.5], "t": [1, 2]})
    expected = evaluate(QuasimotoWave(4, seed=1), [[0.1, 0, 0.5, 1], [0.2, 0, 0.5, 2]])
    assert answer["output"] == pytest.approx(expected, abs=1e-12)


def test_an_ensemble_keeps_the_shape_of_the_original(server):
    _, loaded = server.original("load_model", model_type="quasimoto_ensemble", config={"n_waves": 3, "seed": 2})
    _, answer = server.original("inference", model_id=loaded["model_id"], inputs={"x": [0.0, 0.5], "t": [0.0]})
    expected = evaluate(QuasimotoEnsemble(3, seed=2), [[0, 0], [0.5, 0]])
    assert np.asarray(answer["output"]) == pytest.approx(expected[:, None], abs=1e-12)
    _, told = server.original("get_parameters", model_id=loaded["model_id"])
    assert {"waves.0.A", "waves.2.lmbda", "head.weight", "head.bias"} <= set(told["parameters"])


def test_parameters_have_value_shape_and_gradient(server, wave):
    status, answer = server.original("get_parameters", model_id=wave)
    assert status == 200
    assert answer["n_parameters"] == 8
    assert set(answer["parameters"]) == {"A", "k", "omega", "v", "log_sigma", "phi", "epsilon", "lmbda"}
    assert answer["parameters"]["A"] == {"value": 1.0, "shape": [], "requires_grad": True}


def test_fitted_waves_answer_here_too(server, heart):
    times = np.linspace(0.05, 2.7, 57)
    expected = server.service.evaluate("heart", times)
    for letter in ("t", "x", "time"):
        status, answer = server.original("inference", model_id="heart", inputs={letter: times.tolist()})
        assert status == 200
        assert answer["output"] == pytest.approx(expected, abs=1e-12, rel=0)
    _, told = server.original("get_parameters", model_id="heart")
    assert told["n_parameters"] == 73
    assert told["parameters"]["centre"]["shape"] == [12, 1]


def test_another_replica_knows_a_loaded_model(server, listen, wave):
    with listen(server.service.settings) as other:
        assert isinstance(other.service, Service) and other.service is not server.service
        inputs = {"x": [0.1, 0.2], "t": [0.0]}
        assert other.original("inference", model_id=wave, inputs=inputs) == server.original(
            "inference", model_id=wave, inputs=inputs
        )


def test_a_benchmark_learns(server):
    status, answer = server.original(
        "benchmark", model_type="quasimoto_ensemble", config={"epochs": 40, "n_waves": 4, "seed": 0}
    )
    assert status == 200
    assert answer["epochs"] == 40
    assert len(answer["losses"]) == 10
    assert answer["losses"][0] == answer["initial_loss"]
    assert answer["final_loss"] < answer["initial_loss"]


def test_metrics_and_cache_are_told(server, heart):
    server.original("inference", model_id="heart", inputs={"t": [1.0]})
    status, answer = server.original("get_metrics")
    assert status == 200
    assert answer["success"] is True
    assert any(name.startswith("dredge_points_evaluated") for name in answer["metrics"])
    status, answer = server.original("get_cache_stats")
    assert status == 200
    assert {"hits", "misses", "hit_rate"} <= set(answer["cache_stats"])


@pytest.mark.parametrize(
    ("operation", "params", "status", "named"),
    [
        ("make_coffee", {}, 400, "make_coffee"),
        ("load_model", {"model_type": "string_theory"}, 422, "string_theory"),
        ("load_model", {}, 422, "model type"),
        ("load_model", {"model_type": "quasimoto_ensemble", "config": {"n_waves": 10**9}}, 422, "n_waves"),
        ("load_model", {"model_type": "quasimoto_ensemble", "config": {"n_waves": 0}}, 422, "n_waves"),
        ("load_model", {"model_type": "quasimoto_1d", "config": {"seed": "x"}}, 422, "seed"),
        ("load_model", {"model_type": "quasimoto_1d", "config": [1]}, 422, "config"),
        ("inference", {"model_id": "nobody", "inputs": {"x": [1]}}, 404, "nobody"),
        ("inference", {"inputs": {"x": [1]}}, 422, "model_id"),
        ("inference", {"model_id": "heart", "inputs": {"q": [1]}}, 422, "time"),
        ("inference", {"model_id": "heart", "inputs": {"t": ["soon"]}}, 422, "t "),
        ("inference", {"model_id": "heart", "inputs": {"t": None}}, 422, "t "),
        ("inference", {"model_id": "heart"}, 422, "time"),
        ("inference", {"model_id": "heart", "inputs": 5}, 422, "inputs"),
        ("get_parameters", {"model_id": "nobody"}, 404, "nobody"),
        ("get_parameters", {"model_id": "../../etc"}, 422, "name"),
        ("benchmark", {"model_type": "quasimoto_6d"}, 422, "quasimoto_6d"),
        ("benchmark", {"model_type": "quasimoto_1d", "config": {"epochs": 0}}, 422, "epochs"),
        ("benchmark", {"model_type": "quasimoto_1d", "config": {"epochs": 10**9}}, 422, "epochs"),
        (
            "benchmark",
            {"model_type": "quasimoto_ensemble", "config": {"epochs": 5000, "n_waves": 256}},
            413,
            "epochs",
        ),
    ],
)
def test_what_goes_wrong_has_a_status_and_a_sentence(server, heart, operation, params, status, named):
    got, answer = server.original(operation, **params)
    assert (got, answer["success"]) == (status, False), answer
    assert named in answer["error"]
    assert "Traceback" not in answer["error"]


def test_shapes_that_do_not_fit_are_named(server, wave):
    status, answer = server.original("inference", model_id=wave, inputs={"x": [1, 2, 3], "t": [1, 2]})
    assert status == 422
    assert "x [3], t [2]" in answer["error"]


def test_shapes_that_grow_beyond_measure_are_refused_before_they_take_memory(server, wave):
    column = [[float(i)] for i in range(3_000)]
    status, answer = server.original("inference", model_id=wave, inputs={"x": column, "t": [float(i) for i in range(3_000)]})
    assert status == 413
    assert "9,000,000" in answer["error"]


@pytest.mark.parametrize("params", ["text", [1, 2], 5])
def test_params_that_are_no_object(server, params):
    response = httpx.post(f"{server.url}/mcp", json={"operation": "load_model", "params": params})
    assert response.status_code == 422
    assert response.json()["success"] is False


def test_a_body_that_is_too_large_is_refused(server):
    response = httpx.post(
        f"{server.url}/mcp",
        content=b'{"operation": "inference", "x": "' + b"x" * (17 * 2**20) + b'"}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 413
