"""The use cases of DREDGE: the one thing that every door calls.

A Service holds a store, a queue and the models that are ready. It knows neither HTTP nor MCP nor terminals: it takes plain
values, returns records, and raises the errors of `dredge.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from dredge.jobs import Depth, Job
from dredge.settings import Settings
from dredge.signals import Signal
from dredge.store import ModelRecord, Page, SignalRecord
from dredge.waves import Event, FitOptions, FitReport, WaveField

Values = npt.NDArray[np.float64]
EventOrder = Literal["time", "frequency", "amplitude", "energy"]


@dataclass(frozen=True)
class Lift:
    """A signal turned into waves at once."""

    signal: Signal
    field: WaveField
    report: FitReport
    model: ModelRecord | None  # None when it was not asked to be kept


@dataclass(frozen=True)
class Estimate:
    """What a fit will cost, before it is submitted."""

    samples: int
    waves: int
    numbers: int
    seconds: float  # of one core


@dataclass(frozen=True)
class Comparison:
    """Two models on the same points: errors are mean squares in squared signal units."""

    first: ModelRecord
    second: ModelRecord
    points: int
    difference: float  # mean square of first − second
    first_error: float | None  # against the signal, when both share one
    second_error: float | None


class Service:
    """Import, lift, fit, evaluate, events, compare, list, delete."""

    def __init__(self, settings: Settings) -> None: ...

    # Signals
    def import_signal(
        self,
        source: Path | bytes | BinaryIO,
        *,
        name: str | None = None,
        format: str | None = None,
        sample_rate: float | None = None,
        unit: str | None = None,
        channels: Sequence[str] | None = None,
        start_time: str | None = None,
        gaps: Literal["refuse", "interpolate"] = "refuse",
    ) -> SignalRecord: ...
    def import_samples(self, samples: Any, *, sample_rate: float = 1.0, unit: str = "1", name: str = "signal") -> SignalRecord: ...
    def signal_record(self, signal: str) -> SignalRecord: ...
    def signal(self, signal: str) -> Signal: ...
    def signals(self, *, cursor: str | None = None, limit: int = 50) -> Page[SignalRecord]: ...
    def delete_signal(self, signal: str) -> None: ...

    # Fitting
    def lift(self, samples: Any = None, *, text: str | None = None, signal: str | None = None, sample_rate: float = 1.0,
             unit: str = "1", channel: str | int = 0, options: FitOptions | None = None, save_as: str | None = None) -> Lift: ...
    def estimate_fit(self, signal: str, options: FitOptions) -> Estimate: ...
    def submit_fit(self, signal: str, options: FitOptions, *, model: str | None = None, channel: str | int = 0,
                   id: str | None = None, priority: int = 0, time_limit: float | None = None,
                   trace: dict[str, str] | None = None) -> Job: ...  # job.payload: signal, channel, model, version, options
    def submit_evaluation(self, model: str, version: int | None, grid: Sequence[tuple[float, float, int]]) -> Job: ...
    def job(self, id: str) -> Job: ...
    def jobs(self, *, state: str | None = None, cursor: str | None = None, limit: int = 50) -> Page[Job]: ...
    def cancel_job(self, id: str) -> Job: ...
    def follow_job(self, id: str, *, timeout: float | None = None) -> Iterator[Job]: ...
    def job_result_file(self, id: str) -> Iterator[bytes]: ...

    # Models
    def model(self, name: str, version: int | None = None) -> ModelRecord: ...
    def models(self, *, cursor: str | None = None, limit: int = 50) -> Page[ModelRecord]: ...
    def versions(self, name: str) -> list[ModelRecord]: ...
    def load(self, name: str, version: int | None = None) -> Any: ...  # WaveField or a Quasimoto module
    def model_file(self, name: str, version: int | None = None) -> bytes: ...  # safetensors
    def import_model(self, name: str, data: bytes | Any) -> ModelRecord: ...  # safetensors bytes or a model object
    def delete_model(self, name: str, version: int | None = None) -> None: ...
    def events(self, name: str, version: int | None = None, *, sort: EventOrder = "time", descending: bool = False,
               start: float | None = None, stop: float | None = None, low: float | None = None, high: float | None = None,
               strongest: int | None = None) -> list[Event]: ...
    def evaluate(self, name: str, points: Any, version: int | None = None) -> Values: ...  # [N]
    def evaluate_grid(self, name: str, grid: Sequence[tuple[float, float, int]], version: int | None = None) -> Values: ...  # start, stop, count per axis
    def compare(self, first: str, second: str, *, first_version: int | None = None, second_version: int | None = None) -> Comparison: ...
    def plot(self, name: str, version: int | None = None, *, format: Literal["png", "svg"] = "png") -> bytes: ...

    # State
    def ready(self) -> dict[str, str]: ...  # part → "ok"; raises Unavailable naming the part
    def queue_depth(self) -> Depth: ...
