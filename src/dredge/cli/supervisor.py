"""All of DREDGE on one machine: start the processes, keep them running, stop them together.

Each part is the same command that a container runs. A part that ends is started again, after a pause that grows while it
keeps ending. On Linux the parts are told by the kernel when the supervisor dies, so that nothing is left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import logging.handlers
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dredge.access import refuse_open_door
from dredge.cli.output import err, out
from dredge.errors import Conflict, DredgeError
from dredge.lifetime import end_with_parent
from dredge.settings import Settings

SHORT_LIFE = 5.0  # seconds; a part that lived shorter is started again more slowly
LONGEST_PAUSE = 10.0
PATIENCE = 90.0  # seconds until all parts answer
GRACE = 15.0  # seconds that parts get to end
LOG_BYTES = 5_000_000


@dataclass
class _Part:
    name: str
    port: int | None
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    pause: float = 0.0
    again_at: float = 0.0
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("dredge.up"))


class Supervisor:
    """Runs serve, mcp, worker and metrics until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts = [_Part("serve", settings.dredge_port), _Part("mcp", settings.mcp_port), _Part("worker", None),
                       _Part("metrics", settings.metrics_port)]
        self._stop = threading.Event()

    def run(self) -> None:
        """Start everything, say where it is, lift the example, and watch. Raises Conflict when something is in the way."""
        refuse_open_door(self._settings)
        data = self._settings.dredge_data
        try:
            (data / "logs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DredgeError(f"The data folder {data} cannot be made: {error.strerror}.",
                              hint="Choose another with --data or DREDGE_DATA.") from None
        with _only_one(data):
            self._refuse_taken_ports()
            for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(name, lambda *_: self._stop.set())
            try:
                for part in self._parts:
                    self._start(part)
                threading.Thread(target=self._greet, daemon=True).start()
                while not self._stop.wait(0.1):
                    self._repair()
            finally:
                self._end()

    def _refuse_taken_ports(self) -> None:
        for part, setting in zip(self._parts, ("DREDGE_PORT", "MCP_PORT", "", "METRICS_PORT"), strict=True):
            if part.port is not None and (holder := port_holder(part.port)):
                raise Conflict(f"Port {part.port} is taken by {holder}.", hint=f"Stop that, or set {setting} to another port.")

    def _start(self, part: _Part) -> None:
        environment = {**os.environ, **self._settings.environment(), "SERVER_WORKER": "never",
                       "DREDGE_DATA": str(self._settings.dredge_data.resolve()), "LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}
        part.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "dredge", part.name], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=partial(end_with_parent, os.getpid()))
        part.began = time.monotonic()
        threading.Thread(target=self._collect, args=(part, part.process), daemon=True).start()

    def _collect(self, part: _Part, process: subprocess.Popen[bytes]) -> None:
        """Write what a part says to its log file, which turns over before it grows large."""
        path = self._settings.dredge_data / "logs" / f"{part.name}.log"
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(message)s"))
        assert process.stdout is not None
        with contextlib.closing(handler), process.stdout:
            for line in process.stdout:
                text = line.decode(errors="replace").rstrip("\n")
                handler.emit(logging.LogRecord(part.name, logging.INFO, "", 0, text, None, None))

    def _repair(self) -> None:
        now = time.monotonic()
        for part in self._parts:
            if part.process is not None and (code := part.process.poll()) is not None:
                part.process = None
                part.pause = min(LONGEST_PAUSE, 2 * part.pause + 0.2) if now - part.began < SHORT_LIFE else 0.2
                part.again_at = now + part.pause
                err.print(f"{part.name} ended ({_how(code)}); starting it again. Its log: "
                          f"{self._settings.dredge_data / 'logs' / part.name}.log", highlight=False, soft_wrap=True)
            elif part.process is None and now >= part.again_at:
                self._start(part)

    def _greet(self) -> None:
        """Once everything answers: the addresses, then the example."""
        began = time.monotonic()
        waiting = [part for part in self._parts if part.port is not None]
        while waiting and not self._stop.wait(0.1):
            waiting = [part for part in waiting if not answers(part.port or 0)]
            if time.monotonic() - began > PATIENCE:
                names = ", ".join(part.name for part in waiting)
                err.print(f"{names} did not answer within {PATIENCE:.0f} s; see {self._settings.dredge_data / 'logs'}.")
                return
        if self._stop.is_set():
            return
        url = f"http://{'localhost' if self._settings.is_loopback else self._settings.dredge_host}"
        server, mcp, exporter = (part.port for part in self._parts if part.port is not None)
        rows = [("console", f"{url}:{server}/console"), ("HTTP interface", f"{url}:{server}/docs"),
                ("MCP", f"{url}:{mcp}/mcp"), ("metrics", f"{url}:{exporter}/metrics"),
                ("data", str(self._settings.dredge_data.resolve()))]
        for name, where in rows:
            out.print(f"{name:<16}{where}", highlight=False, soft_wrap=True)
        self._lift_example(f"{url}:{server}")

    def _lift_example(self, url: str) -> None:
        from dredge.service import EXAMPLE_MODEL, Service

        try:
            record = Service(self._settings).make_example()
        except DredgeError as error:
            err.print(f"The example could not be lifted: {error}", highlight=False, soft_wrap=True)
            return
        snr = record.scores.get("snr_db") or 0.0
        out.print(f"{'example':<16}{EXAMPLE_MODEL}: an ECG as {record.waves} waves, {record.numbers} numbers, SNR {snr:.1f} dB",
                  highlight=False, soft_wrap=True)
        out.print(f"\nTry: curl {url}/v1/models/{EXAMPLE_MODEL}/events\nCtrl-C stops everything.", highlight=False,
                  soft_wrap=True)

    def _end(self) -> None:
        """Ask every part to end, wait, and kill what is left."""
        running = [part.process for part in self._parts if part.process is not None and part.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextlib.contextmanager
def own_worker(settings: Settings) -> Iterator[None]:
    """A worker beside a server, when the settings ask for one or no other is there. It ends with the server."""
    if settings.server_worker == "never" or (settings.server_worker == "auto" and _has_worker(settings)):
        yield
        return
    environment = {**os.environ, **settings.environment()}
    worker = subprocess.Popen([sys.executable, "-m", "dredge", "worker"], env=environment,
                              stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=partial(end_with_parent, os.getpid()))
    try:
        yield
    finally:
        worker.terminate()
        try:
            worker.wait(settings.worker_grace + GRACE)
        except subprocess.TimeoutExpired:
            worker.kill()


def _has_worker(settings: Settings) -> bool:
    from dredge.jobs import open_queue

    try:
        return bool(open_queue(settings).workers())
    except DredgeError:
        return False


def answers(port: int) -> bool:
    """Whether something on this machine answers /health on a port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def port_holder(port: int) -> str | None:
    """Who listens on a port, in words; None when nobody does."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return None
        except OSError:
            pass
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr[1] if connection.laddr else None
            if connection.status == psutil.CONN_LISTEN and here == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another program"


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the data folder for this supervisor. The lock goes with the process, however it ends."""
    with (data / "up.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            raise Conflict(f"DREDGE runs on {data} already (process {handle.read().strip() or 'unknown'}).",
                           hint="Stop that one, or choose another folder with --data.") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
