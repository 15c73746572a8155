"""What the store says about a signal or a model: frozen records, kept as JSON manifests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dredge.signals import Axis, Signal

T = TypeVar("T")


class Record(BaseModel):
    """Base of the records: frozen; a field that a later version wrote is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SignalAxis(Record):
    """A regular axis: coordinate i is start + i · step, in `unit`."""

    name: str
    unit: str
    size: int = Field(ge=1)
    step: float
    start: float = 0.0


class ModelAxis(Record):
    """What a coordinate of a model is called and measured in."""

    name: str
    unit: str = "1"


class SignalRecord(Record):
    """A stored signal, without its samples."""

    id: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of what the signal is")
    name: str
    unit: str
    axes: tuple[SignalAxis, ...]
    channels: tuple[str, ...]
    start_time: str | None = Field(None, description="UTC time of coordinate 0 of the first axis, ISO 8601")
    samples: int = Field(ge=1, description="How many numbers the signal holds, over all channels")
    created: datetime
    provenance: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, signal: Signal) -> SignalRecord:
        """The record of a signal, made now."""
        axes = tuple(
            SignalAxis(name=a.name, unit=a.unit, size=a.size, step=float(a.step), start=float(a.start)) for a in signal.axes
        )
        return cls(
            id=signal.sha256,
            name=signal.name,
            unit=signal.unit,
            axes=axes,
            channels=tuple(signal.channels),
            start_time=signal.start_time,
            samples=int(signal.samples.size),
            created=now(),
            provenance=plain(signal.provenance),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples: [channels, *axes]."""
        return (len(self.channels), *(axis.size for axis in self.axes))

    def with_samples(self, samples: Any) -> Signal:
        """The signal itself."""
        axes = tuple(Axis(a.name, a.unit, a.size, a.step, a.start) for a in self.axes)
        return Signal(samples, axes, self.channels, self.unit, self.start_time, self.name, dict(self.provenance))


class ModelRecord(Record):
    """A version of a stored model, without its weights."""

    name: str
    version: int = Field(ge=1)
    kind: str = Field(description="wavefield, or one of the original quasimoto models")
    dimension: int = Field(ge=1, description="Coordinates of a point")
    waves: int = Field(ge=0)
    numbers: int = Field(ge=0, description="Stored numbers that the model takes")
    axes: tuple[ModelAxis, ...] = ()
    unit: str = "1"
    created: datetime
    signal: str | None = Field(None, description="SHA-256 of the signal it was made from")
    channel: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict, description="Options of the fit that made it")
    seed: int | None = None
    software: str = ""
    scores: dict[str, float | None] = Field(
        default_factory=dict,
        description="error: mean square on the samples; snr_db; held_out_error; null where unknown",
    )
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Hash of the safetensors file")
    bytes: int = Field(ge=0, description="Size of the safetensors file")
    job: str | None = None
    report: dict[str, Any] | None = None


class Claim(Record):
    """Who set a version aside."""

    version: int
    created: datetime
    claim: dict[str, Any]


class Usage(Record):
    """What a store holds."""

    signals: int = 0
    models: int = 0
    versions: int = 0
    files: int = 0
    bytes: int = 0


class Page(BaseModel, Generic[T]):
    """A part of a list; hand `next_cursor` back for the part after it. None ends the list."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next_cursor: str | None = None


def now() -> datetime:
    return datetime.now(UTC)


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: arrays as lists, what is not finite as null, the unknown as text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)
