"""What the arguments FILE and MODEL may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dredge.errors import InvalidInput, NotFound
from dredge.settings import Settings

EXAMPLE = "example:"


def find_recording(argument: str) -> Path:
    """A file, or `example:ecg` for a bundled recording."""
    from dredge.signals import example

    return example(argument.removeprefix(EXAMPLE)) if argument.startswith(EXAMPLE) else Path(argument)


def split_version(argument: str) -> tuple[str, int | None]:
    """`name` or `name@version`."""
    name, at, version = argument.partition("@")
    if not at:
        return name, None
    if not version.isdigit():
        raise InvalidInput(f"{version!r} is not a version.", field="version", hint="Write it as name@3.")
    return name, int(version)


def find_model(argument: str) -> Any:
    """A model in a file, or in the store by name or name@version."""
    from dredge.waves import load

    if Path(argument).is_file():
        return load(argument)
    name, version = split_version(argument)
    if argument.endswith(".safetensors") or "/" in argument:
        raise NotFound(f"There is no file {argument}.", field="model")
    return open_service().load(name, version)


def check_folder(path: Path | None, field: str) -> None:
    """Raise InvalidInput when there is no folder to write a file in: before the work, not after it."""
    if path is not None and not path.absolute().parent.is_dir():
        raise InvalidInput(f"There is no folder {path.absolute().parent}.", field=field)


def open_service(**overrides: Any) -> Any:
    """The service on the store and queue of the settings."""
    from dredge.service import Service

    return Service(Settings.load(**overrides))
