"""Files in a bucket (S3, Google Cloud, Azure), through obstore."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

from dredge.errors import InvalidSetting, StoreUnavailable
from dredge.store.files import CHUNK, Data, Exists, FileInfo, Missing
from dredge.store.problems import explain_answer

PART = 8 * 1024 * 1024  # S3 takes no parts under 5 MiB and no more than 10,000 of them
NOT_FOUND = (NotFoundError, FileNotFoundError)
FAILED = (BaseError, OSError, ValueError)

_started_in: int | None = None  # the process whose threads obstore uses
_starting = threading.Lock()


class Bucket:
    """Files in the bucket that `url` names; obstore reads credentials and endpoint from the environment."""

    far = True

    def __init__(self, url: str) -> None:
        self.where = url.partition("?")[0]
        options: Any = {"connect_timeout": "5s", "timeout": "120s"}
        if _endpoint().startswith("http://"):
            options["allow_http"] = "true"
        try:
            self._store: Any = obstore.store.from_url(url, client_options=options, retry_config={"max_retries": 3})
        except (*FAILED, TypeError) as error:
            raise InvalidSetting(
                f"DREDGE_STORE={self.where} cannot be used: {str(error).splitlines()[0]}.",
                field="DREDGE_STORE",
                hint="For example s3://bucket/folder.",
            ) from error

    def get(self, key: str) -> bytes:
        with self._asking(key):
            return obstore.get(self._store, key).bytes().to_bytes()

    def chunks(self, key: str) -> Iterator[bytes]:
        size = self.info(key).size
        return self._pieces(key, size)

    def put(self, key: str, data: Data, *, create: bool = False) -> None:
        whole = isinstance(data, bytes | bytearray | memoryview)
        with self._asking(key):
            if create:
                body = bytes(data) if whole else b"".join(data)  # type: ignore[arg-type]
                obstore.put(self._store, key, body, mode="create", use_multipart=False)
            else:
                obstore.put(self._store, key, bytes(data) if whole else iter(data), chunk_size=PART)  # type: ignore[arg-type]

    def info(self, key: str) -> FileInfo:
        with self._asking(key):
            return _info(obstore.head(self._store, key))

    def delete(self, key: str) -> None:
        try:
            with self._asking(key):
                obstore.delete(self._store, key)
        except Missing:
            pass

    def walk(self, prefix: str = "") -> Iterator[FileInfo]:
        with self._asking(prefix):
            pages = iter(obstore.list(self._store, prefix or None, chunk_size=1000))
        while True:
            with self._asking(prefix):
                page = next(pages, None)
            if page is None:
                return
            yield from (_info(meta) for meta in page)

    def folders(self, prefix: str) -> list[str]:
        with self._asking(prefix):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def check(self, *, room: bool = False, write: bool = False) -> None:
        next(self.walk("probe"), None)
        if write:
            key = f"probe/{uuid4().hex}"
            self.put(key, b"probe", create=True)
            self.delete(key)

    def sweep(self, before: float) -> list[str]:
        return []  # an upload that never ended is invisible; a life-cycle rule of the bucket removes it

    def _pieces(self, key: str, size: int) -> Iterator[bytes]:
        """By range, so that no request lasts as long as the reader takes."""
        for start in range(0, size, CHUNK):
            with self._asking(key):
                piece = obstore.get_range(self._store, key, start=start, end=min(start + CHUNK, size)).to_bytes()
            yield piece

    @contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        _refuse_after_fork()
        try:
            yield
        except (AlreadyExistsError, PreconditionError) as error:
            raise Exists(key) from error
        except NOT_FOUND as error:
            if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
                raise explain_answer(self.where, error) from error
            raise Missing(key) from error
        except FAILED as error:
            raise explain_answer(self.where, error) from error


def _refuse_after_fork() -> None:
    """In a child of a process that has used obstore its threads are gone, and a call would wait for ever."""
    global _started_in  # noqa: PLW0603
    if _started_in is None:
        with _starting:
            _started_in = _started_in or os.getpid()
    if _started_in != os.getpid():
        raise StoreUnavailable(
            "The bucket was used before this process was forked, and cannot be used after.",
            hint="Fork before the first use of the store, or start a new process instead of forking.",
        )


def _info(meta: Any) -> FileInfo:
    return FileInfo(meta["path"], meta["size"], meta["last_modified"].timestamp())


def _endpoint() -> str:
    names = (
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT",
        "AZURE_ENDPOINT",
        "AZURE_STORAGE_ENDPOINT",
    )
    return next((os.environ[name] for name in names if os.environ.get(name)), "")
