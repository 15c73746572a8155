"""Values of a model at points or on a grid, in blocks that stay in the processor's cache.

A wave's value is  A·exp(−½ |L u|^p)·cos(ψ − θ)  with u = x − c, ψ = k·u + ½ uᵀ B u, A = sqrt(a² + b²) and θ = atan2(b, a):
one cosine instead of the cosine and the sine of  a cos ψ + b sin ψ. A block holds some waves × some points, small enough
for its planes to stay in the second-level cache, and the elementwise work happens in place. u is always formed first:
linear forms of x itself would lose the digits of narrow waves that lie far from the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dredge.errors import InvalidInput
from dredge.waves.field import GAUSSIAN, WaveField
from dredge.waves.original import QuasimotoEnsemble, QuasimotoWave
from dredge.waves.points import as_points, like_points

Model = WaveField | QuasimotoWave | QuasimotoEnsemble

# Elements of one plane (waves × points) of a block: measured best between 2^15 and 2^17 on cores with 1 to 2 MiB of
# second-level cache. A GPU wants as few launches as memory allows.
BLOCK_CPU = 1 << 16
BLOCK_GPU = 1 << 23
FEWEST_POINTS = 256  # a block never gets narrower than this for the sake of more waves

# Exponents are clamped so that exp neither underflows (11 to 34 ns instead of 1) nor yields denormal products. In float32
# e^-40 = 4e-18 is 1e-10 of the last digit of the amplitude. In float64 e^-600 = 1e-261 keeps every digit of the tail.
EXPONENT_FLOOR = {torch.float32: -40.0, torch.float64: -600.0}


def evaluate(model: Model, points: Any, *, block: int | None = None) -> Any:
    """Values [N] of a model at points [N, d] ([N] when d is 1; columns x…, t for the original Quasimoto models).

    numpy arrays and lists give numpy float64; a tensor gives a tensor of its dtype on its device, differentiable when it
    or the model asks for gradients. Half precision is computed in float32, since phases need its digits. `block` is the
    number of points at a time; by default it follows from the cache. Raises InvalidInput(field="points").
    """
    x = as_points(points, model.dimension)
    if block is not None and block < 1:
        raise InvalidInput("A block holds at least one point.", field="block")
    if not isinstance(points, Tensor):
        with torch.no_grad():
            return like_points(_values(model, x, block), points)
    return like_points(_values(model, x, block), points)


def _values(model: Model, x: Tensor, block: int | None) -> Tensor:
    if not isinstance(model, WaveField):
        return model.at(x, block=block)
    working = x if x.dtype in EXPONENT_FLOOR else x.to(torch.float32)
    if torch.is_grad_enabled() and (x.requires_grad or _asks_for_gradients(model)):
        values = _plain(model.to(dtype=working.dtype, device=x.device), working)
    else:
        values = _in_blocks(model, working, block)
    return values.to(x.dtype)


def cost(model: Model, n_points: int) -> int:
    """The work of an evaluation: points × waves."""
    return n_points * len(model)


def evaluate_grid(model: Model, axes: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """Values [n1, …, nd] on the grid spanned by one array of coordinates per axis, in float64."""
    if len(axes) != model.dimension:
        raise InvalidInput(f"The grid has {len(axes)} axes, the model {model.dimension}.", field="axes")
    columns: list[Tensor] = []
    for i, axis in enumerate(axes):
        try:
            columns.append(as_points(axis, 1)[:, 0].to(device="cpu", dtype=torch.float64))
        except InvalidInput as error:
            raise InvalidInput(f"Axis {i}: {error.message}", field="axes", hint=error.hint) from None
    shape = [column.numel() for column in columns]
    if isinstance(model, WaveField) and model.dimension > 1:
        from dredge.waves.grid import separable, separated

        if separable(model):
            return separated(model, columns).numpy()
    out = torch.empty(int(np.prod(shape)), dtype=torch.float64)
    for start in range(0, out.numel(), BLOCK_CPU):
        cells = torch.arange(start, min(start + BLOCK_CPU, out.numel()))
        places = torch.unravel_index(cells, shape)
        rows = torch.stack([column[place] for column, place in zip(columns, places, strict=True)], 1)
        with torch.no_grad():
            out[start : start + len(cells)] = _values(model, rows, None)
    return out.reshape(shape).numpy()


@dataclass(frozen=True)
class _Rows:
    """The waves of a field as the kernels want them: Gaussian waves first, amplitude and angle instead of a and b."""

    centre: Tensor  # [n, d]
    shape: Tensor  # [n, m, d]
    wavenumber: Tensor  # [n, d]
    chirp: Tensor  # [n, d, d]
    amplitude: Tensor  # [n]
    angle: Tensor  # [n], −θ
    half_edge: Tensor  # [n], p / 2
    gaussians: int  # how many of the first rows have p = 2
    chirped: bool

    def between(self, first: int, last: int) -> _Rows:
        return self._of(slice(first, last), min(max(self.gaussians - first, 0), last - first))

    def where(self, mask: Tensor) -> _Rows:
        return self._of(mask, int(mask[: self.gaussians].sum()))

    def _of(self, index: slice | Tensor, gaussians: int) -> _Rows:
        return _Rows(self.centre[index], self.shape[index], self.wavenumber[index], self.chirp[index],
                     self.amplitude[index], self.angle[index], self.half_edge[index], gaussians, self.chirped)

    def __len__(self) -> int:
        return self.centre.shape[0]


def _rows(field: WaveField, dtype: torch.dtype, device: torch.device) -> _Rows:
    gaussian = field.edge == GAUSSIAN
    count = int(gaussian.sum())
    order = None if count == len(field) else torch.argsort((~gaussian).to(torch.int8), stable=True)

    def column(tensor: Tensor) -> Tensor:
        return (tensor if order is None else tensor[order]).to(dtype=dtype, device=device)

    return _Rows(column(field.centre), column(field.shape), column(field.wavenumber), column(field.chirp),
                 column(torch.hypot(field.cosine, field.sine)), column(-torch.atan2(field.sine, field.cosine)),
                 column(field.edge / 2), count, bool(field.chirp.any()))


@torch.no_grad()
def _in_blocks(field: WaveField, x: Tensor, block: int | None) -> Tensor:
    """Values [N] at x [N, d] without a trace of gradients."""
    out = field.bias.to(x).expand(len(x)).clone()
    if not len(field) or not len(x):
        return out
    rows = _rows(field, x.dtype, x.device)
    plane = BLOCK_GPU if x.is_cuda else BLOCK_CPU
    waves_at_a_time = min(len(rows), max(1, plane // min(len(x), FEWEST_POINTS)))
    points_at_a_time = block or max(1, min(len(x), plane // waves_at_a_time))
    work = _Work(x)
    for start in range(0, len(x), points_at_a_time):
        some = x[start : start + points_at_a_time]
        total = out[start : start + points_at_a_time]
        near = _reaching(rows, some) if field.dimension == 1 else rows
        for first in range(0, len(near), waves_at_a_time):
            chunk = near.between(first, min(first + waves_at_a_time, len(near)))
            waves = _line(chunk, some[:, 0], work) if field.dimension == 1 else _space(chunk, some, work)
            total.addmv_(waves.T, chunk.amplitude)
    lost = ~torch.isfinite(out)
    if bool(lost.any()):  # so far away that u² or the phase overflowed
        out[lost] = _careful(field.to(dtype=x.dtype, device=x.device), x[lost])
    return out


class _Work:
    """Planes of memory that the blocks of one evaluation share."""

    def __init__(self, like: Tensor) -> None:
        self._like = like
        self._memory: list[Tensor] = []

    def planes(self, *shapes: tuple[int, ...]) -> list[Tensor]:
        sizes = [int(np.prod(shape)) for shape in shapes]
        if len(self._memory) < len(shapes) or any(m.numel() < s for m, s in zip(self._memory, sizes, strict=False)):
            self._memory = [self._like.new_empty(size) for size in sizes]
        return [m[:size].view(shape) for m, size, shape in zip(self._memory, sizes, shapes, strict=False)]


# Waves that are below e^-45 = 3e-20 of their amplitude in the whole block are left out, once there are enough waves for
# the test to cost less than it saves.
CULL_FROM = 48
CULL_REACH = 90.0  # |L u|^p where the envelope is e^-45


def _reaching(rows: _Rows, x: Tensor) -> _Rows:
    """The one-dimensional waves that can be seen from a block of points."""
    if len(rows) < CULL_FROM:
        return rows
    low, high = torch.aminmax(x)
    outside = torch.maximum(low - rows.centre[:, 0], rows.centre[:, 0] - high).clamp_min_(0)
    steep = rows.shape.square().sum((1, 2)).sqrt_()
    seen = (outside * steep).pow_(2 * rows.half_edge) <= CULL_REACH
    return rows.where(seen) if 4 * int(seen.sum()) < 3 * len(rows) else rows


def _line(rows: _Rows, x: Tensor, work: _Work) -> Tensor:
    """exp(−½ |L u|^p)·cos(ψ − θ) [n, B] of one-dimensional waves at x [B]."""
    u, phase = work.planes((len(rows), len(x)), (len(rows), len(x)))
    torch.sub(x, rows.centre, out=u)
    if rows.chirped:
        torch.addcmul(rows.wavenumber, u, rows.chirp[:, 0] / 2, out=phase)
        torch.addcmul(rows.angle[:, None], u, phase, out=phase)
    else:
        torch.addcmul(rows.angle[:, None], u, rows.wavenumber, out=phase)
    envelope = _envelope(u.square_().mul_(rows.shape.square().sum(1)), rows)
    return phase.cos_().mul_(envelope)


def _space(rows: _Rows, x: Tensor, work: _Work) -> Tensor:
    """exp(−½ |L u|^p)·cos(ψ − θ) [n, B] of waves in several dimensions at x [B, d]."""
    n, m, d = rows.shape.shape
    forms = [rows.shape, rows.wavenumber[:, None], rows.chirp / 2] if rows.chirped else [
        rows.shape, rows.wavenumber[:, None]]
    matrix = torch.cat(forms, 1)  # L u, k·u and ½ B u of every wave in one batched product
    u, images = work.planes((n, d, len(x)), (n, matrix.shape[1], len(x)))
    torch.sub(x.T.contiguous(), rows.centre[:, :, None], out=u)
    torch.bmm(matrix, u, out=images)
    phase = images[:, m]
    for j in range(d if rows.chirped else 0):
        phase.addcmul_(u[:, j], images[:, m + 1 + j])
    square = images[:, 0].square_()
    for i in range(1, m):
        square.addcmul_(images[:, i], images[:, i])
    return phase.add_(rows.angle[:, None]).cos_().mul_(_envelope(square, rows))


def _envelope(square: Tensor, rows: _Rows) -> Tensor:
    """exp(−½ q^(p/2)) from q = |L u|² [n, B], in place."""
    if rows.gaussians < len(rows):
        square[rows.gaussians :].pow_(rows.half_edge[rows.gaussians :, None])
    return square.mul_(-0.5).clamp_min_(EXPONENT_FLOOR[square.dtype]).exp_()


def _asks_for_gradients(field: WaveField) -> bool:
    return any(t.requires_grad for t in (field.centre, field.shape, field.wavenumber, field.chirp, field.cosine,
                                         field.sine, field.edge, field.bias))


def _plain(field: WaveField, x: Tensor) -> Tensor:
    """Values [N] by the formula as it is written, for autograd."""
    total = [_waves(field, some).sum(1)
             for some in torch.split(x, max(1, BLOCK_CPU // max(1, len(field))))]
    return field.bias + (torch.cat(total) if total else x.new_zeros(0))


def _waves(field: WaveField, x: Tensor) -> Tensor:
    u = x[:, None] - field.centre  # [B, n, d]
    square = torch.einsum("nmd,bnd->bnm", field.shape, u).square().sum(-1)
    phase = (u * field.wavenumber).sum(-1) + 0.5 * torch.einsum("bni,nij,bnj->bn", u, field.chirp, u)
    # Where q is 0, q^(p/2) is 0 as well, and 1 stands in for q so that its logarithm has a gradient.
    power = torch.where(square > 0, torch.where(square > 0, square, 1.0) ** (field.edge / 2), square)
    return torch.exp(-0.5 * power) * (field.cosine * torch.cos(phase) + field.sine * torch.sin(phase))


def _careful(field: WaveField, x: Tensor) -> Tensor:
    """Values at the few points where numbers overflow: a wave whose envelope has vanished counts as nothing."""
    u = x[:, None] - field.centre
    square = torch.einsum("nmd,bnd->bnm", field.shape, u).square().sum(-1)
    exponent = -0.5 * square ** (field.edge / 2)
    alive = exponent > EXPONENT_FLOOR[x.dtype]
    u = torch.where(alive[..., None], u, 0.0)
    phase = (u * field.wavenumber).sum(-1) + 0.5 * torch.einsum("bni,nij,bnj->bn", u, field.chirp, u)
    waves = torch.where(alive, torch.exp(exponent), 0.0) * (
        field.cosine * torch.cos(phase) + field.sine * torch.sin(phase))
    return torch.nan_to_num(waves).sum(1) + field.bias
