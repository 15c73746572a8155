"""Long recordings in overlapping pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dredge.errors import InvalidInput
from dredge.signals.signal import Signal


def windows(signal: Signal, size: int, overlap: int = 0) -> Iterator[Signal]:
    """Pieces of `size` samples along the first axis that share `overlap` samples; the last one may be shorter.

    Each piece keeps the coordinates it has in the whole. Raises InvalidInput(field="size" or "overlap").
    """
    if size < 2:
        raise InvalidInput("A window has at least two samples.", field="size")
    if not 0 <= overlap < size:
        raise InvalidInput("Windows overlap by less than their size.", field="overlap")
    axis, step = signal.axes[0], size - overlap
    for first in range(0, max(1, axis.size - overlap), step):
        last = min(first + size, axis.size)
        piece = replace(axis, size=last - first, start=axis.start + first * axis.step)
        yield replace(signal, samples=signal.samples[:, first:last], axes=(piece, *signal.axes[1:]))
