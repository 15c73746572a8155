"""The state of a fit as bytes, to go on from after an interruption."""

from __future__ import annotations

import json

import numpy as np

from dredge.waves.fitting.chirplets import Array, within_bounds

FORMAT = "dredge-fit"


def to_bytes(rows: Array, length: int) -> bytes:
    """The waves found so far, as JSON."""
    return json.dumps({"format": FORMAT, "version": 1, "length": length, "rows": rows.tolist()}).encode()


def from_bytes(data: bytes | None, length: int) -> Array | None:
    """The waves in a checkpoint of a recording of `length` samples; None when it is not one."""
    if not data:
        return None
    try:
        state = json.loads(data)
        if state["format"] != FORMAT or state["version"] != 1 or state["length"] != length:
            return None
        rows = np.array(state["rows"], dtype=np.float64)
    except (ValueError, TypeError, KeyError):
        return None
    if rows.ndim != 2 or rows.shape[1:] != (5,) or len(rows) > length or not np.isfinite(rows).all():
        return None
    return within_bounds(rows, length)
