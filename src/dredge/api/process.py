"""The DREDGE server as a process: gunicorn with threads."""

from __future__ import annotations

import os
from typing import Any

from gunicorn.app.base import BaseApplication

from dredge.access import refuse_open_door
from dredge.api.app import create_app
from dredge.api.document import LONGEST_LINE
from dredge.lifetime import end_with_parent
from dredge.service import Service
from dredge.settings import Settings
from dredge.telemetry import logs, tracing

SERVICE_NAME = "dredge-server"
LAST_ANSWERS = 10  # seconds that requests get to end when the server is asked to stop


def run(settings: Settings) -> None:
    """Serve on DREDGE_PORT until SIGTERM or Ctrl-C. Raises InvalidSetting for a door left open."""
    refuse_open_door(settings)
    logs.configure(settings)
    Server(settings).run()


class Server(BaseApplication):  # type: ignore[misc]
    """One process with many threads; numpy and torch free the lock as they compute."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """The settings of gunicorn."""
        host = (
            f"[{self.settings.dredge_host}]"
            if ":" in self.settings.dredge_host
            else self.settings.dredge_host
        )
        for name, value in {
            "bind": f"{host}:{self.settings.dredge_port}",
            "worker_class": "gthread",
            "threads": self.settings.server_threads,
            "limit_request_line": LONGEST_LINE,
            "graceful_timeout": LAST_ANSWERS,
            "timeout": 60,
            "keepalive": 30,
            "preload_app": False,  # store and queue are opened in the process that uses them
            "reload": self.settings.flask_env == "development",
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": SERVICE_NAME,
            "post_fork": lambda arbiter, worker: end_with_parent(arbiter.pid),
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, made in the process that serves it."""
        tracing.configure(self.settings, SERVICE_NAME)
        _one_thread_a_request()
        return create_app(Service(self.settings), self.settings)


def _one_thread_a_request() -> None:
    """Requests already run side by side; threads of torch within each would only get in each other's way."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
