"""The original Quasimoto formula for n waves at once, in s space coordinates x and time t:

    ψ(x, t) = A cos(k·x − ω t) · exp(−½ |x − v t|² / σ²) · sin(φ + ε cos(λ·x))

Every argument is a linear form of (x, t) without a constant, so one matrix product per block gives them all.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

EXPONENT_FLOOR = {torch.float32: -40.0, torch.float64: -600.0}  # reasons stand in evaluate.py
BLOCK_CPU = 1 << 16
BLOCK_GPU = 1 << 23
FEWEST_POINTS = 256


@dataclass(frozen=True)
class ModulatedWaves:
    """The parameters of n waves, each with its weight in the sum, and the constant of the sum."""

    A: Tensor  # [n]
    k: Tensor  # [n, s]
    omega: Tensor  # [n]
    v: Tensor  # [n, s]
    log_sigma: Tensor  # [n]
    phi: Tensor  # [n]
    epsilon: Tensor  # [n]
    lmbda: Tensor  # [n, s]
    weight: Tensor  # [n]
    bias: Tensor  # []

    def to(self, like: Tensor) -> ModulatedWaves:
        """The same waves in the dtype and on the device of `like`."""
        return ModulatedWaves(*(getattr(self, f.name).to(like) for f in fields(self)))

    def __len__(self) -> int:
        return self.A.shape[0]


def forms(waves: ModulatedWaves) -> Tensor:
    """The linear forms of (x, t) as [s + 2, n, s + 1]: phase, modulation, then (x − v t) / σ row by row."""
    n, s = waves.k.shape
    steep = torch.exp(-waves.log_sigma)
    out = waves.k.new_zeros(s + 2, n, s + 1)
    out[0, :, :s], out[0, :, s] = waves.k, -waves.omega
    out[1, :, :s] = waves.lmbda
    for i in range(s):
        out[2 + i, :, i], out[2 + i, :, s] = steep, -waves.v[:, i] * steep
    return out


@torch.no_grad()
def in_blocks(waves: ModulatedWaves, points: Tensor, block: int | None = None) -> Tensor:
    """Σ weight·ψ + bias [N] at points [N, s + 1], in cache-sized blocks, without a trace of gradients."""
    out = waves.bias.expand(len(points)).clone()
    if not len(points):
        return out
    matrix, amplitude = forms(waves), waves.A * waves.weight
    planes, n = matrix.shape[0], len(waves)
    plane = BLOCK_GPU if points.is_cuda else BLOCK_CPU
    waves_at_a_time = min(n, max(1, plane // min(len(points), FEWEST_POINTS)))
    points_at_a_time = block or max(1, min(len(points), plane // waves_at_a_time))
    memory = points.new_empty(planes * waves_at_a_time * min(points_at_a_time, len(points)))
    for start in range(0, len(points), points_at_a_time):
        some = points[start : start + points_at_a_time].T
        width = some.shape[1]
        for first in range(0, n, waves_at_a_time):
            rows = slice(first, first + waves_at_a_time)
            chunk = matrix[:, rows].reshape(-1, matrix.shape[2])
            images = torch.mm(chunk, some, out=memory[: len(chunk) * width].view(len(chunk), width))
            phase, angle, *offsets = images.view(planes, -1, width)
            square = offsets[0].square_()
            for offset in offsets[1:]:
                square.addcmul_(offset, offset)
            envelope = square.mul_(-0.5).clamp_min_(EXPONENT_FLOOR[points.dtype]).exp_()
            torch.addcmul(waves.phi[rows, None], angle.cos_(), waves.epsilon[rows, None], out=angle)
            product = phase.cos_().mul_(envelope).mul_(angle.sin_())
            out[start : start + points_at_a_time].addmv_(product.T, amplitude[rows])
    lost = ~torch.isfinite(out)
    if bool(lost.any()):
        out[lost] = _careful(waves, points[lost])
    return out


def plain(waves: ModulatedWaves, points: Tensor) -> Tensor:
    """ψ of each wave [N, n] at points [N, s + 1] by the formula as it is written, for autograd."""
    x, t = points[:, :-1], points[:, -1:]
    phase = x @ waves.k.T - t * waves.omega
    offset = x[:, None] - t[:, :, None] * waves.v
    envelope = torch.exp(-0.5 * offset.square().sum(-1) * torch.exp(-2 * waves.log_sigma))
    modulation = torch.sin(waves.phi + waves.epsilon * torch.cos(x @ waves.lmbda.T))
    return waves.A * torch.cos(phase) * envelope * modulation


def _careful(waves: ModulatedWaves, points: Tensor) -> Tensor:
    """The sum at the few points where a phase overflows: a wave whose envelope has vanished counts as nothing."""
    x, t = points[:, :-1], points[:, -1:]
    square = (x[:, None] - t[:, :, None] * waves.v).square().sum(-1) * torch.exp(-2 * waves.log_sigma)
    alive = -0.5 * square > EXPONENT_FLOOR[points.dtype]
    values = torch.where(alive, plain(waves, points), 0.0)
    return torch.nan_to_num(values) @ waves.weight + waves.bias
