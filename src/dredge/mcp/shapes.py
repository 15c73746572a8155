"""The shapes of what the tools answer; their JSON schemas are published with the tools."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dredge.jobs import Job
from dredge.mcp.answers import finite
from dredge.store import ModelRecord, SignalRecord
from dredge.waves import Event


class Shape(BaseModel):
    """Base of all: unknown fields of a record are left out."""

    model_config = ConfigDict(extra="ignore")


class SignalAxis(Shape):
    """A regular axis: coordinate i is start + i · step, in `unit`."""

    name: str
    unit: str
    size: int
    step: float
    start: float


class SignalRow(Shape):
    """A stored recording."""

    id: str
    name: str
    unit: str
    channels: list[str]
    axes: list[SignalAxis]
    samples: int = Field(description="Samples over all channels")
    start_time: str | None = None

    @classmethod
    def of(cls, record: SignalRecord) -> SignalRow:
        """The row of a record."""
        return cls.model_validate(record.model_dump(mode="json"))


class SignalPage(Shape):
    """Some signals, and where the next page starts."""

    items: list[SignalRow]
    next_cursor: str | None


class ChannelStatistics(Shape):
    """What the samples of one channel look like, in signal units."""

    channel: str
    minimum: float
    maximum: float
    mean: float
    deviation: float


class Overview(Shape):
    """Lowest and highest sample in each of equally long stretches of one channel."""

    channel: str
    start: float
    step: float = Field(description="Length of a stretch, in axis units")
    low: list[float]
    high: list[float]


class SignalDetail(Shape):
    """A stored recording, with figures."""

    signal: SignalRow
    statistics: list[ChannelStatistics]
    overview: Overview | None
    provenance: dict[str, Any]


class FitEstimate(Shape):
    """What a fit would cost."""

    samples: int
    waves: int
    numbers: int
    seconds: float = Field(description="Seconds of one core, right within a factor of about three")


class JobRow(Shape):
    """A background run."""

    id: str
    kind: str
    state: str = Field(description="queued, running, done, failed or cancelled")
    ended: bool
    fraction: float = Field(description="Share that is done, 0 to 1")
    stage: str
    message: str
    error: float | None = Field(description="Mean square error so far")
    result: dict[str, Any] | None
    reason: str | None = Field(description="Why it ended as it did")
    attempts: int

    @classmethod
    def of(cls, job: Job) -> JobRow:
        """The row of a job."""
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            ended=job.ended,
            fraction=job.progress.fraction,
            stage=job.progress.stage,
            message=job.progress.message,
            error=finite(job.progress.error),
            result=job.result,
            reason=job.reason,
            attempts=job.attempts,
        )


class ModelAxis(Shape):
    """A coordinate of a model."""

    name: str
    unit: str


class ModelRow(Shape):
    """A stored model at one version."""

    name: str
    version: int
    kind: str
    waves: int
    numbers: int
    axes: list[ModelAxis]
    unit: str
    signal: str | None = Field(description="Id of the signal it was made from")
    channel: str | None = None
    scores: dict[str, float | None] = Field(description="Errors are mean squares, in squared signal units")

    @classmethod
    def of(cls, record: ModelRecord) -> ModelRow:
        """The row of a record."""
        values = record.model_dump(mode="json")
        values["scores"] = {name: finite(value) for name, value in (values.get("scores") or {}).items()}
        return cls.model_validate(values)


class ModelPage(Shape):
    """Some models at their newest version, and where the next page starts."""

    items: list[ModelRow]
    next_cursor: str | None


class ModelDetail(Shape):
    """A stored model with its lineage."""

    model: ModelRow
    versions: list[int]
    created: str
    software: str
    seed: int | None
    settings: dict[str, Any]
    job: str | None


class EventRow(Shape):
    """A wave: time and width in the axis unit, frequency per unit, chirp_rate per unit², phase in radians."""

    index: int
    time: float
    width: float
    frequency: float
    chirp_rate: float
    amplitude: float
    phase: float
    energy: float
    edge: float

    @classmethod
    def of(cls, event: Event) -> EventRow:
        """The row of an event."""
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class EventList(Shape):
    """Events of a model."""

    model: str
    version: int
    axis: ModelAxis
    unit: str
    found: int = Field(description="How many passed the filters; the answer may hold fewer")
    events: list[EventRow]


class LiftResult(Shape):
    """A signal as waves."""

    waves: int
    numbers: int
    error: float = Field(description="Mean square error on the samples, in squared signal units")
    snr_db: float | None
    seconds: float
    stopped_because: str
    model: str | None = Field(description="Name under which it was kept")
    version: int | None
    bias: float = Field(description="The constant that is added to the waves")
    events: list[EventRow]


class Evaluation(Shape):
    """Values of a model, the last axis running fastest."""

    model: str
    version: int
    unit: str
    shape: list[int]
    complete: bool = Field(description="Whether all values are here; the link leads to the rest")
    values: list[float]


class ComparisonResult(Shape):
    """Two models on the same points; mean squares in squared signal units."""

    first: ModelRow
    second: ModelRow
    points: int
    difference: float
    first_error: float | None
    second_error: float | None


class PlotResult(Shape):
    """Where a picture is kept."""

    model: str
    version: int
    uri: str


class Deleted(Shape):
    """What was deleted."""

    model: str
    version: int | None = Field(description="The version, or null when the whole model is gone")


def overview(
    samples: np.ndarray[Any, np.dtype[np.float64]],
    channel: str,
    start: float,
    step: float,
    stretches: int = 64,
) -> Overview:
    """Lowest and highest sample of up to `stretches` stretches of one channel."""
    parts = np.array_split(samples, min(stretches, samples.size))
    return Overview(
        channel=channel,
        start=start,
        step=step * samples.size / len(parts),
        low=[float(part.min()) for part in parts],
        high=[float(part.max()) for part in parts],
    )
