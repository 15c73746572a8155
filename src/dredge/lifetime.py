"""No process outlives the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # looked up before any fork


def end_with_parent(parent: int, by: signal.Signals = signal.SIGTERM) -> None:
    """In a child process: have the kernel send `by` when `parent` ends, however it ends. Linux; elsewhere nothing."""
    if _prctl is None:
        return
    _prctl(PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)
