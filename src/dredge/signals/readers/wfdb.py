"""WFDB (PhysioNet), through wfdb: the .hea file beside its .dat, or a ZIP of both."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np

from dredge.errors import DredgeError, InvalidInput, TooLarge, UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, damaged


def read(path: Path, limits: Limits) -> Recording:
    """Read a WFDB record."""
    if not zipfile.is_zipfile(path):
        return _record(path.with_suffix(""), limits)
    with tempfile.TemporaryDirectory(prefix="dredge-") as folder:
        return _record(_unpack(path, Path(folder), limits), limits)


def _unpack(path: Path, folder: Path, limits: Limits) -> Path:
    """Unpack the record's files, flat, and give its path without ending."""
    header = None
    with zipfile.ZipFile(path) as archive:
        total = 0
        for info in archive.infolist():
            name = PurePosixPath(info.filename).name
            if info.is_dir() or PurePosixPath(name).suffix not in (".hea", ".dat", ".mat"):
                continue
            total += info.file_size
            if total > 16 * limits.max_samples:
                raise TooLarge(f"The archive unpacks to more than {limits.max_samples:,} samples.", field="file")
            (folder / name).write_bytes(archive.read(info))
            header = folder / name if name.endswith(".hea") else header
    if header is None:
        raise UnreadableRecording("The archive holds no WFDB header (.hea).", field="file")
    return header.with_suffix("")


def _record(base: Path, limits: Limits) -> Recording:
    wfdb = need("wfdb", "medical")
    header_file = base.with_suffix(".hea")
    if not header_file.exists():
        raise UnreadableRecording(f"There is no header {header_file.name}.", field="file")
    try:
        header = wfdb.rdheader(str(base))
        files = getattr(header, "file_name", None) or []
        for name in files:
            if name and PurePosixPath(name).name != name:
                raise InvalidInput(f"The header names a file outside its folder: {name[:60]!r}.", field="file")
            if name and not (base.parent / name).exists():
                raise UnreadableRecording(f"The header names {name[:60]!r}, which is not there.", field="file",
                                          hint="Put the .dat beside the .hea, or give a ZIP of both.")
        limits.check(int(header.sig_len or 0) * int(header.n_sig or 0), "The WFDB record")
        record = wfdb.rdrecord(str(base))
    except DredgeError:
        raise
    except Exception as error:  # wfdb raises whatever its parsing stumbles over
        raise damaged("WFDB", error) from None
    if record.p_signal is None:
        raise UnreadableRecording("The WFDB record holds no signals.", field="file")
    samples = np.ascontiguousarray(record.p_signal.T, dtype=np.float64)
    units = list(record.units)
    begin = record.base_datetime.isoformat() + "Z" if record.base_datetime else None
    return Recording(samples, tuple(record.sig_name), float(record.fs), unit=units[0] if len(set(units)) == 1 else "1",
                     start_time=begin, name=record.record_name)
