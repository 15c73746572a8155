"""EDF and BDF, through pyedflib. The channels that share the first one's rate and unit are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dredge.errors import DredgeError, InvalidInput
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, cut_short, damaged

FIXED = 256  # bytes of the header, and again for each channel


def read(path: Path, limits: Limits) -> Recording:
    """Read an EDF file."""
    pyedflib = need("pyedflib", "medical")
    try:
        _check_size(path)  # pyedflib would write about it on the standard output
        file = pyedflib.EdfReader(str(path))
        try:
            return _recording(file, limits)
        finally:
            file.close()
    except DredgeError:
        raise
    except Exception as error:  # pyedflib raises OSError, ValueError and others
        raise damaged("EDF", error, path) from None


def _recording(file: Any, limits: Limits) -> Recording:
    rates, units = file.getSampleFrequencies(), [file.getPhysicalDimension(i).strip() for i in range(file.signals_in_file)]
    if not len(rates):
        raise InvalidInput("The EDF file holds no signals.", field="file")
    chosen = [i for i in range(len(rates)) if rates[i] == rates[0] and units[i] == units[0]]
    sizes = file.getNSamples()
    limits.check(int(sum(sizes[i] for i in chosen)), "The EDF file")
    samples = np.stack([file.readSignal(i) for i in chosen]).astype(np.float64)
    left_out = [file.getLabel(i).strip() for i in range(len(rates)) if i not in chosen]
    return Recording(samples, tuple(file.getLabel(i) for i in chosen), float(rates[0]), unit=units[0] or None,
                     start_time=file.getStartdatetime().isoformat() + "Z",
                     notes={"channels_left_out": left_out} if left_out else {})


def _check_size(path: Path) -> None:
    """Raise when the file has not the size that its header gives it."""
    with path.open("rb") as handle:
        head = handle.read(FIXED)
        channels = _whole(head[252:256])
        rest = handle.read(FIXED * channels) if 0 < channels < 10_000 else b""
    if len(rest) < FIXED * channels or channels < 1:
        raise ValueError("its header is cut short")
    counts = [_whole(rest[216 * channels + 8 * i :][:8]) for i in range(channels)]
    record = sum(counts) * (3 if head[:1] == b"\xff" else 2)
    records, there = _whole(head[236:244]), path.stat().st_size - FIXED * (channels + 1)
    if min(counts) < 0 or record < 1 or records < 1:
        raise ValueError(f"its header claims {records} records of {record} bytes")
    if there < records * record:
        raise cut_short("The EDF file", there // record, records, "records")
    if there > records * record:
        raise ValueError(f"{there - records * record:,} bytes follow its last record")


def _whole(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("its header is damaged" if text else "its header is cut short") from None
