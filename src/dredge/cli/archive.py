"""A store as one tar file, and back."""

from __future__ import annotations

import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dredge.cli.output import Report
from dredge.cli.targets import check_folder
from dredge.errors import DredgeError, InvalidInput, NotFound
from dredge.store import Store

STANDARD = Path("-")
SPOOL = 64 << 20  # bytes of one object that are held in memory


def write_archive(store: Store, path: Path, report: Report) -> tuple[int, int]:
    """Write every object of the store; gives how many and their bytes. The file appears when it is whole; `-` is stdout."""
    if path == STANDARD:
        with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
            return _pack(store, archive, report)
    check_folder(path, "file")
    part = path.with_name(f".{path.name}.part")
    try:
        with tarfile.open(part, "w") as archive:
            told = _pack(store, archive, report)
        part.replace(path)
    except OSError as error:
        raise DredgeError(f"{path} could not be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return told


def read_archive(store: Store, path: Path, report: Report) -> tuple[int, int]:
    """Put every object of an archive that is not there yet into the store; gives how many and their bytes. `-` is stdin."""
    if path != STANDARD and not path.is_file():
        raise NotFound(f"There is no file {path}.", field="file")
    try:
        if path == STANDARD:
            with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
                return _unpack(store, archive, 0, report)
        with tarfile.open(path, "r:") as archive:
            return _unpack(store, archive, path.stat().st_size, report)
    except tarfile.TarError as error:
        raise InvalidInput(f"{path} is not a backup: {error}.", field="file") from None


def _pack(store: Store, archive: tarfile.TarFile, report: Report) -> tuple[int, int]:
    keys = list(store.keys())
    count = size = 0
    for done, key in enumerate(keys, 1):
        with tempfile.SpooledTemporaryFile(SPOOL) as spool:
            try:
                length = sum(spool.write(piece) for piece in store.get_raw(key))
            except NotFound:
                continue  # deleted while the backup ran
            spool.seek(0)
            info = tarfile.TarInfo(key)
            info.size = length
            archive.addfile(info, spool)
        count, size = count + 1, size + length
        report(done / len(keys), key)
    return count, size


def _unpack(store: Store, archive: tarfile.TarFile, total: int, report: Report) -> tuple[int, int]:
    present = set(store.keys())
    count = size = 0
    for member in archive:
        handle = archive.extractfile(member) if member.isreg() else None
        if handle is None or member.name in present:
            continue
        store.put_raw(member.name, _pieces(handle))
        count, size = count + 1, size + member.size
        report(min(1.0, member.offset_data / max(1, total)), member.name)
    return count, size


def _pieces(handle: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: handle.read(1 << 20), b"")
