"""What jobs leave in the store: results and checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

from dredge.errors import InvalidInput, NotFound
from dredge.store import layout
from dredge.store.catalogue import Catalogue
from dredge.store.files import Data, Missing
from dredge.store.names import check_job, check_key


class JobFiles(Catalogue):
    """Put and get the files of jobs."""

    def put_file(self, key: str, data: Data) -> str:
        """Keep bytes or a stream under results/<job>/…; gives the key back.

        A failing stream leaves nothing.
        """
        self.files.put(_result(key), data)
        return key

    def open_file(self, key: str) -> Iterator[bytes]:
        """A result file in pieces. Raises NotFound at once when there is none."""
        try:
            return self.files.chunks(_result(key))
        except Missing:
            raise NotFound(f"There is no file {key}.", field="key") from None

    def delete_files(self, job: str) -> None:
        """Forget all that a job left."""
        for prefix in (layout.RESULTS, layout.CHECKPOINTS):
            for file in list(self.files.walk(f"{prefix}/{check_job(job)}")):
                self.files.delete(file.key)

    def put_checkpoint(self, job: str, data: bytes) -> None:
        """Keep where a job stands; the last one counts."""
        self.files.put(layout.checkpoint(check_job(job)), data)

    def checkpoint(self, job: str) -> bytes | None:
        """Where the job stood when it last said so, or None."""
        try:
            return self.files.get(layout.checkpoint(check_job(job)))
        except Missing:
            return None

    def drop_checkpoint(self, job: str) -> None:
        """Forget where a job stood."""
        self.files.delete(layout.checkpoint(check_job(job)))


def _result(key: str) -> str:
    if not check_key(key).startswith(f"{layout.RESULTS}/"):
        raise InvalidInput(f"{key!r} is not under {layout.RESULTS}/.", field="key")
    return key
