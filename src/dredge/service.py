"""The use cases of DREDGE: the one thing that every door calls.

A Service holds a store, a queue and the models that are ready. It knows neither HTTP nor MCP nor terminals: it takes plain
values, returns records, and raises the errors of `dredge.errors`.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from dredge._version import __version__
from dredge.analysis import Lift, error_between_samples, fit_signal, make_options
from dredge.errors import Conflict, InvalidInput, JobNotFound, ModelNotFound, SignalNotFound, TooLarge
from dredge.jobs import Context, Depth, Job, State, open_queue
from dredge.serving import ModelEvent, ReadyModels, choose_device, evaluate_on
from dredge.settings import Settings
from dredge.signals import EXAMPLES, Signal, example, from_samples, from_text, read
from dredge.store import ModelRecord, Page, SignalRecord, Store, check_name
from dredge.telemetry import metrics
from dredge.waves import (
    Event,
    FitOptions,
    FitProgress,
    FitReport,
    WaveField,
    cost,
    draw,
    evaluate,
    evaluate_grid,
    events,
    from_bytes,
    png,
    svg,
    to_bytes,
)

Values = npt.NDArray[np.float64]
EventOrder = Literal["time", "frequency", "amplitude", "energy"]
Grid = Sequence[tuple[float, float, int]]  # start, stop (included) and count of each axis

EXAMPLE_MODEL = "example-ecg"
CHECKPOINT_EVERY = 10.0  # seconds
JOB_KINDS = ("fit", "evaluate")
# Seconds of a fit by waves and samples: what benchmarks/fit_cost.py printed, 2026-11-23, one core of a 2-core x86-64.
ESTIMATE_PER_WAVE = 0.12
ESTIMATE_PER_WAVE_AND_SAMPLE = 3.3e-5
ESTIMATE_PER_WAVE_CUBED = 3.6e-4


def job_handlers(settings: Settings) -> Mapping[str, Callable[[Context, dict[str, Any]], dict[str, Any]]]:
    """What a worker runs for each kind of job. The Service is made in the child that runs the job: what talks to a store
    or a broker does not survive a fork."""
    def run(kind: str, context: Context, payload: dict[str, Any]) -> dict[str, Any]:
        handler: Callable[[Context, dict[str, Any]], dict[str, Any]] = Service(settings).handlers()[kind]
        return handler(context, payload)

    return {kind: partial(run, kind) for kind in JOB_KINDS}


def job_check(settings: Settings) -> Callable[[], None]:
    """What a worker asks before it takes a job; raises StoreUnavailable. A store in a bucket is not asked, because what talks
    to one does not survive the fork that follows."""
    store = Store.open(settings.store_url)
    return (lambda: None) if store.files.far else partial(store.check, room=True)


@dataclass(frozen=True)
class Estimate:
    """What a fit will cost, before it is submitted."""

    samples: int
    waves: int
    numbers: int
    seconds: float  # of one core, right within a factor of about three


@dataclass(frozen=True)
class Comparison:
    """Two models on the same points: errors are mean squares in squared signal units."""

    first: ModelRecord
    second: ModelRecord
    points: int
    difference: float  # mean square of first − second
    first_error: float | None  # against the signal, when both were made from one
    second_error: float | None


class Service:
    """Import, lift, fit, evaluate, events, compare, list, delete."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store.open(settings.store_url)
        self.queue = open_queue(settings)
        self.device = choose_device(settings.device)
        self._ready = ReadyModels(self.store.model_bytes, capacity=settings.cache_models, observe=self._observe_models)

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
    ) -> SignalRecord:
        """Read a recording and keep it. The same recording twice gives the same record."""
        signal = read(source, format=format, name=name, sample_rate=sample_rate, unit=unit, channels=channels,
                      start_time=start_time, gaps=gaps, max_samples=self.settings.max_samples)
        return self.store.put_signal(signal)

    def import_samples(self, samples: Any, *, sample_rate: float = 1.0, unit: str = "1",
                       name: str = "signal") -> SignalRecord:
        """Keep samples that are already numbers: [N], or [channels, N]."""
        return self.store.put_signal(self._signal_of(samples, sample_rate, unit, name))

    def signal_record(self, signal: str) -> SignalRecord:
        """The record of a signal, by its SHA-256 or the first eight or more characters of it."""
        return self.store.signal_record(signal)

    def signal(self, signal: str) -> Signal:
        """A signal with its samples."""
        return self.store.signal(self.store.signal_record(signal).id)

    def signals(self, *, cursor: str | None = None, limit: int = 50) -> Page[SignalRecord]:
        """Signals, a page at a time."""
        return self.store.signals(cursor=cursor, limit=limit)

    def delete_signal(self, signal: str) -> None:
        """Forget a signal. Models made from it stay."""
        self.store.delete_signal(self.store.signal_record(signal).id)

    # Fitting

    def lift(self, samples: Any = None, *, text: str | None = None, signal: str | None = None, sample_rate: float = 1.0,
             unit: str = "1", channel: str | int = 0, options: FitOptions | None = None,
             save_as: str | None = None) -> Lift:
        """Turn samples, a text or a stored signal into waves at once, within the limits of a request.

        With `save_as` the signal and a new version of that model are kept. Raises TooLarge for what a fit job should do.
        """
        if sum(given is not None for given in (samples, text, signal)) != 1:
            raise InvalidInput("Give one of samples, a text or a stored signal.", field="samples")
        if signal is not None:
            source = self.signal(signal)
        elif text is not None:
            source = from_text(text)
        else:
            source = self._signal_of(samples, sample_rate, unit, "lifted")
        if source.samples.size > self.settings.max_lift_samples:
            raise TooLarge(f"{source.samples.size} samples are too many to lift at once; the limit is "
                           f"{self.settings.max_lift_samples}.", field="samples",
                           hint="Import the signal and submit a fit.")
        options = self._within_limits(options or FitOptions())
        longest = self.settings.max_lift_seconds
        options = replace(options, seconds=min(options.seconds or longest, longest))
        name = self._model_name(save_as, source.name) if save_as is not None else None
        result = fit_signal(source, options, channel=channel)
        power = float(np.var(source.channel(channel))) or 1.0
        metrics.observe_fit(result.report.seconds, result.report.waves, result.report.error / power)
        record = None
        if name is not None:
            self.store.put_signal(source)
            version = self.store.reserve_version(name, {"by": "lift"})
            record = self._keep(name, version, result.field, result.report, source, channel, options, job=None)
        return Lift(source, result.field, result.report, record)

    def estimate_fit(self, signal: str, options: FitOptions) -> Estimate:
        """What a fit of this signal with these options will cost."""
        record = self.store.signal_record(signal)
        options = self._within_limits(options)
        samples = record.axes[0].size
        per_wave = 7 if options.edge else 6
        if options.waves is not None:
            waves = options.waves
        elif options.numbers is not None:
            waves = max(0, (options.numbers - 1) // per_wave)
        else:
            waves = max(1, min(64, samples // 12))
        seconds = waves * (ESTIMATE_PER_WAVE + ESTIMATE_PER_WAVE_AND_SAMPLE * samples) + ESTIMATE_PER_WAVE_CUBED * waves**3
        return Estimate(samples, waves, waves * per_wave + 1, round(min(seconds, options.seconds or seconds), 2))

    def submit_fit(self, signal: str, options: FitOptions, *, model: str | None = None, channel: str | int = 0,
                   id: str | None = None, priority: int = 0, time_limit: float | None = None,
                   trace: dict[str, str] | None = None) -> Job:
        """Start a fit in the background. The job's result names the model and version, which are set aside now."""
        if id is not None:
            with suppress(JobNotFound):
                return self.queue.job(id)  # asked for again: no second version is set aside
        record = self.store.signal_record(signal)
        options = self._within_limits(options)
        if len(record.axes) != 1:
            raise InvalidInput(f"The signal has {len(record.axes)} axes; fitting works on one so far.", field="signal")
        if isinstance(channel, int) or channel not in record.channels:
            number = int(channel) if str(channel).isdigit() else -1
            if not 0 <= number < len(record.channels):
                raise InvalidInput(f"No channel {channel!r}; there are {', '.join(record.channels)}.", field="channel")
        name = self._model_name(model, record.name)
        version = self.store.reserve_version(name, {"by": "fit", "signal": record.id})
        payload = {"signal": record.id, "channel": channel, "model": name, "version": version, "options": asdict(options)}
        return self.queue.submit("fit", payload, id=id, priority=priority, time_limit=time_limit, trace=trace)

    def submit_evaluation(self, model: str, version: int | None, grid: Grid) -> Job:
        """Evaluate a grid that is too large for one answer; the job's result is an NPY file."""
        record = self.store.model(model, version)
        _check_grid(grid, record.dimension)
        return self.queue.submit("evaluate", {"model": record.name, "version": record.version,
                                              "grid": [list(axis) for axis in grid]})

    def job(self, id: str) -> Job:
        """A job as it stands."""
        return self.queue.job(id)

    def jobs(self, *, state: State | None = None, cursor: str | None = None, limit: int = 50) -> Page[Job]:
        """Jobs, newest first."""
        items, following = self.queue.jobs(state=state, cursor=cursor, limit=limit)
        return Page[Job](items=items, next_cursor=following)

    def cancel_job(self, id: str) -> Job:
        """Cancel a job that waits or runs. Raises Conflict when it has ended."""
        return self.queue.cancel(id)

    def follow_job(self, id: str, *, timeout: float | None = None) -> Iterator[Job]:
        """The job each time it changes, until it has ended or `timeout` seconds have passed."""
        return self.queue.follow(id, timeout=timeout)

    def job_result_file(self, id: str) -> Iterator[bytes]:
        """The file that a job wrote, in pieces. Raises Conflict when there is none."""
        job = self.job(id)
        if not job.result or "file" not in job.result:
            raise Conflict(f"The job {id} has no result file; its state is {job.state}.")
        return self.store.open_file(job.result["file"])

    # Models

    def model(self, name: str, version: int | None = None) -> ModelRecord:
        """The record of a model; the newest version when none is named."""
        return self.store.model(name, version)

    def models(self, *, cursor: str | None = None, limit: int = 50) -> Page[ModelRecord]:
        """Models at their newest version, a page at a time."""
        return self.store.models(cursor=cursor, limit=limit)

    def versions(self, name: str) -> list[ModelRecord]:
        """All versions of a model, oldest first."""
        return self.store.versions(name)

    def load(self, name: str, version: int | None = None) -> Any:
        """The model itself, a WaveField or an original Quasimoto module, held ready for the next call."""
        record = self.store.model(name, version)
        return self._ready.get(record.name, record.version, record.sha256)

    def model_file(self, name: str, version: int | None = None) -> bytes:
        """The model as safetensors."""
        record = self.store.model(name, version)
        return self.store.model_bytes(record.name, record.version)

    def import_model(self, name: str, data: Any) -> ModelRecord:
        """Keep a model that was made elsewhere: safetensors bytes, or a model object."""
        model = from_bytes(data) if isinstance(data, bytes | bytearray | memoryview) else data
        version = self.store.reserve_version(name, {"by": "import"})
        return self.store.put_model(name, version, to_bytes(model), **_describe(model), software=f"dredge {__version__}")

    def delete_model(self, name: str, version: int | None = None) -> None:
        """Forget one version, or the whole model."""
        self.store.delete_model(name, version)

    def events(self, name: str, version: int | None = None, *, sort: EventOrder = "time", descending: bool = False,
               start: float | None = None, stop: float | None = None, low: float | None = None,
               high: float | None = None, strongest: int | None = None) -> list[Event]:
        """The waves of a model as rows.

        Filters: centre between `start` and `stop`, frequency between `low` and `high`, the `strongest` by energy.
        """
        field = self._field(name, version)
        rows = [event for event in events(field)
                if (start is None or event.time >= start) and (stop is None or event.time <= stop)
                and (low is None or event.frequency >= low) and (high is None or event.frequency <= high)]
        if strongest is not None:
            if strongest < 1:
                raise InvalidInput("Ask for one event or more.", field="strongest")
            rows = sorted(rows, key=lambda event: event.energy, reverse=True)[:strongest]
        return sorted(rows, key=lambda event: getattr(event, sort), reverse=descending)

    def evaluate(self, name: str, points: Any, version: int | None = None) -> Values:
        """Values of a model at points, [N]."""
        model = self.load(name, version)
        count = len(points) if hasattr(points, "__len__") else 1
        self._check_cost(cost(model, count))
        values = evaluate_on(self.device, model, points)
        metrics.POINTS_EVALUATED.inc(count)
        return values

    def evaluate_grid(self, name: str, grid: Grid, version: int | None = None) -> Values:
        """Values on a regular grid, [count of axis 1, count of axis 2, …]."""
        model = self.load(name, version)
        _check_grid(grid, model.dimension)
        count = _grid_size(grid)
        self._check_cost(cost(model, count))
        metrics.POINTS_EVALUATED.inc(count)
        return evaluate_grid(model, [np.linspace(*axis) for axis in grid])

    def compare(self, first: str, second: str, *, first_version: int | None = None,
                second_version: int | None = None) -> Comparison:
        """Two models side by side, on the samples that both were made from or, without such, on their common domain."""
        records = self.store.model(first, first_version), self.store.model(second, second_version)
        fields = [self.load(record.name, record.version) for record in records]
        if fields[0].dimension != fields[1].dimension:
            raise InvalidInput(f"{first} has {fields[0].dimension} coordinates and {second} has {fields[1].dimension}.",
                               field="second")
        signal = self._common_signal(*records)
        if signal is not None:
            points = signal.axes[0].coordinates
        elif fields[0].dimension == 1 and all(isinstance(field, WaveField) for field in fields):
            low = max(float(field.domain[0, 0]) for field in fields)
            high = min(float(field.domain[0, 1]) for field in fields)
            if not low < high:
                raise InvalidInput(f"{first} and {second} have no part of the {fields[0].axes[0].name} axis in common.",
                                   field="second")
            points = np.linspace(low, high, 2048)
        else:
            raise InvalidInput("Models are compared in one dimension so far.", field="second")
        values = [evaluate(field, points) for field in fields]
        errors: list[float | None] = [None, None]
        if signal is not None:
            truth = signal.channel(_channel(records[0].channel))
            errors = [float(np.mean((v - truth) ** 2)) for v in values]
        return Comparison(*records, len(points), float(np.mean((values[0] - values[1]) ** 2)), *errors)

    def plot(self, name: str, version: int | None = None, *, format: Literal["png", "svg"] = "png") -> bytes:
        """A picture of a model, with the samples it was made from when they are still there."""
        record = self.store.model(name, version)
        field = self._field(record.name, record.version)
        title = f"{record.name}, version {record.version}"
        signal = self._signal_if_there(record)
        if signal is None:
            figure = draw(field, title=title)
        else:
            figure = draw(field, signal.channel(_channel(record.channel)),
                          coordinates=signal.axes[0].coordinates, title=title)
        return svg(figure) if format == "svg" else png(figure)

    # State

    def ready(self) -> dict[str, str]:
        """Every part that a request needs, each "ok". Raises Unavailable naming the part that is not."""
        self.store.check()
        self.queue.check()
        return {"store": "ok", "queue": "ok"}

    def queue_depth(self) -> Depth:
        """What waits and what runs."""
        return self.queue.depth()

    def make_example(self) -> ModelRecord:
        """The example ECG, lifted and kept; made only once."""
        try:
            return self.store.model(EXAMPLE_MODEL)
        except ModelNotFound:
            record = self.import_signal(example("ecg"), name=EXAMPLES["ecg"].name)
            lift = self.lift(signal=record.id, options=FitOptions(waves=12), save_as=EXAMPLE_MODEL)
            assert lift.model is not None
            return lift.model

    def handlers(self) -> dict[str, Any]:
        """What each kind of job does."""
        return {"fit": self._run_fit, "evaluate": self._run_evaluation}

    # Jobs

    def _run_fit(self, context: Context, payload: dict[str, Any]) -> dict[str, Any]:
        name, version, channel = payload["model"], payload["version"], payload["channel"]
        signal = self.store.signal(payload["signal"])
        options = make_options(payload["options"])
        power = float(np.var(signal.channel(channel))) or 1.0

        def report(progress: FitProgress) -> None:
            context.progress(progress.fraction, progress.stage, error=progress.error,
                             message=f"{progress.waves} waves, {progress.error / power:.2%} of the power left")

        result = fit_signal(signal, options, channel=channel, progress=report, should_stop=context.should_stop,
                            checkpoint=self._keep_checkpoints(context.job.id), resume=self.store.checkpoint(context.job.id))
        context.require_lease()
        record = self._keep(name, version, result.field, result.report, signal, channel, options, job=context.job.id)
        self.store.drop_checkpoint(context.job.id)
        return {"model": record.name, "version": record.version, "waves": record.waves, "scores": record.scores,
                "seconds": result.report.seconds, "error_ratio": result.report.error / power,
                "stopped_because": result.report.stopped_because}

    def _run_evaluation(self, context: Context, payload: dict[str, Any]) -> dict[str, Any]:
        record = self.store.model(payload["model"], payload["version"])
        model = from_bytes(self.store.model_bytes(record.name, record.version))
        axes = [np.linspace(*axis) for axis in payload["grid"]]
        shape = [len(axis) for axis in axes]

        def pieces() -> Iterator[bytes]:
            yield _npy_header(tuple(shape))
            rows = max(1, 1_000_000 // max(1, int(np.prod(shape[1:]))))
            for first in range(0, shape[0], rows):
                if (reason := context.should_stop()) is not None:
                    raise Conflict(reason)
                yield evaluate_grid(model, [axes[0][first : first + rows], *axes[1:]]).astype("<f8").tobytes()
                context.progress(min(1.0, (first + rows) / shape[0]), "evaluating")

        path = self.store.put_file(f"results/{context.job.id}/values.npy", pieces())
        return {"file": path, "shape": shape, "format": "npy"}

    def _keep_checkpoints(self, job: str) -> Any:
        last = time.monotonic()

        def keep(data: bytes) -> None:
            nonlocal last
            if time.monotonic() - last >= CHECKPOINT_EVERY:
                self.store.put_checkpoint(job, data)
                last = time.monotonic()

        return keep

    # Parts

    def _signal_of(self, samples: Any, sample_rate: float, unit: str, name: str) -> Signal:
        signal = from_samples(samples, sample_rate=sample_rate, unit=unit, name=name)
        if signal.samples.size > self.settings.max_samples:
            raise TooLarge(f"{signal.samples.size} samples are over the limit of {self.settings.max_samples}.",
                           field="samples")
        return signal

    def _within_limits(self, options: FitOptions) -> FitOptions:
        asked = options.waves or (options.numbers or 0) // 6
        if asked > self.settings.max_waves:
            raise InvalidInput(f"{asked} waves are over the limit of {self.settings.max_waves}.",
                               field="waves" if options.waves else "numbers")
        return options

    def _model_name(self, asked: str | None, signal_name: str) -> str:
        if asked is not None:
            return check_name(asked)
        slug = re.sub(r"[^a-z0-9._-]+", "-", signal_name.lower()).strip("-._")[:100]
        return check_name(slug or "model")

    def _keep(self, name: str, version: int, field: WaveField, report: FitReport, signal: Signal, channel: str | int,
              options: FitOptions, *, job: str | None) -> ModelRecord:
        scores = {"error": report.error, "snr_db": report.snr_db, "held_out_error": report.held_out_error,
                  "between_error": error_between_samples(signal, field, channel)}
        return self.store.put_model(
            name, version, to_bytes(field), **_describe(field), signal=signal.sha256, channel=str(channel),
            settings=asdict(options), seed=options.seed, software=f"dredge {__version__}", scores=scores, job=job,
            report=asdict(report))

    def _observe_models(self, event: ModelEvent) -> None:
        metrics.observe_models(event, len(self._ready))

    def _field(self, name: str, version: int | None) -> WaveField:
        model = self.load(name, version)
        if not isinstance(model, WaveField):
            raise InvalidInput(f"{name} is an original {model.kind} model; it has values, but no list of events.",
                               field="name")
        return model

    def _check_cost(self, asked: int) -> None:
        if asked > self.settings.max_evaluate_cost:
            raise TooLarge(f"{asked:,} points × waves are over the limit of {self.settings.max_evaluate_cost:,} a request.",
                           field="points", hint="Ask for fewer points, or submit the grid as a job.")

    def _signal_if_there(self, record: ModelRecord) -> Signal | None:
        if record.signal is None:
            return None
        try:
            return self.store.signal(record.signal)
        except SignalNotFound:
            return None

    def _common_signal(self, first: ModelRecord, second: ModelRecord) -> Signal | None:
        if first.signal != second.signal or first.channel != second.channel or first.dimension != 1:
            return None
        return self._signal_if_there(first)


def _channel(stored: str | None) -> str | int:
    return stored if stored is not None else 0


def _describe(model: Any) -> dict[str, Any]:
    return {"kind": model.kind, "dimension": model.dimension, "waves": len(model), "numbers": model.numbers,
            "axes": [{"name": axis.name, "unit": axis.unit} for axis in model.axes], "unit": getattr(model, "unit", "1")}


def _grid_size(grid: Grid) -> int:
    size = 1
    for _, _, count in grid:
        size *= count
    return size


def _check_grid(grid: Grid, dimension: int) -> None:
    if len(grid) != dimension:
        raise InvalidInput(f"The grid has {len(grid)} axes, the model {dimension}.", field="grid")
    for number, (start, stop, count) in enumerate(grid):
        if not (np.isfinite(start) and np.isfinite(stop)) or count < 1:
            raise InvalidInput(f"Axis {number} of the grid needs a finite start and stop and a count of one or more.",
                               field="grid")
    if _grid_size(grid) > 10**9:
        raise TooLarge(f"A grid of {_grid_size(grid):,} points is over the limit of 1,000,000,000.", field="grid")


def _npy_header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue()

