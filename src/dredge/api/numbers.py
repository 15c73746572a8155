"""Numbers as bytes: little-endian arrays and NPY."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput

NPY = "application/x-npy"
CODES = {"float64": "<f8", "float32": "<f4"}


def npy(values: npt.NDArray[Any]) -> bytes:
    """An array as an NPY file of float64."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values, dtype="<f8"), allow_pickle=False)
    return buffer.getvalue()


def to_bytes(values: npt.NDArray[np.float64], dtype: str) -> bytes:
    """Little-endian numbers, the last axis running fastest."""
    return values.astype(CODES[dtype]).tobytes()


def to_points(data: bytes, dtype: str, dimension: int) -> npt.NDArray[np.float64]:
    """Points [N] (one coordinate) or [N, dimension] from little-endian numbers. Raises InvalidInput."""
    size = np.dtype(CODES[dtype]).itemsize * dimension
    if not data or len(data) % size:
        raise InvalidInput(
            f"The body has {len(data):,} bytes; points of {dimension} {dtype} coordinates take {size} each.",
            field="points",
            hint="Send little-endian numbers, and say dtype=float32 if they are.",
        )
    points = np.frombuffer(data, CODES[dtype]).astype(np.float64)
    if not np.isfinite(points).all():
        raise InvalidInput(
            f"Number {int(np.argmin(np.isfinite(points)))} of the points is not finite.", field="points"
        )
    return points if dimension == 1 else points.reshape(-1, dimension)
