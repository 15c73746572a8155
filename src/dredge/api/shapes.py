"""What routes take and answer; their JSON schemas stand in the OpenAPI document."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    Strict,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
)

from dredge.jobs import Job
from dredge.service import Comparison, Estimate
from dredge.store import ModelRecord, SignalRecord
from dredge.waves import Event

SHA = "0b6a9c1d5f7e4a3b8c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b"  # pragma: allowlist secret - an example of a hash
NAME_PATTERN = "^[a-z0-9][a-z0-9._-]{0,99}$"
LARGEST_VERSION = 10**9

# Text that looks like a number is not one: silently reading "1,5" as something is how wrong data gets in.
Number = Annotated[float, Strict()]
Finite = Annotated[FiniteFloat, Strict()]
Whole = StrictInt

FLAT, ROWS = "flat", "rows"  # tags that show in where an error is, and are left out there


def _arrangement(value: Any) -> str:
    return ROWS if isinstance(value, list) and value and isinstance(value[0], list) else FLAT


# [N] or [M, N] numbers. A bad one among a million is told once, not a million times.
_several = Field(fail_fast=True)
_numbers_schema = WithJsonSchema(
    {
        "anyOf": [
            {"type": "array", "items": {"type": "number"}, "minItems": 1},
            {
                "type": "array",
                "items": {"type": "array", "items": {"type": "number"}, "minItems": 1},
                "minItems": 1,
            },
        ]
    }
)
Numbers = Annotated[
    Annotated[Annotated[list[Number], _several], Tag(FLAT)]
    | Annotated[Annotated[list[Annotated[list[Number], _several]], _several], Tag(ROWS)],
    Discriminator(_arrangement),
    _numbers_schema,
]
Coordinates = Annotated[
    Annotated[Annotated[list[Finite], _several], Tag(FLAT)]
    | Annotated[Annotated[list[Annotated[list[Finite], _several]], _several], Tag(ROWS)],
    Discriminator(_arrangement),
    _numbers_schema,
]
Label = Annotated[StrictStr, Field(max_length=200)]
ModelName = Annotated[
    StrictStr, Field(json_schema_extra={"pattern": NAME_PATTERN, "maxLength": 100, "example": "heart"})
]
Version = Annotated[int, Field(ge=1, le=LARGEST_VERSION)]
MaybeVersion = Annotated[
    int | None, Field(ge=1, le=LARGEST_VERSION, description="The newest when it is not given")
]


class Shape(BaseModel):
    """Base of what is taken: a name that is not known is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    @cache
    def _own_schema(cls) -> dict[str, Any]:
        return super().model_json_schema()

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The schema, made once where it is asked for on every request."""
        return cls._own_schema() if not args and not kwargs else super().model_json_schema(*args, **kwargs)


class Answer(BaseModel):
    """Base of what is answered. Numbers that JSON cannot say become null."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


# Paths and queries


class SignalPath(Shape):
    """A signal."""

    id: str = Field(
        description="SHA-256 of the signal, or its first 8 or more digits",
        json_schema_extra={"example": SHA, "pattern": "^[0-9a-fA-F]{8,64}$"},
    )


class JobPath(Shape):
    """A job."""

    id: str = Field(description="Id of the job", json_schema_extra={"example": "fit-3f2a9c", "minLength": 1})


class ModelPath(Shape):
    """A model."""

    name: str = Field(
        description="Name of the model",
        json_schema_extra={"example": "example-ecg", "pattern": NAME_PATTERN, "maxLength": 100},
    )


class ModelVersionPath(ModelPath):
    """A version of a model."""

    version: Version = Field(description="Version of the model", json_schema_extra={"example": 1})


class Nothing(Shape):
    """A route that takes no parameters."""


class Paging(Shape):
    """Which part of a list."""

    cursor: str | None = Field(
        None, max_length=1000, description="`next` of the page before; none for the first page"
    )
    limit: int = Field(50, ge=1, le=200, description="Most items on the page")


class JobPaging(Paging):
    """Which jobs."""

    state: Literal["queued", "running", "done", "failed", "cancelled"] | None = Field(
        None, description="Only these"
    )


class UploadQuery(Shape):
    """What a recording's file does not say by itself."""

    name: str | None = Field(
        None, max_length=200, description="What to call it; the file name when it is not given"
    )
    format: str | None = Field(
        None,
        max_length=40,
        description="csv, npy, npz, wav, flac, miniseed, wfdb, edf, nifti, …; "
        "found out from the file when it is not given",
    )
    sample_rate: float | None = Field(
        None, allow_inf_nan=False, description="Hz, where the file does not say"
    )
    unit: str | None = Field(None, max_length=60, description="Unit of the values, for example mV")
    channels: str | None = Field(
        None, max_length=2000, description="Only these channels, separated by commas"
    )
    start_time: str | None = Field(None, max_length=60, description="UTC time of the first sample, ISO 8601")
    gaps: Literal["refuse", "interpolate"] = Field(
        "refuse", description="What to do where samples are missing"
    )


class SamplesQuery(Shape):
    """Which samples."""

    start: int = Field(0, ge=0, le=2**53, description="First index along the first axis")
    stop: int | None = Field(
        None, ge=0, le=2**53, description="Index after the last; the end when it is not given"
    )
    format: Literal["json", "npy"] | None = Field(None, description="Wins over Accept")


class VersionQuery(Shape):
    """Which version."""

    version: MaybeVersion = None


class EventsQuery(VersionQuery):
    """Which waves, and in which order."""

    sort: Literal["time", "frequency", "amplitude", "energy"] = "time"
    descending: bool = False
    from_: float | None = Field(
        None, alias="from", allow_inf_nan=False, description="Earliest centre, in axis units"
    )
    to: float | None = Field(None, allow_inf_nan=False, description="Latest centre, in axis units")
    low: float | None = Field(None, allow_inf_nan=False, description="Lowest frequency, in 1/axis unit")
    high: float | None = Field(None, allow_inf_nan=False, description="Highest frequency, in 1/axis unit")
    strongest: int | None = Field(None, ge=1, le=10**6, description="Only this many, by energy")
    format: Literal["json", "csv"] | None = Field(None, description="Wins over Accept")


class PlotQuery(VersionQuery):
    """Which picture."""

    format: Literal["png", "svg"] | None = Field(None, description="Wins over Accept")


class EvaluateQuery(VersionQuery):
    """What a binary body holds."""

    dtype: Literal["float64", "float32"] = Field(
        "float64", description="Little-endian numbers, in the body and the answer"
    )


class CompareQuery(Shape):
    """Which two models."""

    first: str = Field(json_schema_extra={"example": "heart", "pattern": NAME_PATTERN})
    second: str = Field(json_schema_extra={"example": "example-ecg", "pattern": NAME_PATTERN})
    first_version: MaybeVersion = None
    second_version: MaybeVersion = None


class InferHeaders(BaseModel):
    """Header of the binary tensor extension."""

    model_config = ConfigDict(extra="ignore")

    header_length: str | None = Field(
        None,
        alias="Inference-Header-Content-Length",
        pattern="^[0-9]{1,18}$",
        description="Bytes of JSON in front of the binary tensors",
    )


# Bodies


class SamplesBody(Shape):
    """Samples that are already numbers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"samples": [0, 1, 0, -1, 0, 1, 0, -1], "sample_rate": 8, "unit": "mV", "name": "hum"}
        }
    )

    samples: Numbers = Field(description="[N] numbers, or [channels, N]")
    sample_rate: Number = Field(1.0, description="Hz", json_schema_extra={"exclusiveMinimum": 0})
    unit: Label = Field("1", description="Unit of the values")
    name: Label = "signal"


class FitSettings(Shape):
    """When a fit stops: at the first of these. With none, where more waves would describe noise."""

    waves: Whole | None = Field(None, description="At most this many waves", json_schema_extra={"minimum": 1})
    numbers: Whole | None = Field(
        None, description="At most this many stored numbers", json_schema_extra={"minimum": 1}
    )
    target_error: Number | None = Field(
        None,
        description="Mean square error, in squared signal units",
        json_schema_extra={"exclusiveMinimum": 0},
    )
    seconds: Number | None = Field(
        None, description="Time of the fit", json_schema_extra={"exclusiveMinimum": 0}
    )
    seed: Whole = Field(0, description="The same seed gives the same waves", json_schema_extra={"minimum": 0})
    edge: StrictBool = Field(False, description="Give each wave an edge sharpness, a seventh number")
    hold_out: Number = Field(
        0.0,
        description="Share of the samples that is kept out to score the fit",
        json_schema_extra={"minimum": 0, "exclusiveMaximum": 1},
    )

    def options(self) -> dict[str, Any]:
        """The values as the fit takes them."""
        return {name: getattr(self, name) for name in FitSettings.model_fields}


class EstimateBody(FitSettings):
    """A fit that is thought of."""

    model_config = ConfigDict(json_schema_extra={"example": {"signal": SHA, "waves": 12}})

    signal: StrictStr = Field(description="Id of a stored signal")


class FitBody(EstimateBody):
    """A fit to run in the background."""

    model_config = ConfigDict(json_schema_extra={"example": {"signal": SHA, "waves": 12, "model": "heart"}})

    model: ModelName | None = Field(
        None, description="Name to keep the model under; made from the signal's when not given"
    )
    channel: StrictStr | StrictInt = Field(0, description="Name or number of the channel")
    priority: Annotated[int, Strict()] = Field(0, ge=-100, le=100, description="Higher runs earlier")
    time_limit: Annotated[float, Strict()] | None = Field(
        None, gt=0, le=10**7, description="Seconds that it may run"
    )
    id: Annotated[StrictStr, Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$")] | None = Field(
        None, description="An id of your own: sent twice, the fit is submitted once"
    )


class LiftBody(FitSettings):
    """A short signal, as samples or as a text, whose samples are its code points."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "samples": [0, 1, 0, -1, 0, 1, 0, -1, 0, 1, 0, -1, 0, 1, 0, -1],
                "sample_rate": 8,
                "waves": 1,
            }
        }
    )

    samples: Numbers | None = Field(None, description="[N] numbers, or [channels, N]")
    insight_text: StrictStr | None = Field(None, description="A text, in place of samples")
    sample_rate: Number = Field(1.0, description="Hz", json_schema_extra={"exclusiveMinimum": 0})
    unit: Label = Field("1", description="Unit of the values")
    channel: StrictStr | StrictInt = Field(0, description="Name or number of the channel")
    save_as: ModelName | None = Field(None, description="Keep signal and model, the model under this name")


class GridAxis(Shape):
    """Regular points along one axis."""

    start: Finite
    stop: Finite = Field(description="Included")
    count: Annotated[int, Strict()] = Field(ge=1, le=10**9)


class EvaluateBody(Shape):
    """Where to evaluate: one of points and grid."""

    model_config = ConfigDict(json_schema_extra={"example": {"points": [0.1, 0.2, 0.30001]}})

    points: Coordinates | None = Field(None, description="[N] for one coordinate, else [N, coordinates]")
    grid: Annotated[list[GridAxis], Field(min_length=1, max_length=16)] | None = Field(
        None, description="One entry an axis"
    )
    background: StrictBool = Field(
        False, description="Evaluate the grid as a job, for what is too large for one answer"
    )


class CompareBody(Shape):
    """Which two models."""

    model_config = ConfigDict(json_schema_extra={"example": {"first": "heart", "second": "example-ecg"}})

    first: ModelName
    second: ModelName
    first_version: Annotated[int, Strict()] | None = Field(None, ge=1, le=LARGEST_VERSION)
    second_version: Annotated[int, Strict()] | None = Field(None, ge=1, le=LARGEST_VERSION)


# Answers


class Card(Answer):
    """What this is, and where everything is."""

    name: str
    version: str
    description: str
    links: dict[str, str]


class Health(Answer):
    """How the server is."""

    status: str
    version: str
    parts: dict[str, str] = Field(description='What a request needs, each "ok"')


class SignalPage(Answer):
    """Some signals; `next` is the cursor of the page after, null at the end."""

    items: list[SignalRecord]
    next: str | None


class ModelPage(Answer):
    """Some models at their newest version."""

    items: list[ModelRecord]
    next: str | None


class VersionList(Answer):
    """All versions of a model, oldest first."""

    items: list[ModelRecord]


class SamplesAnswer(Answer):
    """Samples of a signal, [channels, *axes], the first axis from index start to stop."""

    id: str
    channels: list[str]
    unit: str
    start: int
    stop: int
    samples: list[Any]


class ProgressAnswer(Answer):
    """How far a job is."""

    fraction: float = Field(description="Share that is done, 0 to 1")
    stage: str
    error: float | None = Field(description="Mean square error so far")
    message: str


class JobAnswer(Answer):
    """A background run."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: ProgressAnswer
    result: dict[str, Any] | None = Field(description="What it made, once it is done")
    reason: str | None = Field(description="Why it ended as it did")
    attempts: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    request: dict[str, Any] = Field(description="What was asked for")

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        """The answer for a job."""
        progress = ProgressAnswer(
            fraction=job.progress.fraction,
            stage=job.progress.stage or "",
            error=job.progress.error,
            message=job.progress.message or "",
        )
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            progress=progress,
            result=job.result,
            reason=job.reason,
            attempts=job.attempts,
            created=datetime.fromtimestamp(job.created, UTC),
            started=_time(job.started),
            finished=_time(job.finished),
            request=job.payload,
        )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class JobPage(Answer):
    """Some jobs, newest first."""

    items: list[JobAnswer]
    next: str | None


class EstimateAnswer(Answer):
    """What a fit will cost."""

    samples: int
    waves: int
    numbers: int
    seconds: float = Field(description="Seconds of one core, right within a factor of about three")

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateAnswer:
        """The answer for an estimate."""
        return cls(
            samples=estimate.samples, waves=estimate.waves, numbers=estimate.numbers, seconds=estimate.seconds
        )


class AxisAnswer(Answer):
    """A coordinate of a model."""

    name: str
    unit: str


class EventRow(Answer):
    """A wave: time and width in axis units, frequency per unit, chirp_rate per unit², phase in radians."""

    index: int
    time: float
    width: float
    frequency: float
    chirp_rate: float
    amplitude: float
    phase: float
    energy: float | None
    edge: float
    centre: list[float] = Field(description="Per axis, in several dimensions; empty in one")
    widths: list[float]
    wavenumber: list[float] = Field(description="Radians per unit")

    @classmethod
    def of(cls, event: Event) -> EventRow:
        """The row of an event."""
        return cls.model_validate(asdict(event))


class EventList(Answer):
    """The waves of a model."""

    model: str
    version: int
    axis: AxisAnswer
    unit: str
    events: list[EventRow]


class KeptModel(Answer):
    """Where a lift was kept."""

    name: str
    version: int


class LiftAnswer(Answer):
    """A signal as waves."""

    id: str = Field(description="SHA-256 of the signal")
    text: str | None = Field(description="The text that was lifted, or null")
    lifted: bool
    message: str
    model: KeptModel | None = Field(description="Where it is kept, when save_as was given")
    waves: list[EventRow]
    error: float = Field(description="Mean square error on the samples, in squared signal units")
    snr_db: float | None
    bias: float = Field(description="The constant that is added to the waves")
    numbers: int
    seconds: float
    stopped_because: str
    axis: AxisAnswer
    unit: str


class EvaluateAnswer(Answer):
    """Values of a model, the last axis running fastest."""

    model: str
    version: int
    unit: str
    shape: list[int]
    values: list[float | None]


class CompareAnswer(Answer):
    """Two models on the same points; mean squares in squared signal units."""

    first: ModelRecord
    second: ModelRecord
    points: int
    difference: float | None
    first_error: float | None
    second_error: float | None

    @classmethod
    def of(cls, comparison: Comparison) -> CompareAnswer:
        """The answer for a comparison."""
        return cls(**{name: getattr(comparison, name) for name in cls.model_fields})


class ServerMetadata(Answer):
    """The server, in the words of the Open Inference Protocol."""

    name: str
    version: str
    extensions: list[str]


class Live(Answer):
    """Whether the server lives."""

    live: bool


class Ready(Answer):
    """Whether the server can answer."""

    ready: bool


class ModelReady(Answer):
    """Whether a model can answer."""

    name: str
    ready: bool
