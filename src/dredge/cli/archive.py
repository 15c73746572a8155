"""A store as one tar file, and back."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dredge.cli.output import Report
from dredge.cli.targets import check_folder
from dredge.errors import DredgeError, InvalidInput, NotFound
from dredge.store import Store

SPOOL = 64 << 20  # bytes of one object that are held in memory


def write_archive(store: Store, path: Path, report: Report) -> tuple[int, int]:
    """Write every object of the store; gives how many and their bytes. The file appears when it is whole."""
    check_folder(path, "file")
    keys = list(store.keys())
    count = size = 0
    part = path.with_name(f".{path.name}.part")
    try:
        with tarfile.open(part, "w") as archive:
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
        part.replace(path)
    except OSError as error:
        raise DredgeError(f"{path} could not be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return count, size


def read_archive(store: Store, path: Path, report: Report) -> tuple[int, int]:
    """Put every object of an archive that is not there yet into the store; gives how many and their bytes."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", field="file")
    present = set(store.keys())
    count = size = 0
    total = max(1, path.stat().st_size)
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                handle = archive.extractfile(member) if member.isreg() else None
                if handle is None or member.name in present:
                    continue
                store.put_raw(member.name, _pieces(handle))
                count, size = count + 1, size + member.size
                report(min(1.0, member.offset_data / total), member.name)
    except tarfile.TarError as error:
        raise InvalidInput(f"{path} is not a backup: {error}.", field="file") from None
    return count, size


def _pieces(handle: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: handle.read(1 << 20), b"")
