"""Logs: readable text on a terminal, one JSON object a line elsewhere."""

from __future__ import annotations

import logging
import sys
import threading
import time

import structlog

from dredge.settings import Settings

QUIET_SECONDS = 60.0  # in which a warning that says the same again is left out


def configure(settings: Settings) -> None:
    """Send structlog's and the standard library's lines to stderr in one form."""
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = [structlog.dev.ConsoleRenderer()] if as_text else [
        structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Repeated())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("httpx", "httpcore", "matplotlib", "werkzeug", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False)


class _Repeated(logging.Filter):
    """Leaves out what was said within a minute: a part that is away is asked for every second, and told once.

    Warnings about a caller's request stay, each with its request id; those of health checks are repetitions too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING or record.exc_info:
            return True
        words = record.getMessage()
        if isinstance(record.msg, dict):  # of structlog
            told = record.msg
            if "request_id" in told and not str(told.get("path", "")).startswith(("/health", "/v2/health")):
                return True
            words = f"{told.get('event')} {told.get('error', '')}"
        now = time.monotonic()
        with self._lock:
            self._said = {key: at for key, at in self._said.items() if now - at < QUIET_SECONDS}
            return self._said.setdefault((record.name, words), now) == now
