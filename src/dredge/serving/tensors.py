"""Tensors of the Open Inference Protocol: from JSON or bytes to numpy, with every claim checked first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput

Array = npt.NDArray[Any]
DATATYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
}


def check_datatype(datatype: Any, field: str) -> np.dtype[Any]:
    """The numpy type behind a datatype that points may have."""
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise InvalidInput(
            f"The datatype {_shown(datatype)} cannot be used for points.",
            field=field,
            hint=f"Use one of {', '.join(DATATYPES)}.",
        )
    return DATATYPES[datatype]


def check_shape(shape: Any, dimension: int, field: str) -> tuple[int, ...]:
    """The shape of points: [N, dimension], or [N] where there is one coordinate."""
    expected = f"[N, {dimension}]" + (" or [N]" if dimension == 1 else "")
    whole = isinstance(shape, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape)
    if not whole or not (shape[1:] == [dimension] or (len(shape) == 1 and dimension == 1)):
        raise InvalidInput(f"The shape {_shown(shape)} does not fit; the model takes {expected}.", field=field)
    return tuple(shape)


def from_json(data: Any, shape: tuple[int, ...], dtype: np.dtype[Any], field: str) -> Array:
    """Numbers in a flat or nested list. The list is counted, so a claim in `shape` takes no memory."""
    if not isinstance(data, list):
        raise InvalidInput("The data must be a list of numbers.", field=field)
    try:
        found = np.asarray(data)
    except ValueError as error:
        raise InvalidInput("The data is nested unevenly or too deeply.", field=field) from error
    if found.size == 0:
        found = np.empty(found.shape, dtype)
    if found.dtype.kind not in "iuf":
        raise InvalidInput("The data holds something that is not a number.", field=field)
    if found.ndim != 1 and found.shape != shape:
        raise InvalidInput(f"The data is nested as {list(found.shape)}, but the shape is {list(shape)}.", field=field)
    _check_count(found.size, shape, field)
    if dtype.kind == "i":
        limits = np.iinfo(dtype)
        if found.dtype.kind == "f" or (found.size and not limits.min <= int(found.min()) <= int(found.max()) <= limits.max):
            raise InvalidInput(f"The data holds a number that is not an integer of {8 * dtype.itemsize} bits.", field=field)
    with np.errstate(over="ignore"):
        return finite(found.astype(dtype).reshape(shape), field)


def from_binary(data: bytes | memoryview, shape: tuple[int, ...], dtype: np.dtype[Any], field: str) -> Array:
    """Little-endian numbers in row-major order."""
    size = _count(shape) * dtype.itemsize
    if len(data) != size:
        raise InvalidInput(f"The shape {list(shape)} takes {size:,} bytes, but {len(data):,} are there.", field=field)
    return finite(np.frombuffer(data, dtype).reshape(shape), field)


def finite(values: Array, field: str) -> Array:
    """`values`, all of them finite."""
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InvalidInput(
            f"Number {int(bad[0])} is {values.flat[bad[0]]} as {values.dtype.name}; all must be finite.",
            field=field,
        )
    return values


def _check_count(count: int, shape: tuple[int, ...], field: str) -> None:
    if count != _count(shape):
        raise InvalidInput(f"The shape {list(shape)} takes {_count(shape):,} numbers, but {count:,} are there.", field=field)


def _count(shape: tuple[int, ...]) -> int:
    """Python's integers, because a claimed shape may be too large for numpy's."""
    count = 1
    for size in shape:
        count *= size
    return count


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
