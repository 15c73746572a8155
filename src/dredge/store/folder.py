"""Files in a folder.

Written with the standard library rather than with obstore, which serves the buckets: it lives through a fork,
which workers use and where obstore waits for ever, and it can ask the disk to really write. A file is written
to `.unfinished`, flushed, then given its name, so that a killed process or a power failure leaves all of it
or none.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import uuid4

from dredge.errors import StoreUnavailable
from dredge.store.files import CHUNK, Data, Exists, FileInfo, Missing
from dredge.store.problems import explain_os_error

T = TypeVar("T")
UNFINISHED = ".unfinished"
ROOM = 2**20  # bytes; with less, no job can keep its result
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class Folder:
    """Files in the folder `root`, made if it is not there. Raises StoreUnavailable when that fails."""

    far = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where = f"the folder {root}"
        with explain_os_error(self.where):
            root.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> bytes:
        with explain_os_error(self.where), self._open(key) as file:
            return file.read()

    def chunks(self, key: str) -> Iterator[bytes]:
        with explain_os_error(self.where):
            file = self._open(key)
        return self._pieces(file)

    def put(self, key: str, data: Data, *, create: bool = False) -> None:
        target = self.root / key
        with explain_os_error(self.where):
            if create and target.exists():
                raise Exists(key)
            draft = self._write_draft(data)
            try:
                self._within_folder(target, lambda: _link(draft, target) if create else draft.replace(target))
            finally:
                draft.unlink(missing_ok=True)
            _flush_folder(target.parent)

    def info(self, key: str) -> FileInfo:
        with explain_os_error(self.where):
            return self._info(self.root / key)

    def delete(self, key: str) -> None:
        path = self.root / key
        with explain_os_error(self.where):
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.root or not _remove_if_empty(folder):
                    break

    def walk(self, prefix: str = "") -> Iterator[FileInfo]:
        with explain_os_error(self.where):
            found = []
            for folder, folders, names in os.walk(self.root / prefix):
                folders[:] = [name for name in folders if name != UNFINISHED]
                found += [Path(folder, name) for name in names]
        for path in found:
            try:
                with explain_os_error(self.where):
                    info = self._info(path)
            except Missing:  # deleted since
                continue
            yield info

    def folders(self, prefix: str) -> list[str]:
        try:
            with os.scandir(self.root / prefix) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir() and entry.name != UNFINISHED)
        except FileNotFoundError:
            return []
        except OSError as error:
            with explain_os_error(self.where):
                raise error

    def check(self, *, room: bool = False, write: bool = False) -> None:
        with explain_os_error(self.where):
            if not self.root.is_dir():
                raise StoreUnavailable(f"The store, {self.where}, is gone.", hint="Mount it or make it again.")
            if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "permission denied")
            if room:
                disk = os.statvfs(self.root)
                if disk.f_bavail * disk.f_frsize < ROOM:
                    raise OSError(errno.ENOSPC, "no space left")
            if write:
                self._write_draft(b"probe").unlink()

    def sweep(self, before: float) -> list[str]:
        removed = []
        with explain_os_error(self.where):
            for draft in (self.root / UNFINISHED).glob("*"):
                if draft.stat().st_mtime < before:
                    draft.unlink(missing_ok=True)
                    removed.append(f"{UNFINISHED}/{draft.name}")
        return removed

    def _open(self, key: str) -> BinaryIO:
        try:
            return (self.root / key).open("rb")
        except (FileNotFoundError, IsADirectoryError):
            raise Missing(key) from None

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        with file:
            while True:
                with explain_os_error(self.where):
                    piece = file.read(CHUNK)
                if not piece:
                    return
                yield piece

    def _info(self, path: Path) -> FileInfo:
        try:
            status = path.stat()
        except FileNotFoundError:
            raise Missing(str(path)) from None
        return FileInfo(path.relative_to(self.root).as_posix(), status.st_size, status.st_mtime)

    def _write_draft(self, data: Data) -> Path:
        draft = self.root / UNFINISHED / uuid4().hex
        pieces = [data] if isinstance(data, bytes | bytearray | memoryview) else data
        opened = self._within_folder(draft, lambda: draft.open("xb"))
        try:
            with opened as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return draft

    def _within_folder(self, path: Path, act: Callable[[], T]) -> T:
        """Act on `path` once its folder is there; a delete may take the empty folder away, so try again."""
        for _ in range(100):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return act()
            except FileNotFoundError:
                time.sleep(0)
        raise FileNotFoundError(errno.ENOENT, f"the folder {path.parent} keeps vanishing")


def _link(draft: Path, target: Path) -> None:
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise Exists(str(target)) from None
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _copy_exclusively(draft, target)


def _copy_exclusively(draft: Path, target: Path) -> None:
    """For disks without hard links. A process killed inside leaves a part, which readers call damaged."""
    try:
        with target.open("xb") as file:
            file.write(draft.read_bytes())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Exists(str(target)) from None


def _flush_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # a delete was faster, or the system does not open folders
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
