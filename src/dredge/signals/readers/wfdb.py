"""WFDB (PhysioNet), through wfdb: the .hea file beside its .dat, or a ZIP of both."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from dredge.errors import DredgeError, InvalidInput, TooLarge, UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.readers.arrays import refuse_bomb
from dredge.signals.recording import Limits, Recording, damaged

MOST_FILES = 10_000


def read(path: Path, limits: Limits) -> Recording:
    """Read a WFDB record."""
    try:
        if path.suffix.lower() != ".zip" and not zipfile.is_zipfile(path):
            return _record(path.with_suffix(".hea"), limits)
        with tempfile.TemporaryDirectory(prefix="dredge-") as folder:
            return _record(_unpack(path, Path(folder), limits), limits)
    except DredgeError:
        raise
    except Exception as error:  # wfdb raises whatever its parsing stumbles over, zipfile errors of many kinds
        raise damaged("WFDB", error, path) from None


def _unpack(path: Path, folder: Path, limits: Limits) -> Path:
    """Unpack the record's files, flat, and give its header."""
    headers, total = [], 0
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > MOST_FILES:
            raise TooLarge(f"The archive holds {len(archive.infolist()):,} files; the limit is {MOST_FILES:,}.", field="file")
        for info in archive.infolist():
            name = PurePosixPath(info.filename).name
            if info.is_dir() or PurePosixPath(name).suffix not in (".hea", ".dat", ".mat"):
                continue
            refuse_bomb(info, limits, "archive")
            total += info.file_size
            if total > 16 * limits.max_samples + (1 << 20):
                raise TooLarge(f"The archive unpacks to more than {limits.max_samples:,} samples.", field="file")
            if (folder / name).exists():
                raise UnreadableRecording(f"The archive holds two files named {name[:60]!r}.", field="file")
            with archive.open(info) as packed, (folder / name).open("wb") as handle:
                shutil.copyfileobj(packed, handle, 1 << 20)
            if name.endswith(".hea"):
                headers.append(folder / name)
    if not headers:
        raise UnreadableRecording("The archive holds no WFDB header (.hea).", field="file")
    whole = [header for header in headers if _is_master(header)] or headers  # the segments of a record lie beside its header
    if len(whole) > 1:
        raise InvalidInput(f"The archive holds {len(whole)} records: {', '.join(h.stem[:40] for h in whole[:8])}.", field="file",
                           hint="Give one at a time.")
    return whole[0]


def _is_master(header: Path) -> bool:
    """Whether the record line says `name/segments`."""
    text = header.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and "/" in lines[0].split()[0]


def _record(header_file: Path, limits: Limits) -> Recording:
    wfdb = need("wfdb", "medical")
    if not header_file.exists():
        raise UnreadableRecording(f"There is no header {header_file.name[:60]}.", field="file")
    header = wfdb.rdheader(str(header_file.with_suffix("")))
    if (segments := getattr(header, "seg_name", None)) is not None:
        limits.check(int(header.sig_len or 0) * int(header.n_sig or 0), "The WFDB record")
        for name in segments:
            if name != "~":
                part = _beside(header_file, f"{name}.hea")
                if _is_master(part):
                    raise UnreadableRecording(f"The segment {name[:60]!r} is itself a record of segments.", field="file")
                _check(wfdb.rdheader(str(part.with_suffix(""))), part, limits)
    else:
        _check(header, header_file, limits)
    record = wfdb.rdrecord(str(header_file.with_suffix("")))
    if record.p_signal is None:
        raise UnreadableRecording("The WFDB record holds no signals.", field="file")
    samples = np.ascontiguousarray(record.p_signal.T, dtype=np.float64)
    begin = record.base_datetime.isoformat() + "Z" if record.base_datetime else None
    return Recording(samples, tuple(record.sig_name), float(record.fs), units=tuple(record.units), start_time=begin,
                     name=record.record_name)


def _beside(header_file: Path, name: str) -> Path:
    """The file that a header names. Raises when it is not in the header's folder."""
    if PurePosixPath(name).name != name or "\\" in name or "\0" in name or name in (".", ".."):
        raise InvalidInput(f"The header names a file outside its folder: {name[:60]!r}.", field="file")
    if not (header_file.parent / name).is_file():
        raise UnreadableRecording(f"The header names {name[:60]!r}, which is not there.", field="file",
                                  hint="Put the .dat beside the .hea, or give a ZIP of both.")
    return header_file.parent / name


def _check(header: Any, header_file: Path, limits: Limits) -> None:
    """Raise when a header asks for files elsewhere or for more than there is; wfdb takes memory for what it claims."""
    names, channels = header.file_name or [], int(header.n_sig or 0)
    if channels != len(names):
        raise UnreadableRecording(f"The header claims {channels:,} signals and describes {len(names):,}.", field="file")
    there = sum(_beside(header_file, name).stat().st_size for name in set(names) - {"~"})
    claimed = int(header.sig_len or 0) * sum(int(n) for n in header.samps_per_frame or [])
    shifted = max((abs(int(n or 0)) for n in header.skew or []), default=0) * channels
    # Without a length, wfdb reads whatever the files hold; the shortest sample takes a byte.
    limits.check((claimed or there) + shifted, "The WFDB record")
