"""What a reader finds in a file, before it becomes a Signal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dredge.errors import TooLarge, UnreadableRecording
from dredge.signals.signal import Axis

FOLDERS = re.compile(r"(?<![\w/])/(?:[^\s/:'\"]+/)+")  # before the name of a file


@dataclass(frozen=True)
class Recording:
    """Samples [channels, *axes] as they are in the file, gaps as NaN. None where the file does not say."""

    samples: npt.NDArray[np.float64]
    channels: tuple[str, ...]
    sample_rate: float | None = None  # of the first axis, when `axes` is None
    axes: tuple[Axis, ...] | None = None
    start: float = 0.0
    unit: str | None = None
    units: tuple[str | None, ...] = ()  # one a channel, where they may differ
    start_time: str | None = None
    name: str | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    def named(self, name: str) -> Recording:
        return replace(self, name=self.name or name)


@dataclass(frozen=True)
class Limits:
    """What a reader may take into memory."""

    max_samples: int

    def check(self, claimed: int, what: str = "The recording") -> None:
        """Raise TooLarge when more samples are claimed than allowed, before any memory is taken."""
        if claimed > self.max_samples:
            raise TooLarge(f"{what} claims {claimed:,} samples; the limit is {self.max_samples:,}.", field="samples",
                           hint="Cut it, or raise MAX_SAMPLES.")


@dataclass(frozen=True)
class Format:
    """A row of the table of formats."""

    name: str
    description: str
    extensions: tuple[str, ...]
    read: Callable[[Path, Limits], Recording]
    magic: tuple[tuple[int, bytes], ...] = ()  # (offset, bytes): one of them is there when the file is what it says
    extra: str | None = None


def distinct(names: Iterable[str | None]) -> tuple[str, ...]:
    """Channel names of which no two are alike; those without a name are numbered."""
    found: dict[str, None] = {}
    for number, given in enumerate(names):
        name = (given or "").strip() or f"channel{number}"
        while name in found:
            name = f"{name}_{number}"
        found[name] = None
    return tuple(found)


def cut_short(what: str, found: int, claimed: int, unit: str = "samples") -> UnreadableRecording:
    """The error for a file that ends before its end."""
    return UnreadableRecording(f"{what} is cut short: {found:,} of {claimed:,} {unit} are there.", field="file")


def damaged(name: str, reason: object, path: Path | None = None) -> UnreadableRecording:
    """The error for a file that its library cannot read; the folder of `path` is left out of the library's words."""
    told = "" if isinstance(reason, LookupError | TypeError | AttributeError) else str(reason)  # a parser's own stumbling
    text = FOLDERS.sub("", told.replace(str(path), "the file").replace(str(path.parent), "") if path else told)
    lines = text.strip().splitlines() or ["it is damaged"]
    if lines[0].endswith(":") and len(lines) > 1:
        lines = lines[1:]
    return UnreadableRecording(f"This is not a {name} file that can be read: {lines[0][:200].rstrip('.')}.", field="file")
