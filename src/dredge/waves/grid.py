"""Values on a regular grid as a product of matrices.

When the envelope is Gaussian and neither L nor B mixes axes, a wave is the real part of a product over axes,

    (a − i b) Π_j exp(−½ (L_jj u_j)² + i (k_j u_j + ½ B_jj u_j²)),

so n + … + n exponentials a wave replace n × … × n, and the sum over waves becomes one complex matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dredge.waves.field import GAUSSIAN, WaveField

# Factors below e^-320 are set to zero: half the exponent range of float64, so that the product of two is never a denormal
# number, which would slow the matrix product tenfold.
NEGLIGIBLE = -320.0
MOST_WAVES = 512  # waves in one matrix product
MOST_ELEMENTS = 1 << 22  # complex numbers of its left side, 64 MiB


def separable(field: WaveField) -> bool:
    """Whether each wave is a product of functions of one coordinate."""
    if field.shape.shape[1] != field.dimension:
        return False
    mixing = ~torch.eye(field.dimension, dtype=torch.bool, device=field.shape.device)
    return bool((field.edge == GAUSSIAN).all()) and not bool(
        (field.shape[:, mixing] != 0).any() or (field.chirp[:, mixing] != 0).any())


@torch.no_grad()
def separated(field: WaveField, axes: Sequence[Tensor]) -> Tensor:
    """Values [n1, …, nd] of a separable field on the grid of `axes`, in float64."""
    field = field.to(dtype=torch.float64, device="cpu")
    shape = [len(axis) for axis in axes]
    out = field.bias.expand(shape).clone()
    for first in range(0, len(field), MOST_WAVES):
        some = slice(first, first + MOST_WAVES)
        factors = [_factor(field, axis, j, some) for j, axis in enumerate(axes)]
        # The last axis on the right, all others on the left: columns and rows of the product.
        right = factors[-1] * torch.complex(field.cosine[some], -field.sine[some])[:, None]
        right = torch.cat([right.real, -right.imag])  # Re(left·right) as one real product of twice the inner size
        middle = right.new_ones(len(factors[0]), 1, dtype=torch.complex128)
        for factor in factors[1:-1]:
            middle = (middle[:, :, None] * factor[:, None]).flatten(1)
        step = max(1, MOST_ELEMENTS // max(1, middle.numel()))
        for row in range(0, shape[0], step):
            left = (factors[0][:, row : row + step, None] * middle[:, None]).flatten(1)
            out[row : row + step].view(left.shape[1], -1).addmm_(torch.cat([left.real, left.imag]).T, right)
    return out


def _factor(field: WaveField, axis: Tensor, j: int, some: slice) -> Tensor:
    """One axis's share of some waves, complex [n, n_j]."""
    u = axis - field.centre[some, j, None]
    exponent = -0.5 * (field.shape[some, j, j, None] * u).square()
    size = torch.where(exponent > NEGLIGIBLE, exponent.clamp_min(NEGLIGIBLE).exp(), 0.0)
    phase = torch.where(size > 0, u * (field.wavenumber[some, j, None] + 0.5 * field.chirp[some, j, j, None] * u), 0.0)
    return torch.polar(size, phase)
