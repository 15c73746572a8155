"""Models in the store, by name and version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from dredge.errors import InvalidInput, ModelNotFound
from dredge.store import layout
from dredge.store.catalogue import Catalogue, Damaged, damaged, log
from dredge.store.files import Exists, Missing
from dredge.store.names import check_name, check_version
from dredge.store.pages import cut
from dredge.store.records import Claim, ModelAxis, ModelRecord, Page, now, plain


class Models(Catalogue):
    """Set versions aside, put, get, list and delete models."""

    def reserve_version(self, name: str, claim: Mapping[str, Any] | None = None) -> int:
        """A version number of `name` that no one else has had or will have: 1, 2, 3, …

        `claim` says who asks. The version exists for readers once `put_model` has written it.
        """
        taken = (int(folder) for folder in self.files.folders(f"{layout.MODELS}/{check_name(name)}") if folder.isdecimal())
        version = max(taken, default=0) + 1
        while True:
            try:
                entry = Claim(version=version, created=now(), claim=plain(dict(claim or {})))
                self._write(layout.model_claim(name, version), entry, create=True)
            except Exists:
                version += 1
            else:
                return version

    def put_model(
        self,
        name: str,
        version: int,
        data: bytes | bytearray | memoryview,
        *,
        kind: str,
        dimension: int,
        waves: int,
        numbers: int,
        axes: Sequence[ModelAxis | Mapping[str, str]] = (),
        unit: str = "1",
        signal: str | None = None,
        channel: str | None = None,
        settings: Mapping[str, Any] | None = None,
        seed: int | None = None,
        software: str = "",
        scores: Mapping[str, float | None] | None = None,
        job: str | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> ModelRecord:
        """Keep the safetensors `data` as one version. A second call gives the first's record."""
        manifest = layout.model_manifest(check_name(name), check_version(version))
        data = bytes(data)
        if not data:
            raise InvalidInput("The model is empty.", field="data")
        try:
            return self._read(manifest, ModelRecord, _named(name, version))
        except Missing:
            pass
        record = ModelRecord(
            name=name,
            version=version,
            kind=kind,
            dimension=dimension,
            waves=waves,
            numbers=numbers,
            axes=tuple(axis if isinstance(axis, ModelAxis) else ModelAxis(**axis) for axis in axes),
            unit=unit,
            created=now(),
            signal=signal,
            channel=channel,
            settings=plain(dict(settings or {})),
            seed=seed,
            software=software,
            scores=plain(dict(scores or {})),
            sha256=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            job=job,
            report=None if report is None else plain(dict(report)),
        )
        weights = layout.model_weights(name, version, record.sha256)
        self.files.put(weights, data)
        try:
            self._write(manifest, record, create=True)
        except Exists:  # the same job ran twice at once, and the other was faster
            first = self._read(manifest, ModelRecord, _named(name, version))
            if first.sha256 != record.sha256:
                self.files.delete(weights)
            return first
        return record

    def model(self, name: str, version: int | None = None) -> ModelRecord:
        """The record of a version, the newest when none is named. Raises ModelNotFound."""
        check_name(name)
        if version is not None:
            try:
                return self._read(layout.model_manifest(name, check_version(version)), ModelRecord, _named(name, version))
            except Missing:
                raise self._no_model(name, version) from None
        for newest in reversed(self._versions(name)):
            try:
                return self._read(layout.model_manifest(name, newest), ModelRecord, _named(name, newest))
            except Missing:  # deleted since
                continue
        raise self._no_model(name)

    def model_bytes(self, name: str, version: int | None = None) -> bytes:
        """The safetensors file of a version, checked against its hash.

        Raises ModelNotFound, or StoreUnavailable when it is damaged.
        """
        record = self.model(name, version)
        try:
            data = self.files.get(layout.model_weights(record.name, record.version, record.sha256))
        except Missing:
            if record.version not in self._versions(name):  # deleted meanwhile
                raise self._no_model(name, record.version) from None
            raise damaged(_named(name, record.version), "its waves are gone") from None
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise damaged(_named(name, record.version), "its waves are not those that were written")
        return data

    def models(self, cursor: str | None = None, limit: int = 50) -> Page[ModelRecord]:
        """Models at their newest version, by name, a page at a time. Damaged ones are left out and logged."""
        names = self.files.folders(layout.MODELS)
        return cut(names, self._newest_or_none, what="models", cursor=cursor, limit=limit, far=self.files.far)

    def versions(self, name: str) -> list[ModelRecord]:
        """All versions of a model, oldest first, damaged ones left out and logged. Raises ModelNotFound."""
        versions = self._versions(check_name(name))
        if not versions:
            raise self._no_model(name)
        records = (self._version_or_none(name, version) for version in versions)
        return [record for record in records if record is not None]

    def delete_model(self, name: str, version: int | None = None) -> None:
        """Forget one version, or all of them. Their numbers are not used again. Raises ModelNotFound."""
        check_name(name)
        going = self._versions(name)
        if version is not None:
            going = [check_version(version)] if version in going else []
        if not going:
            raise self._no_model(name, version)
        for number in going:  # from the oldest, so that the newest answers until the end
            self.files.delete(layout.model_manifest(name, number))
        for number in going:
            for file in list(self.files.walk(layout.model_folder(name, number))):
                if file.key != layout.model_claim(name, number):
                    self.files.delete(file.key)

    def _versions(self, name: str) -> list[int]:
        """Numbers of the versions that have a manifest, ascending."""
        parts = [file.key.split("/") for file in self.files.walk(f"{layout.MODELS}/{name}")]
        return sorted(
            int(part[2]) for part in parts if len(part) == 4 and part[3] == layout.MANIFEST and part[2].isdecimal()
        )

    def _newest_or_none(self, name: str) -> ModelRecord | None:
        try:
            return self.model(name)
        except (ModelNotFound, InvalidInput):
            return None
        except Damaged as error:
            log.warning("%s", error)
            return None

    def _version_or_none(self, name: str, version: int) -> ModelRecord | None:
        try:
            return self.model(name, version)
        except ModelNotFound:
            return None
        except Damaged as error:
            log.warning("%s", error)
            return None

    def _no_model(self, name: str, version: int | None = None) -> ModelNotFound:
        versions = self._versions(name) if version is not None else []
        if not versions:
            return ModelNotFound(f"There is no model {name}.", field="name")
        return ModelNotFound(f"Model {name} has no version {version}; the newest is {versions[-1]}.", field="version")


def _named(name: str, version: int) -> str:
    return f"Model {name}, version {version},"
