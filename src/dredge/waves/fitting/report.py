"""How a fit goes, while it runs and afterwards. Errors are mean squares in squared signal units."""

from __future__ import annotations

from dataclasses import dataclass

from dredge.waves.field import WaveField


@dataclass(frozen=True)
class FitProgress:
    """Where a running fit is."""

    stage: str  # finding, polishing, replacing, edges
    fraction: float  # of the work, never falling
    waves: int
    error: float
    seconds: float


@dataclass(frozen=True)
class StageReport:
    """The state at the end of a stage."""

    stage: str
    waves: int
    numbers: int
    error: float
    seconds: float  # since the beginning


@dataclass(frozen=True)
class FitReport:
    """How a fit went."""

    error: float  # on the samples it was fitted to
    snr_db: float | None  # 10 log10 of the samples' variance over the error; None for a constant, or where nothing is left
    held_out_error: float | None
    waves: int
    numbers: int
    seconds: float
    stopped_because: str
    stages: tuple[StageReport, ...]
    seed: int


@dataclass(frozen=True)
class FitResult:
    """The field and how it came about."""

    field: WaveField
    report: FitReport
