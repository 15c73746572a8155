"""Finding what work that never ended left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dredge.store import layout
from dredge.store.files import FileInfo


def orphans(files: Iterable[FileInfo], before: float) -> Iterator[str]:
    """Keys not written since `before` that belong to no signal and no model, and checkpoints that old.

    A claim goes too, unless it is the highest of its model: that one keeps numbers from coming twice.
    """
    folders: dict[str, list[FileInfo]] = defaultdict(list)
    for file in files:
        folders[file.key.rpartition("/")[0]].append(file)
    highest = _highest_versions(folders)
    for folder, held in folders.items():
        kind, _, rest = folder.partition("/")
        whole = any(file.key.endswith(f"/{layout.MANIFEST}") for file in held)
        if whole or kind not in (layout.SIGNALS, layout.MODELS, layout.CHECKPOINTS):
            continue
        if max(file.modified for file in held) >= before:
            continue
        name, _, version = rest.partition("/")
        keep = f"{folder}/{layout.CLAIM}" if kind == layout.MODELS and version == str(highest.get(name)) else None
        yield from (file.key for file in held if file.key != keep)


def _highest_versions(folders: Iterable[str]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for folder in folders:
        kind, _, rest = folder.partition("/")
        name, _, version = rest.partition("/")
        if kind == layout.MODELS and version.isdecimal():
            highest[name] = max(highest.get(name, 0), int(version))
    return highest
