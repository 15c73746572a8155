"""The body of the original project, `{"operation": …, "params": {…}}`, answered in its own shapes.

A loaded model is kept in the store under its `model_id`, so that every replica knows it, also after a
restart; and `model_id` may name any stored model, so that fitted waves answer here too. Unlike the
original, a failure has a status that says so.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dredge._version import __version__
from dredge.access import Caller, Scope
from dredge.errors import DredgeError, InvalidInput, TooLarge
from dredge.mcp.errors import sentence, status_of
from dredge.service import Service
from dredge.telemetry import metrics
from dredge.waves import QuasimotoEnsemble, QuasimotoWave, WaveField, to_original_state

Answer = dict[str, Any]
Params = dict[str, Any]

DIMENSIONS = {"quasimoto_1d": 1, "quasimoto_4d": 4, "quasimoto_6d": 6}
ENSEMBLE = "quasimoto_ensemble"
MODEL_TYPES = (*DIMENSIONS, ENSEMBLE)
MOST_WAVES = 256
MOST_EPOCHS = 5_000
MOST_TRAINING = 50_000_000  # epochs × waves × samples
MOST_VALUES = 1_000_000
WRITES = {"load_model"}

WAVEFIELD_PARAMETERS = ("centre", "shape", "wavenumber", "chirp", "cosine", "sine", "edge", "bias")


class Original:
    """Answers the original project's operations from the store."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.operations: dict[str, Callable[[Params], Answer]] = {
            "list_capabilities": lambda _: self.list_capabilities(),
            "load_model": self.load_model,
            "inference": self.inference,
            "get_parameters": self.get_parameters,
            "benchmark": self.benchmark,
            "get_metrics": lambda _: self.get_metrics(),
            "get_cache_stats": lambda _: self.get_cache_stats(),
        }

    def scope(self, operation: str) -> Scope:
        """The scope that an operation needs."""
        return "write" if operation in WRITES else "read"

    def answer(self, body: dict[str, Any], caller: Caller) -> tuple[int, Answer]:
        """Status and answer for a body. Never raises."""
        operation = str(body.get("operation"))
        handler = self.operations.get(operation)
        if handler is None:
            return 400, {
                "success": False,
                "error": f"Unknown operation: {operation[:80]}. There are {', '.join(self.operations)}.",
                "field": "operation",
            }
        try:
            caller.require(self.scope(operation))
            return 200, handler(_mapping(body.get("params"), "params"))
        except Exception as error:
            told: Answer = {"success": False, "error": sentence(error, f"original {operation[:80]}")}
            if isinstance(error, DredgeError) and error.field:
                told["field"] = error.field
            return status_of(error), told

    def list_capabilities(self) -> Answer:
        """What this server offers, in the original's words."""
        return {
            "name": "DREDGE Quasimoto MCP Server",
            "version": __version__,
            "protocol": "Model Context Protocol",
            "capabilities": {"models": model_types(), "operations": list(self.operations)},
        }

    def load_model(self, params: Params) -> Answer:
        """Make a model as the original begins it, and keep it under a new model_id."""
        model_type, config = _model_type(params), _mapping(params.get("config"), "config")
        model = _make(model_type, config)
        record = self.service.import_model(f"{model_type}_{secrets.token_hex(4)}", model)
        return {
            "success": True,
            "model_id": record.name,
            "model_type": model_type,
            "n_parameters": record.numbers,
            "config": config,
        }

    def inference(self, params: Params) -> Answer:
        """Values of a stored model at coordinates that broadcast, as the original's did."""
        name = _model_id(params)
        record = self.service.model(name)
        model = self.service.load(name, record.version)
        inputs = _mapping(params.get("inputs"), "inputs")
        columns = _columns(inputs, [axis.name for axis in model.axes], model.kind)
        shape = np.broadcast_shapes(*(column.shape for column in columns))
        if math.prod(shape) > MOST_VALUES:
            raise TooLarge(
                f"{math.prod(shape):,} values are over the limit of {MOST_VALUES:,}.", field="inputs"
            )
        points = np.stack([np.broadcast_to(column, shape).reshape(-1) for column in columns], 1)
        values = np.asarray(self.service.evaluate(name, points, record.version)).reshape(shape)
        if model.kind == ENSEMBLE:
            values = values[..., None]  # the original's head gives a last axis of size 1
        return {"success": True, "model_id": name, "output": values.tolist()}

    def get_parameters(self, params: Params) -> Answer:
        """Every parameter of a stored model under the original's name for it."""
        name = _model_id(params)
        record = self.service.model(name)
        if record.numbers > MOST_VALUES:
            raise TooLarge(
                f"{record.numbers:,} parameters are over the limit of {MOST_VALUES:,}.", field="model_id"
            )
        model = self.service.load(name, record.version)
        tensors = (
            {key: getattr(model, key) for key in WAVEFIELD_PARAMETERS}
            if isinstance(model, WaveField)
            else to_original_state(model)
        )
        return {
            "success": True,
            "model_id": name,
            "model_type": record.kind,
            "n_parameters": record.numbers,
            "parameters": {
                key: {
                    "value": tensor.item() if tensor.numel() == 1 else tensor.tolist(),
                    "shape": list(tensor.shape),
                    "requires_grad": not isinstance(model, WaveField),
                }
                for key, tensor in tensors.items()
            },
        }

    def benchmark(self, params: Params) -> Answer:
        """Train a model on the glitchy chirp with Adam, and give the losses on the way."""
        model_type, config = _model_type(params), _mapping(params.get("config"), "config")
        if model_type not in ("quasimoto_1d", ENSEMBLE):
            raise InvalidInput(
                f"There is no benchmark for {model_type}.",
                field="model_type",
                hint="Choose quasimoto_1d or quasimoto_ensemble.",
            )
        epochs = _whole(config, "epochs", 100, MOST_EPOCHS)
        model = _make(model_type, config)
        x, t, y = glitchy_chirp()
        if epochs * len(model) * len(x) > MOST_TRAINING:
            raise TooLarge(
                f"{epochs} epochs of {len(model)} waves are too much for one request.",
                field="config",
                hint="Ask for fewer epochs or waves.",
            )
        losses = _train(model, x, t, y, epochs)
        return {
            "success": True,
            "model_type": model_type,
            "epochs": epochs,
            "initial_loss": losses[0],
            "final_loss": losses[-1],
            "losses": losses[:: max(1, epochs // 10)],
        }

    def get_metrics(self) -> Answer:
        """Every metric of this process by name."""
        return {"success": True, "metrics": counted()}

    def get_cache_stats(self) -> Answer:
        """Hits and misses of the caches of this process."""
        values = counted()
        hits, misses = (
            sum(value for name, value in values.items() if name.startswith(f"dredge_cache_{kind}_total"))
            for kind in ("hits", "misses")
        )
        asked = hits + misses
        return {
            "success": True,
            "cache_stats": {
                "enabled": self.service.settings.cache_enabled,
                "hits": hits,
                "misses": misses,
                "hit_rate": hits / asked if asked else 0.0,
                "models_ready": values.get("dredge_models_ready", 0.0),
            },
        }


def counted() -> dict[str, float]:
    """Every counter and gauge of this process, with its labels as Prometheus writes them."""
    values = {}
    for family in metrics.REGISTRY.collect():
        for sample in family.samples:
            if not sample.name.endswith(("_bucket", "_created")):
                labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
                values[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return values


def model_types() -> dict[str, str]:
    """The original model types, with how many parameters they have."""
    words = {
        "quasimoto_1d": "1D wave function",
        "quasimoto_4d": "4D spatiotemporal wave function",
        "quasimoto_6d": "6D high-dimensional wave function",
    }
    told = {
        name: f"{words[name]} ({QuasimotoWave(dimension).numbers} parameters)"
        for name, dimension in DIMENSIONS.items()
    }
    return told | {
        ENSEMBLE: f"Ensemble of wave functions ({QuasimotoEnsemble(16).numbers} parameters for 16 waves)"
    }


def glitchy_chirp() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The original benchmark's signal: x, t (zeros) and y [1000]; samples 500 to 549 hold the glitch."""
    x = torch.linspace(-10, 10, 1000)
    y = torch.sin(0.5 * x**2) * torch.exp(-0.1 * x**2)
    y[500:550] += 0.5 * torch.sin(20 * x[500:550])
    return x, torch.zeros_like(x), y


def _train(
    model: torch.nn.Module, x: torch.Tensor, t: torch.Tensor, y: torch.Tensor, epochs: int
) -> list[float | None]:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x, t).reshape(-1), y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return [loss if math.isfinite(loss) else None for loss in losses]


def _make(model_type: str, config: dict[str, Any]) -> QuasimotoWave | QuasimotoEnsemble:
    if unknown := set(config) - {"n_waves", "seed", "epochs"}:
        raise InvalidInput(
            f"There is no setting {min(unknown)!r}.", field="config", hint="There are n_waves and seed."
        )
    seed = _whole(config, "seed", None, 2**63 - 1, least=0)
    if model_type == ENSEMBLE:
        return QuasimotoEnsemble(_whole(config, "n_waves", 16, MOST_WAVES), seed=seed)
    return QuasimotoWave(DIMENSIONS[model_type], seed=seed)


def _columns(inputs: dict[str, Any], names: list[str], kind: str) -> list[npt.NDArray[np.float64]]:
    if kind == "wavefield" and len(names) == 1:
        accepted = {"t", "x", names[0]}  # the original's two letters, and the axis's own name
        if len(inputs) != 1 or not set(inputs) <= accepted:
            raise InvalidInput(
                f"This model takes one coordinate, {names[0]}.", field="inputs", hint='Write {"t": [...]}.'
            )
        return [_column(*next(iter(inputs.items())))]
    if unknown := set(inputs) - set(names):
        raise InvalidInput(
            f"There is no coordinate {min(unknown)!r}.",
            field="inputs",
            hint=f"This model takes {', '.join(names)}.",
        )
    if not inputs:
        raise InvalidInput(
            "No coordinates are given.", field="inputs", hint=f"This model takes {', '.join(names)}."
        )
    columns = [
        _column(name, inputs.get(name, [0.0])) for name in names
    ]  # the original takes 0 for what is left out
    try:
        np.broadcast_shapes(*(column.shape for column in columns))
    except ValueError:
        lengths = ", ".join(
            f"{name} {list(column.shape)}" for name, column in zip(names, columns, strict=True)
        )
        raise InvalidInput(
            f"The coordinates have shapes that do not fit together: {lengths}.", field="inputs"
        ) from None
    return columns


def _column(name: str, values: Any) -> npt.NDArray[np.float64]:
    field = f"inputs.{name}"
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        raise InvalidInput(f"{name} has rows of different lengths.", field=field) from None
    if array.size and array.dtype.kind not in "iuf":
        raise InvalidInput(f"{name} holds something that is not a number.", field=field)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InvalidInput(f"{name} holds a number that is not finite.", field=field)
    return array


def _mapping(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{field} is not an object.", field=field)
    return value


def _model_type(params: Params) -> str:
    model_type = params.get("model_type")
    if not isinstance(model_type, str) or model_type not in MODEL_TYPES:
        raise InvalidInput(
            f"Unknown model type: {str(model_type)[:80]}.",
            field="model_type",
            hint=f"There are {', '.join(MODEL_TYPES)}.",
        )
    return model_type


def _model_id(params: Params) -> str:
    name = params.get("model_id")
    if not isinstance(name, str):
        raise InvalidInput("model_id is missing.", field="model_id", hint="load_model gives one.")
    return name


def _whole(config: dict[str, Any], name: str, default: Any, most: int, *, least: int = 1) -> Any:
    value = config.get(name, default)
    if value is default:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInput(
            f"{name} is {str(value)[:40]}; it must be a whole number from {least} to {most}.", field=name
        )
    return value
