"""The store: signals, models and the files of jobs, in a folder or a bucket."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dredge.errors import InvalidSetting, NotFound
from dredge.store import layout
from dredge.store.files import Missing
from dredge.store.folder import Folder
from dredge.store.jobfiles import JobFiles
from dredge.store.models import Models
from dredge.store.names import check_key
from dredge.store.records import Usage
from dredge.store.signals import Signals
from dredge.store.sweep import orphans

BUCKETS = {"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"}
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")


class Store(Signals, Models, JobFiles):
    """Keeps what DREDGE knows. Safe to use from many threads and processes at once."""

    @classmethod
    def open(cls, place: str | PathLike[str]) -> Store:
        """The store in a folder, at file://…, or in a bucket: s3://, gs:// or az://.

        A folder is made if it is not there; a bucket is not asked before the first call, and its credentials
        come from the environment. Raises InvalidSetting for what is no address, StoreUnavailable for a folder
        that cannot be made.
        """
        address = str(place)
        found = SCHEME.match(address.lower())
        if not address.strip() or "\0" in address:
            raise InvalidSetting("DREDGE_STORE is empty.", field="DREDGE_STORE", hint="Give a folder or s3://bucket/folder.")
        if not found:
            return cls(Folder(Path(address).expanduser().absolute()))
        if found[1] == "file":
            parts = urlsplit(address)
            if parts.netloc not in ("", "localhost"):
                raise InvalidSetting(
                    f"DREDGE_STORE={address} names another machine.",
                    field="DREDGE_STORE",
                    hint=f"For a folder on this one write three slashes: file:///{parts.netloc}{parts.path}",
                )
            return cls(Folder(Path(unquote(parts.path)).absolute()))
        if found[1] not in BUCKETS:
            raise InvalidSetting(
                f"DREDGE_STORE={address} is of a kind that is not known.",
                field="DREDGE_STORE",
                hint="Use a folder, file://, s3://, gs:// or az://.",
            )
        from dredge.store.bucket import Bucket

        return cls(Bucket(address))

    @property
    def where(self) -> str:
        """Where the store is, for people."""
        return self.files.where

    def check(self, *, room: bool = False, write: bool = False) -> None:
        """Raises StoreUnavailable when the store does not answer or, with `room`, is full or, with `write`, cannot be written."""
        self.files.check(room=room, write=write)

    def usage(self) -> Usage:
        """How much there is. Looks at every key."""
        signals = versions = files = size = 0
        models = set()
        for file in self.files.walk():
            parts = file.key.split("/")
            files, size = files + 1, size + file.size
            if parts[-1] == layout.MANIFEST and parts[0] == layout.SIGNALS:
                signals += 1
            elif parts[-1] == layout.MANIFEST and parts[0] == layout.MODELS:
                versions += 1
                models.add(parts[1])
        return Usage(signals=signals, models=len(models), versions=versions, files=files, bytes=size)

    def sweep(self, older_than_seconds: float = 86_400.0) -> list[str]:
        """Remove what puts and jobs that never ended left longer ago than that; gives the keys that went.

        Choose an age above the longest time that a job may take.
        """
        before = time.time() - older_than_seconds
        removed = self.files.sweep(before)
        for key in orphans(list(self.files.walk()), before):
            self.files.delete(key)
            removed.append(key)
        return removed

    # The store as plain files, for backups

    def keys(self) -> Iterator[str]:
        """The key of every file, manifests last, so that a copy that stops half-way shows nothing half."""
        keys = sorted(file.key for file in self.files.walk())
        yield from (key for key in keys if not key.endswith(f"/{layout.MANIFEST}"))
        yield from (key for key in keys if key.endswith(f"/{layout.MANIFEST}"))

    def get_raw(self, key: str) -> Iterator[bytes]:
        """A file in pieces, by its key. Raises NotFound."""
        try:
            return self.files.chunks(check_key(key))
        except Missing:
            raise NotFound(f"There is no file {key}.", field="key") from None

    def put_raw(self, key: str, data: bytes | Iterator[bytes]) -> None:
        """Write a file by its key, as `get_raw` gave it."""
        self.files.put(check_key(key), data)


def copy_store(source: Store, target: Store, progress: Callable[[int, int, str], None] | None = None) -> int:
    """Copy every file of one store into another; gives how many. `progress` gets (done, total, key).

    What was deleted while the copy ran is passed over. Running it again completes a copy that stopped.
    """
    keys = list(source.keys())
    copied = 0
    for done, key in enumerate(keys, 1):
        try:
            target.put_raw(key, source.get_raw(key))
            copied += 1
        except NotFound:
            pass
        if progress is not None:
            progress(done, len(keys), key)
    return copied
