"""The formulas as they are written, slow and readable, and random models to try them on."""

import math

import numpy as np
import torch
from torch import Tensor

from dredge.waves import AxisLabel, QuasimotoEnsemble, QuasimotoWave, WaveField

GROUPS = ("centre", "shape", "wavenumber", "chirp", "cosine", "sine", "edge", "bias")


def field_reference(field: WaveField, x: Tensor) -> Tensor:
    """field(x) [N], one wave after the other; |L u|^p through a root that has a gradient at 0."""
    values = field.bias.expand(len(x))
    for i in range(len(field)):
        u = x - field.centre[i]
        square = (u @ field.shape[i].T).square().sum(1)
        power = torch.where(square > 0, torch.where(square > 0, square, 1.0) ** (field.edge[i] / 2), square)
        phase = u @ field.wavenumber[i] + 0.5 * ((u @ field.chirp[i]) * u).sum(1)
        values = values + torch.exp(-0.5 * power) * (
            field.cosine[i] * torch.cos(phase) + field.sine[i] * torch.sin(phase))
    return values


def original_reference(model: QuasimotoWave | QuasimotoEnsemble, points: Tensor) -> Tensor:
    """ψ(x, t), or the head's sum of it, [N], one wave after the other; columns are x…, t."""
    if isinstance(model, QuasimotoWave):
        return _psi(dict(model.named_parameters()), points)
    names = [name for name, _ in model.named_parameters() if not name.startswith("head")]
    waves = [_psi({name: getattr(model, name)[i] for name in names}, points) for i in range(len(model))]
    return model.head(torch.stack(waves, 1))[:, 0]


def _psi(p: dict[str, Tensor], points: Tensor) -> Tensor:
    x, t = points[:, :-1], points[:, -1]
    k, v, lmbda = (p[name].reshape(-1) for name in ("k", "v", "lmbda"))
    offset = x - v * t[:, None]
    return (p["A"] * torch.cos(x @ k - p["omega"] * t)
            * torch.exp(-0.5 * (offset**2).sum(1) / torch.exp(p["log_sigma"]) ** 2)
            * torch.sin(p["phi"] + p["epsilon"] * torch.cos(x @ lmbda)))


def random_field(seed: int, waves: int, d: int, m: int, *, gaussian: bool = True, diagonal: bool = False) -> WaveField:
    """A field in float64 whose waves overlap around the origin."""
    draw = np.random.default_rng(seed)
    shape, chirp = draw.normal(size=(waves, m, d)), draw.normal(size=(waves, d, d))
    chirp = chirp + chirp.transpose(0, 2, 1)
    if diagonal:
        shape, chirp = shape * np.eye(d), chirp * np.eye(d)
    edge = np.full(waves, 2.0) if gaussian else np.where(draw.random(waves) < 0.3, 2.0, draw.uniform(1.2, 5, waves))
    values = (draw.normal(size=(waves, d)), shape, 3 * draw.normal(size=(waves, d)), chirp, draw.normal(size=waves),
              draw.normal(size=waves), edge, draw.normal(), np.tile([-3.0, 3.0], (d, 1)))
    return WaveField(*(torch.from_numpy(np.asarray(v)) for v in values),
                     axes=tuple(AxisLabel(f"axis {i}", "m") for i in range(d)))


def amplitude_sum(field: WaveField) -> float:
    """What an error is measured against: the sum of the amplitudes."""
    return math.fsum(wave.amplitude for wave in field)
