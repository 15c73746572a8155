"""Coordinates given by people and programs, turned into one checked tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dredge.errors import InvalidInput


def as_points(points: Any, dimension: int) -> Tensor:
    """`points` as a tensor [N, dimension]; in one dimension [N] and a single number are taken too.

    Tensors keep their dtype (whole numbers become float64), all else becomes float64. Raises InvalidInput for text,
    shapes that do not fit and numbers that are not finite.
    """
    tensor = points if isinstance(points, Tensor) else torch.from_numpy(_as_array(points))
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise InvalidInput("Points are real numbers.", field="points")
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.float64)
    given = tuple(tensor.shape)
    if dimension == 1 and tensor.ndim <= 1:
        tensor = tensor.reshape(-1, 1)
    if tensor.ndim != 2 or tensor.shape[1] != dimension:
        expected = "[N]" if dimension == 1 else f"[N, {dimension}]"
        raise InvalidInput(f"Points have shape {list(given)}, but this model takes {expected}.", field="points")
    finite = torch.isfinite(tensor)
    if not bool(finite.all()):
        row = int((~finite).any(1).nonzero()[0])
        raise InvalidInput(f"Point {row} is not a finite number.", field="points")
    return tensor


def like_points(values: Tensor, points: Any) -> Any:
    """Values [N] in the form the points came in: a tensor for a tensor, else numpy; a number for a number."""
    single = np.ndim(points) == 0 if not isinstance(points, Tensor) else points.ndim == 0
    values = values[0] if single else values
    if isinstance(points, Tensor):
        return values
    array = values.detach().cpu().numpy()
    return array[()] if single else array


def _as_array(points: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        array = np.asarray(points)
    except (ValueError, TypeError):
        raise InvalidInput("Points are rows of different lengths.", field="points") from None
    if array.size and array.dtype.kind not in "fiu":
        raise InvalidInput("Points are numbers.", field="points", hint="Text is not read as numbers.")
    # A read-only or byte-swapped array cannot be wrapped by torch; the copy is small beside the evaluation.
    return np.array(array, dtype=np.float64)
