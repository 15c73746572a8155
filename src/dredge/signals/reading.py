"""From a file, bytes or a stream to a Signal."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput, NotFound, UnreadableRecording
from dredge.signals.formats import ENOUGH, find_format
from dredge.signals.making import from_samples, time_axis
from dredge.signals.recording import Format, Limits, Recording
from dredge.signals.signal import Signal
from dredge.signals.units import check_unit

MAX_SAMPLES = 50_000_000
Gaps = Literal["refuse", "interpolate"]


def read(source: Path | str | bytes | BinaryIO, *, format: str | None = None, name: str | None = None,
         sample_rate: float | None = None, unit: str | None = None, channels: Sequence[str | int] | None = None,
         start_time: str | None = None, gaps: Gaps = "refuse", max_samples: int = MAX_SAMPLES) -> Signal:
    """Read a recording. What is given (sample_rate in hertz, unit, start_time) wins over what the file says.

    `channels` selects by name or number. With gaps="interpolate", missing samples are filled in linearly and counted in the
    provenance; otherwise they are refused. Raises UnreadableRecording, InvalidInput naming the field, TooLarge before
    memory is taken, and MissingExtra with the command that installs what the format needs.
    """
    if gaps not in ("refuse", "interpolate"):
        raise InvalidInput(f"gaps is {gaps!r}; it can be refuse or interpolate.", field="gaps")
    if sample_rate is not None:
        time_axis(2, sample_rate)
    if unit is not None:
        check_unit(unit)
    with _as_file(source, name) as path:
        with path.open("rb") as handle:
            head = handle.read(ENOUGH)
        found = find_format(head, name or path.name, format)
        recording = found.read(path, Limits(max_samples))
    return _signal(recording, found, _base_name(source, name), sample_rate, unit, channels, start_time, gaps)


@contextmanager
def _as_file(source: Path | str | bytes | BinaryIO, name: str | None) -> Iterator[Path]:
    """The source as a file: itself, or a private copy that is removed afterwards."""
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder.", field="file")
        if not path.exists():
            raise NotFound(f"There is no file {path}.", field="file")
        try:
            path.open("rb").close()
        except OSError as error:
            raise UnreadableRecording(f"{path} cannot be read: {error.strerror}.", field="file") from None
        yield path
        return
    ending = "".join(Path(name or "").suffixes[-2:]) if name else ""
    ending = ending if ending.replace(".", "").isalnum() and len(ending) < 16 else ""
    with tempfile.TemporaryDirectory(prefix="dredge-") as folder:
        path = Path(folder) / f"recording{ending}"
        with path.open("wb") as handle:
            if isinstance(source, bytes | bytearray | memoryview):
                handle.write(source)
            else:
                shutil.copyfileobj(source, handle, 1 << 20)
        yield path


def _base_name(source: Any, name: str | None) -> str:
    given = name or (str(source) if isinstance(source, str | Path) else getattr(source, "name", None))
    return Path(str(given)).name if given else "recording"


def _signal(recording: Recording, found: Format, file_name: str, sample_rate: float | None, unit: str | None,
            channels: Sequence[str | int] | None, start_time: str | None, gaps: Gaps) -> Signal:
    samples, names = _choose(recording, channels)
    provenance = {"file": file_name, "format": found.name, **recording.notes}
    if np.isinf(samples).any():
        where = np.argwhere(np.isinf(samples))[0]
        raise InvalidInput(f"Sample {int(where[-1])} of channel {names[where[0]]!r} is infinite.", field="samples")
    missing = int(np.isnan(samples).sum())
    if missing and gaps == "interpolate":
        samples = _fill(samples, names)
        provenance["interpolated_samples"] = missing
    elif missing:
        _refuse_gap(samples, names, recording, missing)
    rate = sample_rate or recording.sample_rate or 1.0
    if recording.sample_rate is None and sample_rate is None and recording.axes is None:
        provenance["sample_rate"] = "not given; 1 Hz was taken"
    axes = recording.axes or (time_axis(samples.shape[-1], rate, recording.start),)
    begin = start_time if start_time is not None else recording.start_time
    name = recording.name or Path(file_name).name.partition(".")[0] or "recording"
    signal = from_samples(samples, unit=unit or _known(recording.unit, provenance), axes=axes, channels=names, name=name)
    return replace(signal, start_time=_utc(begin), provenance=provenance)


def _choose(recording: Recording, channels: Sequence[str | int] | None) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    if not channels:
        return recording.samples, recording.channels
    rows = []
    for which in channels:
        if which in recording.channels:
            rows.append(recording.channels.index(str(which)))
        elif str(which).isdigit() and int(which) < len(recording.channels):
            rows.append(int(which))
        else:
            raise InvalidInput(f"No channel {which!r}; there are {', '.join(map(repr, recording.channels[:20]))}.",
                               field="channels")
    return recording.samples[rows], tuple(recording.channels[row] for row in rows)


def _refuse_gap(samples: npt.NDArray[np.float64], names: tuple[str, ...], recording: Recording, missing: int) -> None:
    where = np.argwhere(np.isnan(samples))[0]
    place = f"sample {int(where[-1])}"
    if recording.sample_rate:
        place += f" ({recording.start + where[-1] / recording.sample_rate:g} s)"
    raise InvalidInput(f"{missing:,} samples are missing, the first is {place} of channel {names[where[0]]!r}.",
                       field="samples", hint="Cut the gap out, or import with gaps=interpolate.")


def _fill(samples: npt.NDArray[np.float64], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    if samples.ndim != 2:
        raise InvalidInput("Gaps can be interpolated on a time axis only.", field="gaps")
    filled = samples.copy()
    at = np.arange(samples.shape[1])
    for row, name in zip(filled, names, strict=True):
        there = ~np.isnan(row)
        if there.sum() < 2:
            raise InvalidInput(f"Channel {name!r} has fewer than two samples that are numbers.", field="samples")
        row[~there] = np.interp(at[~there], at[there], row[there])
    return filled


def _known(unit: str | None, provenance: dict[str, Any]) -> str:
    """The file's unit when it is one that is known; a file may write anything there."""
    if unit is None:
        return "1"
    try:
        return check_unit(unit)
    except InvalidInput:
        provenance["unit_in_file"] = unit[:64]
        return "1"


def _utc(text: str | None) -> str | None:
    """An ISO 8601 time as UTC. Raises InvalidInput(field="start_time")."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        raise InvalidInput(f"The start time {str(text)[:40]!r} is not an ISO 8601 time.", field="start_time",
                           hint="Write it as 2009-08-24T00:20:03Z.") from None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.isoformat().replace("+00:00", "Z")
