"""The types that tools take, and the checks that a JSON schema cannot make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from dredge.errors import InvalidInput, NotFound, TooLarge
from dredge.settings import Settings

# Numbers, or rows of numbers. The code that uses them checks each, and names the bad one.
_ARRAY = {
    "type": "array",
    "items": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]},
}

Samples = Annotated[
    list[Any] | None,
    Field(description="Samples [N], or [channels][N]"),
    WithJsonSchema({"anyOf": [_ARRAY, {"type": "null"}]}),
]
Points = Annotated[
    list[Any] | None,
    Field(description="Coordinates [N], or [N][d] for a model with d axes"),
    WithJsonSchema({"anyOf": [_ARRAY, {"type": "null"}]}),
]
SignalId = Annotated[str, Field(description="Id of a signal, or its first 8 or more characters")]
ModelName = Annotated[str, Field(description="Name of a model")]
Version = Annotated[int | None, Field(description="Version of the model; the newest when left out", ge=1)]
JobId = Annotated[str, Field(description="Id of a job")]
Channel = Annotated[str | int, Field(description="Name or number of the channel")]
Limit = Annotated[int, Field(description="Most rows to return", ge=1, le=100)]
Cursor = Annotated[str | None, Field(description="next_cursor of the page before")]
Waves = Annotated[int | None, Field(description="How many waves")]
Numbers = Annotated[
    int | None, Field(description="How many stored numbers the model may take, instead of waves")
]
TargetError = Annotated[
    float | None, Field(description="Stop at this mean square error, in squared signal units")
]
Seconds = Annotated[float | None, Field(description="Stop after this many seconds")]
Seed = Annotated[int, Field(description="Seed of everything random")]
Edge = Annotated[
    bool, Field(description="Let each wave choose how sharp its envelope is (one number more a wave)")
]
HoldOut = Annotated[
    float, Field(description="Share of the samples kept back to score the model on, 0 to below 1")
]
Format = Annotated[str | None, Field(description="Format of the file, when its name does not say")]
SampleRate = Annotated[float, Field(description="Samples per second")]
Unit = Annotated[str, Field(description="Unit of the values, for example mV; 1 for none")]
Gaps = Annotated[
    Literal["refuse", "interpolate"], Field(description="What to do where the recording has gaps")
]


class GridAxis(BaseModel):
    """A regular axis of a grid; `stop` is its last point."""

    start: float
    stop: float
    count: int = Field(ge=1)


def inbox_file(settings: Settings, path: str) -> Path:
    """A file in the folder `inbox` of the data folder: no others may be named by a caller."""
    inbox = (settings.dredge_data / "inbox").resolve()
    if "\0" in path or "://" in path:
        raise InvalidInput(
            f"{path!r} is not the path of a file in the inbox.",
            field="path",
            hint="Addresses are not fetched.",
        )
    found = (inbox / path).resolve()
    if not found.is_relative_to(inbox):
        raise InvalidInput(
            f"{path!r} is outside the inbox.",
            field="path",
            hint="Put the recording into the folder `inbox` of the data folder and give its name.",
        )
    if not found.is_file():
        there = sorted(entry.name for entry in inbox.iterdir())[:10] if inbox.is_dir() else []
        raise NotFound(
            f"There is no file {path!r} in the inbox.",
            field="path",
            hint=f"There are: {', '.join(there)}."
            if there
            else "It is empty: put the recording into the folder `inbox` of the data folder.",
        )
    if found.stat().st_size > settings.max_upload_mb * 2**20:
        raise TooLarge(f"{path!r} is larger than {settings.max_upload_mb} MiB.", field="path")
    return found
