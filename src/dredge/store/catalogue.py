"""What the parts of a Store share: the files under it and the reading of manifests."""

from __future__ import annotations

import logging
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dredge.errors import StoreUnavailable
from dredge.store.files import Files

M = TypeVar("M", bound=BaseModel)
log = logging.getLogger("dredge.store")


class Catalogue:
    """Files, and the records that manifests hold."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def _read(self, key: str, kind: type[M], what: str) -> M:
        """The record in a manifest. Raises Missing, or Damaged naming `what` when it makes no sense."""
        data = self.files.get(key)
        try:
            return kind.model_validate_json(data)
        except ValidationError as error:
            raise damaged(what, "its manifest cannot be understood") from error

    def _write(self, key: str, record: BaseModel, *, create: bool) -> None:
        self.files.put(key, record.model_dump_json(indent=1).encode(), create=create)


class Damaged(StoreUnavailable):
    """An object whose files are not what they were. For callers it is a StoreUnavailable like any other."""


def damaged(what: str, why: str) -> Damaged:
    """The error that names the object and what is wrong with it."""
    return Damaged(f"{what} is damaged: {why}.", hint="Restore it from a backup, or delete it and make it again.")
