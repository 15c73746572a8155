"""A Signal: samples on axes, with units and provenance, immutable, addressed by its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput
from dredge.signals.times import utc
from dredge.signals.units import check_unit

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """A regular axis: coordinate i is start + i · step, in `unit`."""

    name: str
    unit: str
    size: int
    step: float
    start: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInput(f"An axis has a name; {str(self.name)[:40]!r} is none.", field="axes")
        if isinstance(self.size, bool) or not isinstance(self.size, int | np.integer) or self.size < 0:
            raise InvalidInput(f"Axis {self.name!r} has a size of {str(self.size)[:40]}, not a whole number.", field="axes")
        for what, value in (("step", self.step), ("start", self.start)):
            if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
                raise InvalidInput(f"The {what} of axis {self.name!r} is {str(value)[:40]!r}, not a number.", field=what)
        if not (np.isfinite(self.step) and self.step > 0 and np.isfinite(1 / self.step)):
            raise InvalidInput(f"Axis {self.name!r} has a step of {self.step}; it must be a number above zero.",
                               field="sample_rate" if self.name == "time" else "step")
        if not np.isfinite(self.start):
            raise InvalidInput(f"Axis {self.name!r} starts at {self.start}.", field="start")
        if not np.isfinite(float(self.start) + float(self.step) * self.size):
            raise InvalidInput(f"Axis {self.name!r} ends beyond the largest number.", field="step")
        check_unit(self.unit)

    @property
    def rate(self) -> float:
        """Samples per unit."""
        return 1.0 / self.step

    @property
    def coordinates(self) -> Samples:
        """The coordinates of the samples, [size]."""
        return self.start + self.step * np.arange(self.size, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Signal:
    """Samples [channels, *axes] as read-only float64, all finite.

    `start_time` is the UTC time of coordinate 0 of the first axis, ISO 8601, or None. `name` and `provenance` (file name,
    format, reader) describe it and are not part of its identity. Raises InvalidInput naming the first bad sample.
    """

    samples: Samples
    axes: tuple[Axis, ...]
    channels: tuple[str, ...] = ("signal",)
    unit: str = "1"
    start_time: str | None = None
    name: str = "signal"
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(self.axes))
        object.__setattr__(self, "channels", tuple(self.channels))
        _check_names(self.channels)
        if not self.axes:
            raise InvalidInput("A signal has at least one axis.", field="axes")
        samples = _own(self.samples)
        expected = (len(self.channels), *(axis.size for axis in self.axes))
        if samples.shape != expected:
            raise InvalidInput(f"Samples have shape {samples.shape}, but channels and axes say {expected}.", field="samples")
        if samples.size == 0:
            raise InvalidInput("The signal is empty.", field="samples")
        bad = ~np.isfinite(samples)
        if bad.any():
            where = np.argwhere(bad)[0]
            value = samples[tuple(where)]
            raise InvalidInput(
                f"Sample {place(where[1:])} of channel {self.channels[where[0]]!r} is {value}"
                f" ({int(bad.sum()):,} of {samples.size:,} are not finite).", field="samples",
                hint="Fill or cut the gap, or import with gaps='interpolate'." if np.isnan(value) else None)
        samples.setflags(write=False)
        object.__setattr__(self, "samples", samples)
        check_unit(self.unit)
        object.__setattr__(self, "start_time", utc(self.start_time))

    @cached_property
    def sha256(self) -> str:
        """Hash of what the signal is: axes, channels, unit, start time and the little-endian samples."""
        digest = hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode())
        digest.update(self.samples.astype("<f8", copy=False).data)
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        """The part of the description that the hash covers."""
        return {
            "axes": [[a.name, a.unit, int(a.size), float(a.step), float(a.start)] for a in self.axes],
            "channels": list(self.channels), "unit": self.unit, "start_time": self.start_time,
        }

    @property
    def dimension(self) -> int:
        """Number of axes, channels not counted."""
        return len(self.axes)

    @property
    def sample_rate(self) -> float:
        """Samples per unit of the first axis: hertz when it is time in seconds."""
        return self.axes[0].rate

    def channel(self, which: str | int = 0) -> Samples:
        """Samples of one channel, [*axes], by name or number. Raises InvalidInput when there is no such channel."""
        found: Samples = self.samples[find_channel(self.channels, which)]
        return found


def place(index: Sequence[int] | npt.NDArray[np.int64]) -> str:
    """Where a sample is, for a person: `7`, or `[3, 4, 5]` in a volume."""
    numbers = [int(i) for i in index]
    return str(numbers[0]) if len(numbers) == 1 else str(numbers)


def find_channel(channels: Sequence[str], which: str | int, *, field: str = "channel") -> int:
    """The number of a channel given by name, or by number from 0. Raises InvalidInput when there is no such channel."""
    if which in channels:
        return list(channels).index(str(which))
    number = int(which) if str(which).isdecimal() and len(str(which)) < 10 else -1
    if 0 <= number < len(channels):
        return number
    more = ", …" if len(channels) > 20 else ""
    raise InvalidInput(f"No channel {str(which)[:60]!r}; there are {', '.join(map(repr, channels[:20]))}{more}.", field=field)


def _check_names(channels: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in channels:
        if not isinstance(name, str):
            raise InvalidInput(f"The channel name {str(name)[:40]!r} is not a text.", field="channels")
        if name in seen:
            raise InvalidInput(f"Two channels are named {name[:60]!r}.", field="channels")
        seen.add(name)


def _own(given: Any) -> Samples:
    """The numbers in memory that no one else can change: a signal's hash is known, its samples must stay."""
    array = np.asarray(given)
    if array.dtype.kind not in "fiu":
        raise InvalidInput(f"Samples are real numbers, not {array.dtype}.", field="samples")
    samples = np.ascontiguousarray(array, dtype=np.float64)
    base: Any = samples
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    return samples if base is None or isinstance(base, bytes) else samples.copy()
