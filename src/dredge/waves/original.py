"""The original Quasimoto models as torch modules, kept exactly:

    ψ(x, t) = A cos(k·x − ω t) · exp(−½ |x − v t|² / σ²) · sin(φ + ε cos(λ·x)),    σ = exp(log_sigma)

A wave in s space coordinates has the parameters A, k [s], omega, v [s], log_sigma, phi, epsilon, lmbda [s]: 8 numbers for
s = 1, where k, v and lmbda are single numbers, 14 for s = 3 and 20 for s = 5. An ensemble is a linear head over n waves.
State dicts of the original project load as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dredge.errors import InvalidInput
from dredge.waves.field import AxisLabel
from dredge.waves.modulated import ModulatedWaves, in_blocks, plain

NAMES = ("A", "k", "omega", "v", "log_sigma", "phi", "epsilon", "lmbda")
VECTORS = ("k", "v", "lmbda")
SPACE = {1: 1, 4: 3, 6: 5}  # space coordinates by the dimension in the model's name
LETTERS = {1: ("",), 3: ("x", "y", "z"), 5: ("1", "2", "3", "4", "5")}
COORDINATES = {1: ("x", "t"), 3: ("x", "y", "z", "t"), 5: ("x1", "x2", "x3", "x4", "x5", "t")}


class _Original(nn.Module):
    """What a single wave and an ensemble share. Coordinates are given as forward(x…, t), tensors that broadcast."""

    kind: str
    A: Tensor
    k: Tensor
    omega: Tensor
    v: Tensor
    log_sigma: Tensor
    phi: Tensor
    epsilon: Tensor
    lmbda: Tensor

    def __init__(self, dimension: int, rows: tuple[int, ...], seed: int | None) -> None:
        super().__init__()
        if dimension not in SPACE:
            raise InvalidInput(f"There is no Quasimoto wave in {dimension} dimensions.", field="dimension",
                               hint="Choose 1, 4 or 6.")
        self.space = SPACE[dimension]
        self.axes: tuple[AxisLabel, ...] = tuple(AxisLabel(name) for name in COORDINATES[self.space])
        self.unit = "1"
        generator = _generator(seed)
        vector = rows if self.space == 1 else (*rows, self.space)
        for name in NAMES:
            if name in ("k", "omega", "v", "lmbda"):
                value = torch.randn(vector if name in VECTORS else rows, generator=generator)
            else:
                value = torch.full(rows, {"A": 1.0, "epsilon": 0.1}.get(name, 0.0))
            self.register_parameter(name, nn.Parameter(value))
        self.register_load_state_dict_pre_hook(_accept_original_names)  # type: ignore[no-untyped-call]

    @property
    def dimension(self) -> int:
        """Number of coordinate columns: the space coordinates and t."""
        return self.space + 1

    @property
    def numbers(self) -> int:
        """How many stored numbers the model takes."""
        return sum(p.numel() for p in self.parameters())

    def waves_in_rows(self) -> ModulatedWaves:
        """All parameters with one row a wave."""
        raise NotImplementedError

    def at(self, points: Tensor, *, block: int | None = None) -> Tensor:
        """Values [N] at points [N, s + 1] with columns x…, t; differentiable where gradients are asked for.

        Half-precision points are computed in float32, since phases need its digits.
        """
        working = points if points.dtype in (torch.float32, torch.float64) else points.to(torch.float32)
        waves = self.waves_in_rows().to(working)
        if torch.is_grad_enabled() and (points.requires_grad or any(p.requires_grad for p in self.parameters())):
            values = plain(waves, working) @ waves.weight + waves.bias
        else:
            values = in_blocks(waves, working, block)
        return values.to(points.dtype)

    def _at_coordinates(self, coordinates: tuple[Any, ...]) -> Tensor:
        if len(coordinates) != self.dimension:
            raise InvalidInput(f"{self.kind} takes {self.dimension} coordinates, "
                               f"{', '.join(a.name for a in self.axes)}; {len(coordinates)} were given.", field="points")
        like = self.A
        tensors = [torch.as_tensor(c, device=like.device) for c in coordinates]
        shape = np.broadcast_shapes(*(tuple(t.shape) for t in tensors))
        points = torch.stack([t.expand(shape).reshape(-1) for t in tensors], 1)
        points = points if points.is_floating_point() else points.to(like.dtype)
        return self.at(points).reshape(shape)


class QuasimotoWave(_Original):
    """One original wave: dimension 1 (coordinates x, t), 4 (x, y, z, t) or 6 (x1 … x5, t).

    Begins as the original does, A = 1, epsilon = 0.1, log_sigma = phi = 0, the rest normal; `seed` repeats the draw.
    """

    def __init__(self, dimension: int = 1, *, seed: int | None = None) -> None:
        super().__init__(dimension, (), seed)
        self.kind = f"quasimoto_{dimension}d"

    def forward(self, *coordinates: Any) -> Tensor:
        """Values at the coordinates, in their common shape."""
        return self._at_coordinates(coordinates)

    def waves_in_rows(self) -> ModulatedWaves:
        row = {name: getattr(self, name).reshape((1, self.space) if name in VECTORS else (1,)) for name in NAMES}
        return ModulatedWaves(**row, weight=torch.ones_like(row["A"]), bias=torch.zeros_like(row["A"][0]))

    def __len__(self) -> int:
        return 1


class QuasimotoEnsemble(_Original):
    """A linear head over n original waves: Σ head.weight·ψ + head.bias. In one dimension 9 n + 1 numbers.

    Parameters are kept with one row a wave, A [n], k [n] or [n, s], …, so that one broadcast evaluates them all.
    """

    kind = "quasimoto_ensemble"

    def __init__(self, n: int = 16, dimension: int = 1, *, seed: int | None = None) -> None:
        if n < 1:
            raise InvalidInput("An ensemble has at least one wave.", field="waves")
        super().__init__(dimension, (n,), seed)
        self.head = nn.Linear(n, 1)
        if seed is not None:
            generator = _generator(seed + 1)
            with torch.no_grad():
                for p in self.head.parameters():
                    p.uniform_(-(n**-0.5), n**-0.5, generator=generator)

    def forward(self, *coordinates: Any) -> Tensor:
        """Values at the coordinates, in their common shape with a last axis of size 1, the head's one output."""
        return self._at_coordinates(coordinates).unsqueeze(-1)

    def waves_in_rows(self) -> ModulatedWaves:
        rows = {name: getattr(self, name).reshape((-1, self.space) if name in VECTORS else (-1,)) for name in NAMES}
        return ModulatedWaves(**rows, weight=self.head.weight[0], bias=self.head.bias[0])

    def __len__(self) -> int:
        return self.A.shape[0]


def from_original_state(state: Mapping[str, Tensor]) -> QuasimotoWave | QuasimotoEnsemble:
    """The model that a state dict of the original project belongs to, with its dtype.

    Raises InvalidInput when it belongs to none, or when a number is not finite.
    """
    single = "head.weight" not in state
    prefix = "" if single else "waves.0."
    dimension = next((d for d, name in ((1, "lmbda"), (4, "lmbda_x"), (6, "lmbda_1"), (6, "lmbda1"))
                      if prefix + name in state), None)
    if dimension is None:
        raise InvalidInput("This is not the state of a Quasimoto wave or ensemble.", field="state")
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise InvalidInput(f"{name} is not finite.", field="state")
    model = QuasimotoWave(dimension) if single else QuasimotoEnsemble(state["head.weight"].numel(), dimension)
    model.to(next(iter(state.values())).dtype)
    try:
        model.load_state_dict(dict(state))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise InvalidInput(f"The state does not fit a {model.kind}: {reason}", field="state") from None
    return model


def to_original_state(model: QuasimotoWave | QuasimotoEnsemble) -> dict[str, Tensor]:
    """A state dict that the modules of the original project load."""
    own = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    if isinstance(model, QuasimotoWave):
        return _split(own, model.space)
    out: dict[str, Tensor] = {}
    for i in range(len(model)):
        row = _split({name: own[name][i] for name in NAMES}, model.space)
        out.update({f"waves.{i}.{name}": tensor for name, tensor in row.items()})
    return out | {"head.weight": own["head.weight"], "head.bias": own["head.bias"]}


def _original_name(name: str, i: int, space: int) -> str:
    """What the original calls component i of a vector: kx, v2, lmbda_3; in one dimension the name itself."""
    joint = "_" if name == "lmbda" and space > 1 else ""
    return f"{name}{joint}{LETTERS[space][i]}"


def _split(row: dict[str, Tensor], space: int) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {}
    for name, tensor in row.items():
        if name in VECTORS:
            for i, component in enumerate(tensor.reshape(space)):
                out[_original_name(name, i, space)] = component
        else:
            out[name] = tensor
    return out


def _accept_original_names(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Before loading: join split vectors, and the waves of an ensemble into rows, where the original's names are found."""
    assert isinstance(module, _Original)
    if isinstance(module, QuasimotoWave):
        _join(state, prefix, module.space)
        return
    bases = [f"{prefix}waves.{i}." for i in range(len(module.A))]
    if not any(key.startswith(f"{prefix}waves.") for key in state):
        return
    for base in bases:
        _join(state, base, module.space)
    for name in NAMES:
        if all(base + name in state for base in bases):
            state[prefix + name] = torch.stack([torch.as_tensor(state.pop(base + name)) for base in bases])


def _join(state: dict[str, Any], prefix: str, space: int) -> None:
    if space == 1:
        return
    for name in VECTORS:
        keys = [prefix + _original_name(name, i, space) for i in range(space)]
        if not all(key in state for key in keys):
            keys = [prefix + name + letter for letter in LETTERS[space]]  # lmbda1 as well as lmbda_1
        if all(key in state for key in keys):
            state[prefix + name] = torch.stack([torch.as_tensor(state.pop(key)).reshape(()) for key in keys])


def _generator(seed: int | None) -> torch.Generator | None:
    return None if seed is None else torch.Generator().manual_seed(seed)
