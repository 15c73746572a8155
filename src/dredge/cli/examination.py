"""What `dredge doctor` looks at."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dredge._version import __version__
from dredge.errors import DredgeError
from dredge.settings import Settings

SPACE_WANTED = 2**30
EXTRAS = {"soundfile": ("audio", "WAV and FLAC"), "obspy": ("seismic", "MiniSEED"), "wfdb": ("medical", "WFDB"),
          "pyedflib": ("medical", "EDF"), "nibabel": ("volumes", "NIfTI")}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `missing` is needed, `optional` can be done without."""

    part: str
    state: Literal["ok", "optional", "missing"]
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything."""
    findings = [Finding("DREDGE", "ok", f"{__version__}, Python {platform.python_version()}"), _torch(settings)]
    for module, (extra, formats) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        findings.append(Finding(formats, "ok" if there else "optional", module if there else f"no {module}",
                                "" if there else f"pip install 'dredge-cli[{extra}]'"))
    return [*findings, _data(settings), _space(settings), _store(settings), _queue(settings), *_ports(settings)]


def _torch(settings: Settings) -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("torch", "missing", str(error), "pip install torch")
    cuda = torch.cuda.is_available()
    device = f"CUDA, {torch.cuda.get_device_name(0)}" if cuda else "CPU"
    if settings.device == "cuda" and not cuda:
        return Finding("torch", "missing", f"{torch.__version__}, no CUDA device", "set DEVICE=auto, or install a CUDA build")
    return Finding("torch", "ok", f"{torch.__version__}, {device}")


def _data(settings: Settings) -> Finding:
    folder = settings.dredge_data.resolve()
    above = folder
    while not above.exists():
        above = above.parent
    if os.access(above, os.W_OK):
        return Finding("data folder", "ok", str(folder))
    return Finding("data folder", "missing", f"{folder} cannot be written", "set DREDGE_DATA, or change its owner")


def _space(settings: Settings) -> Finding:
    above = settings.dredge_data.resolve()
    while not above.exists():
        above = above.parent
    free = shutil.disk_usage(above).free
    words = f"{free / 2**30:.1f} GiB free"
    return Finding("disk", "ok", words) if free > SPACE_WANTED else Finding("disk", "optional", words, "make room")


def _store(settings: Settings) -> Finding:
    from dredge.store import Store

    return _asked("store", settings.store_url, lambda: Store.open(settings.store_url).check(), "see DREDGE_STORE")


def _queue(settings: Settings) -> Finding:
    from dredge.jobs import open_queue

    place = "Redis" if settings.broker_url else "embedded"
    return _asked("queue", place, lambda: open_queue(settings).check(), "is Redis running? see REDIS_URL, REDIS_HOST")


def _asked(part: str, place: str, ask: Callable[[], object], remedy: str) -> Finding:
    try:
        ask()
    except DredgeError as error:
        return Finding(part, "missing", error.message, error.hint or remedy)
    return Finding(part, "ok", place)


def _ports(settings: Settings) -> list[Finding]:
    from dredge.cli.supervisor import answers, port_holder

    findings = []
    for name, port in (("DREDGE_PORT", settings.dredge_port), ("MCP_PORT", settings.mcp_port),
                       ("METRICS_PORT", settings.metrics_port)):
        holder = port_holder(port)
        if holder is None:
            findings.append(Finding(f"port {port}", "ok", "free"))
        elif answers(port):
            findings.append(Finding(f"port {port}", "ok", f"answers ({holder})"))
        else:
            findings.append(Finding(f"port {port}", "optional", f"taken by {holder}", f"set {name} to another port"))
    return findings

