"""Signals in the store, addressed by their SHA-256."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput, SignalNotFound
from dredge.signals import Signal
from dredge.store import layout
from dredge.store.catalogue import Catalogue, Damaged, damaged, log
from dredge.store.files import CHUNK, Exists, Missing
from dredge.store.names import check_signal_id
from dredge.store.pages import cut
from dredge.store.records import Page, SignalRecord


class Signals(Catalogue):
    """Put, get, list and delete signals."""

    def put_signal(self, signal: Signal) -> SignalRecord:
        """Keep a signal. One that is already there is not written again; its first record comes back."""
        sha256 = signal.sha256
        samples = layout.signal_samples(sha256)
        header = _npy_header(signal.samples.shape)
        kept = self._complete(sha256, len(header) + signal.samples.nbytes)
        if kept is not None:
            return kept
        record = SignalRecord.of(signal)
        self.files.put(samples, _npy(header, signal.samples))
        try:
            self._write(layout.signal_manifest(sha256), record, create=True)
        except Exists:
            first = self._signal_or_none(sha256)
            if first is not None:
                return first
            self._write(layout.signal_manifest(sha256), record, create=False)  # it was there, but damaged
        return self._read(layout.signal_manifest(sha256), SignalRecord, _named(sha256))

    def signal_record(self, signal: str) -> SignalRecord:
        """The record of a signal by its SHA-256, or by the first 8 or more digits of it.

        Raises SignalNotFound, or InvalidInput when several signals start like that.
        """
        sha256 = self._sha256(check_signal_id(signal))
        try:
            return self._read(layout.signal_manifest(sha256), SignalRecord, _named(sha256))
        except Missing:
            raise _not_found(signal) from None

    def signal(self, signal: str) -> Signal:
        """A signal with its samples, checked against its hash.

        Raises SignalNotFound, or StoreUnavailable when it is damaged.
        """
        record = self.signal_record(signal)
        try:
            data = self.files.get(layout.signal_samples(record.id))
        except Missing:
            if self._signal_or_none(record.id) is None:  # deleted meanwhile
                raise _not_found(signal) from None
            raise damaged(_named(record.id), "its samples are gone") from None
        try:
            found = record.with_samples(_samples(data, record.shape))
        except (ValueError, InvalidInput) as error:
            raise damaged(_named(record.id), "its samples cannot be read") from error
        if found.sha256 != record.id:
            raise damaged(_named(record.id), "its samples are not those that were written")
        return found

    def signals(self, cursor: str | None = None, limit: int = 50) -> Page[SignalRecord]:
        """Signals by ascending id, a page at a time. Damaged ones are left out and logged."""
        names = [name for name in self.files.folders(layout.SIGNALS) if len(name) == 64]
        return cut(names, self._signal_or_none, what="signals", cursor=cursor, limit=limit, far=self.files.far)

    def delete_signal(self, signal: str) -> None:
        """Forget a signal. Raises SignalNotFound."""
        sha256 = self._sha256(check_signal_id(signal))
        try:
            self.files.info(layout.signal_manifest(sha256))
        except Missing:
            raise _not_found(signal) from None
        self.files.delete(layout.signal_manifest(sha256))
        self.files.delete(layout.signal_samples(sha256))

    def _complete(self, sha256: str, size: int) -> SignalRecord | None:
        record = self._signal_or_none(sha256)
        try:
            return record if self.files.info(layout.signal_samples(sha256)).size == size else None
        except Missing:
            return None

    def _signal_or_none(self, sha256: str) -> SignalRecord | None:
        try:
            return self._read(layout.signal_manifest(sha256), SignalRecord, _named(sha256))
        except Missing:
            return None
        except Damaged as error:
            log.warning("%s", error)
            return None

    def _sha256(self, signal: str) -> str:
        if len(signal) == 64:
            return signal
        found = [name for name in self.files.folders(layout.SIGNALS) if name.startswith(signal)]
        found = [name for name in found if self._signal_or_none(name) is not None] if len(found) > 1 else found
        if not found:
            raise _not_found(signal)
        if len(found) > 1:
            raise InvalidInput(
                f"{len(found)} signals have an id that starts with {signal}.",
                field="signal",
                hint="Give more of its digits.",
            )
        return found[0]


def _named(sha256: str) -> str:
    return f"Signal {sha256[:12]}"


def _not_found(signal: str) -> SignalNotFound:
    return SignalNotFound(f"There is no signal {signal}.", field="signal")


def _npy_header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def _npy(header: bytes, samples: npt.NDArray[np.float64]) -> bytes | Iterator[bytes | memoryview]:
    """An NPY file: whole when small, else in pieces that share the memory of the samples."""
    body = np.ascontiguousarray(samples, "<f8").data.cast("B")
    return header + bytes(body) if len(body) <= CHUNK else _pieces(header, body)


def _pieces(header: bytes, body: memoryview) -> Iterator[bytes | memoryview]:
    yield header
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]


def _samples(data: bytes, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """The array in an NPY file of 8-byte floats, sharing its memory. Raises ValueError for anything else."""
    file = io.BytesIO(data)
    try:
        np.lib.format.read_magic(file)
        found, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # numpy lets errors of its tokenizer through
        raise ValueError("not an NPY header") from error
    if found != shape or fortran or dtype != np.dtype("<f8"):
        raise ValueError(f"{dtype} {found} instead of <f8 {shape}")
    return np.frombuffer(data, "<f8", offset=file.tell()).reshape(shape)
