"""What names, versions, ids and keys may look like, checked before anything is looked up or written."""

from __future__ import annotations

import re
from typing import Any

from dredge.errors import InvalidInput

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
SIGNAL_ID = re.compile(r"[0-9a-f]{64}")
SIGNAL_PREFIX = re.compile(r"[0-9a-f]{8,64}")
SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
LARGEST_VERSION = 10**9


def check_name(name: Any) -> str:
    """The name of a model, unchanged. Raises InvalidInput(field="name") for what is not one."""
    if not isinstance(name, str) or not MODEL_NAME.fullmatch(name) or ".." in name:
        raise InvalidInput(
            f"{_shown(name)} cannot be the name of a model.",
            field="name",
            hint="Use 1 to 100 of a-z, 0-9, '.', '_' and '-', starting with a letter or a digit.",
        )
    return name


def check_version(version: Any) -> int:
    """The version of a model, unchanged. Raises InvalidInput(field="version") for anything but 1, 2, 3…"""
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= LARGEST_VERSION:
        raise InvalidInput(f"{_shown(version)} is not a version; versions are whole numbers from 1 up.", field="version")
    return version


def check_signal_id(signal: Any, *, whole: bool = False) -> str:
    """A signal's SHA-256 in lower case, or (unless `whole`) its first 8 or more digits."""
    pattern = SIGNAL_ID if whole else SIGNAL_PREFIX
    if not isinstance(signal, str) or not pattern.fullmatch(signal.lower()):
        raise InvalidInput(
            f"{_shown(signal)} is not the id of a signal.",
            field="signal",
            hint="An id is 64 hexadecimal digits; its first 8 or more will do when they are unique.",
        )
    return signal.lower()


def check_job(job: Any) -> str:
    """The id of a job as part of a key. Raises InvalidInput(field="job")."""
    if not isinstance(job, str) or not SEGMENT.fullmatch(job) or ".." in job:
        raise InvalidInput(f"{_shown(job)} cannot be the id of a job here.", field="job")
    return job


def check_key(key: Any) -> str:
    """The key of a file in the store, such as results/<job>/values.npy. Raises InvalidInput(field="key")."""
    parts = key.split("/") if isinstance(key, str) else []
    if len(parts) < 2 or len(key) > 1000 or not all(SEGMENT.fullmatch(part) and ".." not in part for part in parts):
        raise InvalidInput(f"{_shown(key)} cannot be the key of a file.", field="key")
    return str(key)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:56] + "…" + text[-1]
