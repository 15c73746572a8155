"""From a file, bytes or a stream to a Signal."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput, NotFound, UnreadableRecording
from dredge.signals.formats import ENOUGH, find_format
from dredge.signals.making import from_samples, time_axis
from dredge.signals.recording import Format, Limits, Recording, distinct
from dredge.signals.signal import Axis, Signal, find_channel, place
from dredge.signals.times import utc
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
    utc(start_time)
    file_name = _base_name(source, name)
    with _as_file(source, file_name) as path:
        with path.open("rb") as handle:
            head = handle.read(ENOUGH)
        found = find_format(head, file_name, format)
        recording = found.read(path, Limits(max_samples))
    return _signal(recording, found, file_name, sample_rate, unit, channels, start_time, gaps)


@contextmanager
def _as_file(source: Path | str | bytes | BinaryIO, name: str) -> Iterator[Path]:
    """The source as a file: itself, or a private copy that is removed afterwards."""
    if isinstance(source, str | Path):
        yield _there(Path(source))
        return
    if not isinstance(source, bytes | bytearray | memoryview) and not hasattr(source, "read"):
        raise InvalidInput(f"A recording is a path, bytes or a stream, not {type(source).__name__}.", field="file")
    ending = Path(name).suffix.lower()
    ending = ending if ending[1:].isalnum() and ending.isascii() and len(ending) < 16 else ""
    with tempfile.TemporaryDirectory(prefix="dredge-") as folder:
        path = Path(folder) / f"recording{ending}"
        with path.open("wb") as handle:
            if isinstance(source, bytes | bytearray | memoryview):
                handle.write(source)
            else:
                _copy(source, handle)
        yield path


def _there(path: Path) -> Path:
    """The path of a file that can be read. Pipes and devices are refused: they may never end."""
    try:
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder.", field="file")
        if not path.exists():
            raise NotFound(f"There is no file {path}.", field="file")
        if not path.is_file():
            raise InvalidInput(f"{path} is not a regular file.", field="file")
        path.open("rb").close()
    except OSError as error:
        raise UnreadableRecording(f"{str(path)[:200]} cannot be read: {error.strerror}.", field="file") from None
    return path


def _copy(source: BinaryIO, handle: BinaryIO) -> None:
    try:
        shutil.copyfileobj(source, handle, 1 << 20)
    except TypeError:
        raise InvalidInput("The stream gives text; open it in binary mode.", field="file") from None


def _base_name(source: Any, name: str | None) -> str:
    given = name or (str(source) if isinstance(source, str | Path) else getattr(source, "name", None))
    return Path(str(given)).name if given else "recording"


def _signal(recording: Recording, found: Format, file_name: str, sample_rate: float | None, unit: str | None,
            channels: Sequence[str | int] | None, start_time: str | None, gaps: Gaps) -> Signal:
    recording = replace(recording, channels=distinct(recording.channels))
    rows = _choose(recording, channels)
    names = tuple(recording.channels[row] for row in rows)
    samples = recording.samples[rows] if channels else recording.samples
    provenance = {"file": file_name, "format": found.name, **recording.notes}
    if np.isinf(samples).any():
        where = np.argwhere(np.isinf(samples))[0]
        raise InvalidInput(f"Sample {place(where[1:])} of channel {names[where[0]]!r} is infinite.", field="samples")
    missing = int(np.isnan(samples).sum())
    if missing and gaps == "interpolate":
        samples = _fill(samples, names)
        provenance["interpolated_samples"] = missing
    elif missing:
        _refuse_gap(samples, names, recording, missing)
    rate = sample_rate if sample_rate is not None else recording.sample_rate
    if rate is None and recording.axes is None:
        provenance["sample_rate"] = "not given; 1 Hz was taken"
    axes = _axes(recording, rate)
    begin = start_time if start_time is not None else recording.start_time
    name = recording.name or Path(file_name).name.partition(".")[0] or "recording"
    if unit is None:
        unit = _known(_file_unit(recording, rows, provenance), provenance)
    signal = from_samples(samples, unit=unit, axes=axes, channels=names, name=name)
    return replace(signal, start_time=utc(begin), provenance=provenance)


def _choose(recording: Recording, channels: Sequence[str | int] | None) -> list[int]:
    """Numbers of the channels that were asked for."""
    if not channels:
        return list(range(len(recording.channels)))
    wanted = [channels] if isinstance(channels, str) else channels
    rows = [find_channel(recording.channels, which, field="channels") for which in wanted]
    for number, row in enumerate(rows):
        if row in rows[:number]:
            raise InvalidInput(f"Channel {recording.channels[row]!r} is asked for twice.", field="channels")
    return rows


def _axes(recording: Recording, rate: float | None) -> tuple[Axis, ...]:
    """The axes of the file; a sample rate that was given holds for the axis of time."""
    if recording.axes is None:
        return (time_axis(recording.samples.shape[-1], 1.0 if rate is None else rate, recording.start),)
    if rate is None:
        return recording.axes
    if not any(axis.name == "time" for axis in recording.axes):
        raise InvalidInput("A sample rate was given, but this recording has no axis of time.", field="sample_rate")
    return tuple(replace(axis, step=1 / rate) if axis.name == "time" else axis for axis in recording.axes)


def _file_unit(recording: Recording, rows: list[int], provenance: dict[str, Any]) -> str | None:
    """The one unit of the chosen channels, as the file writes it."""
    if not recording.units:
        return recording.unit
    units = [recording.units[row] for row in rows]
    if len(set(units)) == 1:
        return units[0]
    provenance["units_in_file"] = [(unit or "1")[:64] for unit in units]
    return None


def _refuse_gap(samples: npt.NDArray[np.float64], names: tuple[str, ...], recording: Recording, missing: int) -> None:
    where = np.argwhere(np.isnan(samples))[0]
    at = f"sample {place(where[1:])}"
    if recording.sample_rate:
        at += f" ({recording.start + where[-1] / recording.sample_rate:g} s)"
    told = "1 sample is missing:" if missing == 1 else f"{missing:,} samples are missing, the first is"
    raise InvalidInput(f"{told} {at} of channel {names[where[0]]!r}.", field="samples",
                       hint="Cut the gap out, or import with gaps=interpolate." if samples.ndim == 2 else None)


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
