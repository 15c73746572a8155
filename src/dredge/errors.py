"""Every error that DREDGE raises on purpose.

    DredgeError
    ├── InvalidInput            what was given cannot be used; `field` names it
    │   ├── UnreadableRecording the file is not what it claims to be, or is damaged
    │   ├── UnknownUnit         a unit that no one knows
    │   └── InvalidSetting      a setting that stops the start
    ├── NotFound
    │   ├── SignalNotFound
    │   ├── ModelNotFound
    │   └── JobNotFound
    ├── Conflict                the thing is not in a state that allows this
    ├── TooLarge                over a limit; `limit` says which
    ├── Busy                    a queue is full; `retry_after` says when to come back
    ├── NotAuthenticated
    ├── NotAllowed
    ├── MissingExtra            needs an optional package; the hint is the command that installs it
    ├── Unavailable             something DREDGE leans on does not answer
    │   ├── StoreUnavailable
    │   └── QueueUnavailable
    └── Stopped                 work that ended before its end
        ├── Cancelled
        └── TimeLimitReached

Each door maps these to its own protocol in one place. `message` is a sentence for a person, `hint` what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class DredgeError(Exception):
    """Base of all DREDGE errors."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class InvalidInput(DredgeError):
    """What was given cannot be used; `field` names the part at fault."""

    code = "invalid-input"


class UnreadableRecording(InvalidInput):
    """The file is not what it claims to be, or is damaged."""

    code = "unreadable-recording"


class UnknownUnit(InvalidInput):
    """A unit of measurement that is not known."""

    code = "unknown-unit"


class InvalidSetting(InvalidInput):
    """A setting whose value stops the start."""

    code = "invalid-setting"


class NotFound(DredgeError):
    """The named thing does not exist."""

    code = "not-found"


class SignalNotFound(NotFound):
    """No signal answers to this id."""

    code = "signal-not-found"


class ModelNotFound(NotFound):
    """No model answers to this name and version."""

    code = "model-not-found"


class JobNotFound(NotFound):
    """No job answers to this id."""

    code = "job-not-found"


class Conflict(DredgeError):
    """The thing is not in a state that allows the request."""

    code = "conflict"


class TooLarge(DredgeError):
    """The request is over a limit."""

    code = "too-large"


class Busy(DredgeError):
    """A queue is full; come back after `retry_after` seconds."""

    code = "busy"

    def __init__(self, message: str, *, retry_after: float = 1.0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class NotAuthenticated(DredgeError):
    """No key, or a key that is not known."""

    code = "not-authenticated"


class NotAllowed(DredgeError):
    """The key does not carry the scope that this needs."""

    code = "not-allowed"


class MissingExtra(DredgeError):
    """An optional package is not installed; the hint is the command that installs it."""

    code = "missing-extra"


class Unavailable(DredgeError):
    """Something DREDGE leans on does not answer."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The store does not answer, or refuses to be written."""

    code = "store-unavailable"


class QueueUnavailable(Unavailable):
    """The queue's broker does not answer."""

    code = "queue-unavailable"


class Stopped(DredgeError):
    """Work that ended before its end."""

    code = "stopped"


class Cancelled(Stopped):
    """Someone cancelled the work."""

    code = "cancelled"


class TimeLimitReached(Stopped):
    """The work ran into its time limit."""

    code = "time-limit-reached"
