"""What the catalogue needs of a place that keeps files: a folder (folder.py) or a bucket (bucket.py).

Keys are paths with "/" between their parts. A file appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

Data = bytes | bytearray | memoryview | Iterable[bytes | memoryview]
CHUNK = 4 * 1024 * 1024


class Missing(Exception):
    """No file has this key. Stays inside the store, which knows what the key stands for."""


class Exists(Exception):
    """A file already has this key. Stays inside the store."""


@dataclass(frozen=True)
class FileInfo:
    """A file without its contents; `modified` in seconds since 1970."""

    key: str
    size: int
    modified: float


class Files(Protocol):
    """A place that keeps files. All but Missing and Exists is raised as StoreUnavailable."""

    where: str  # for people, without credentials
    far: bool  # whether one call costs a round trip, so that many are worth making at once

    def get(self, key: str) -> bytes:
        """The file whole. Raises Missing."""
        ...

    def chunks(self, key: str) -> Iterator[bytes]:
        """The file in pieces. Raises Missing before the first piece."""
        ...

    def put(self, key: str, data: Data, *, create: bool = False) -> None:
        """Write the file, in one step as seen from outside. With `create`, raises Exists if there is one."""
        ...

    def info(self, key: str) -> FileInfo:
        """Raises Missing."""
        ...

    def delete(self, key: str) -> None:
        """Remove the file; one that is missing is no error."""
        ...

    def walk(self, prefix: str = "") -> Iterator[FileInfo]:
        """Every file whose key starts with the folder `prefix`, in no order."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in the folder `prefix`, sorted."""
        ...

    def check(self, *, room: bool = False, write: bool = False) -> None:
        """Raises StoreUnavailable when the place does not answer or, with `room`, is full or, with `write`, cannot be written."""
        ...

    def sweep(self, before: float) -> list[str]:
        """Remove what writes that never ended left before the time `before`; says what went."""
        ...
