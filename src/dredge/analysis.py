"""Signal in, waves out, in this process and with nothing stored: what the library, `dredge fit` and a fit job share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from dredge.errors import InvalidInput
from dredge.signals import Samples, Signal, from_samples
from dredge.store import ModelRecord
from dredge.waves import (
    AxisLabel,
    Event,
    FitOptions,
    FitProgress,
    FitReport,
    FitResult,
    WaveField,
    evaluate,
    fit_samples,
)

Progress = Callable[[FitProgress], None]
ShouldStop = Callable[[], str | None]
Checkpoint = Callable[[bytes], None]


@dataclass(frozen=True)
class Lift:
    """A signal, the waves it became, and how that went."""

    signal: Signal
    field: WaveField
    report: FitReport
    model: ModelRecord | None = None  # set when it was kept in a store

    @property
    def events(self) -> list[Event]:
        """The waves as rows for people, in order of time."""
        return self.field.events()

    def plot(self) -> Any:
        """A matplotlib figure: samples, model, residual and the waves on the time-frequency plane."""
        return self.field.plot(self.signal.channel(0), coordinates=self.signal.axes[0].coordinates,
                               title=self.signal.name)


def fit(samples: Any, *, sample_rate: float = 1.0, unit: str = "1", channel: str | int = 0,
        progress: Progress | None = None, **options: Any) -> WaveField:
    """Turn samples (a Signal, or [N] numbers at `sample_rate` hertz) into a WaveField.

    Options are those of `FitOptions`: waves, numbers, target_error, seconds, seed, edge, hold_out. With none of them the
    fit stops where more waves would describe noise. Raises InvalidInput naming what cannot be used.
    """
    return lift(samples, sample_rate=sample_rate, unit=unit, channel=channel, progress=progress, **options).field


def lift(samples: Any, *, sample_rate: float = 1.0, unit: str = "1", channel: str | int = 0,
         progress: Progress | None = None, **options: Any) -> Lift:
    """Like `fit`, with the signal and the report of the fit beside the field."""
    signal = samples if isinstance(samples, Signal) else from_samples(samples, sample_rate=sample_rate, unit=unit)
    result = fit_signal(signal, make_options(options), channel=channel, progress=progress)
    return Lift(signal, result.field, result.report)


def make_options(values: dict[str, Any]) -> FitOptions:
    """FitOptions from loose values. Raises InvalidInput naming an option that does not exist."""
    unknown = set(values) - set(FitOptions.__dataclass_fields__)
    if unknown:
        name = min(unknown)
        raise InvalidInput(f"There is no option {name!r}.", field=name,
                           hint=f"Options are {', '.join(FitOptions.__dataclass_fields__)}.")
    return FitOptions(**values)


def fit_signal(signal: Signal, options: FitOptions, *, channel: str | int = 0, progress: Progress | None = None,
               should_stop: ShouldStop | None = None, checkpoint: Checkpoint | None = None,
               resume: bytes | None = None) -> FitResult:
    """Fit one channel of a signal; the field carries the signal's axis names and units."""
    samples = signal.channel(channel)
    if signal.dimension != 1:
        raise InvalidInput(f"The signal has {signal.dimension} axes; fitting works on one so far.", field="signal",
                           hint="Take a line of it, for example the time course of one voxel.")
    axis = signal.axes[0]
    # The matrices are small: threads of the linear algebra would spend their time waiting for each other.
    with threadpool_limits(1):
        result = fit_samples(samples, start=axis.start, step=axis.step, options=options, progress=progress,
                             should_stop=should_stop, checkpoint=checkpoint, resume=resume)
    return replace(result, field=replace(result.field, axes=(AxisLabel(axis.name, axis.unit),), unit=signal.unit))


def error_between_samples(signal: Signal, field: WaveField, channel: str | int = 0) -> float | None:
    """Mean square error half-way between the samples, in squared signal units.

    The truth there is the band-limited interpolation of the samples (Whittaker-Shannon, by FFT on the mirrored signal),
    which a recording taken through an anti-aliasing filter obeys. A model that aliases, right on the samples and wrong
    beside them, shows here. The outer twentieth on either side is left out: the interpolation is least certain there.
    None for fewer than 40 samples.
    """
    samples = signal.channel(channel)
    if samples.size < 40:
        return None
    halfway = _interpolate_halfway(samples)
    axis = signal.axes[0]
    points = axis.coordinates[:-1] + axis.step / 2
    margin = samples.size // 20
    residual = evaluate(field, points)[margin:-margin] - halfway[margin:-margin]
    return float(np.mean(residual**2))


def _interpolate_halfway(samples: Samples) -> Samples:
    # Mirroring makes the periodic extension continuous, so that the ends do not ring through the whole recording.
    mirrored = np.concatenate([samples, samples[::-1]])
    spectrum = np.fft.rfft(mirrored)
    shift = np.exp(1j * np.pi * np.arange(spectrum.size) / mirrored.size)
    shift[-1] = 0
    return np.asarray(np.fft.irfft(spectrum * shift, mirrored.size)[: samples.size - 1], dtype=np.float64)
