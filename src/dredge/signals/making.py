"""Signals from numbers that are already in memory, and from text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput
from dredge.signals.signal import Axis, Signal

FEWEST = 2


def from_samples(values: Any, *, sample_rate: float = 1.0, unit: str = "1", name: str = "signal",
                 axes: Sequence[Axis] | None = None, channels: Sequence[str] | None = None,
                 start_time: str | None = None) -> Signal:
    """A Signal from numbers: [N], or [channels, N]; with `axes` also [*axes] or [channels, *axes].

    `sample_rate` is in hertz. Raises InvalidInput(field="samples") for text, complex numbers, ragged or empty lists and
    numbers that are not finite, and field="sample_rate" for a rate that is not above zero.
    """
    samples = _numbers(values)
    if axes is None:
        if samples.ndim not in (1, 2):
            raise InvalidInput(f"Samples have shape {list(samples.shape)}; give [N], or [channels, N].", field="samples")
        axes = (time_axis(samples.shape[-1], sample_rate),)
    if samples.ndim == len(axes):
        samples = samples[None]
    if samples.ndim != len(axes) + 1:
        raise InvalidInput(f"Samples have {samples.ndim - 1} axes, {len(axes)} are described.", field="samples")
    if samples.size == 0 or max(samples.shape[1:]) < FEWEST:
        raise InvalidInput(f"A signal has at least {FEWEST} samples; there {'is one' if samples.size else 'are none'}.",
                           field="samples")
    named = tuple(channels) if channels is not None else default_channels(samples.shape[0])
    return Signal(samples, tuple(axes), named, unit, start_time, name)


def from_text(text: str) -> Signal:
    """A Signal whose samples are the code points of a text, one a second."""
    if not isinstance(text, str):
        raise InvalidInput("The text is not a text.", field="text")
    if len(text) < FEWEST:
        raise InvalidInput(f"The text has {len(text)} characters; at least {FEWEST} are needed.", field="text")
    return from_samples([float(ord(letter)) for letter in text], name="text")


def time_axis(size: int, sample_rate: float, start: float = 0.0) -> Axis:
    """A time axis in seconds. Raises InvalidInput(field="sample_rate")."""
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | float | np.number):
        raise InvalidInput(f"The sample rate {sample_rate!r} is not a number.", field="sample_rate")
    rate = float(sample_rate)
    if not (np.isfinite(rate) and rate > 0 and np.isfinite(1 / rate)):
        raise InvalidInput(f"The sample rate is {rate:g}; it must be a number above zero.", field="sample_rate")
    return Axis("time", "s", size, 1 / rate, start)


def default_channels(count: int) -> tuple[str, ...]:
    """Names for channels that have none."""
    return ("signal",) if count == 1 else tuple(f"channel{i}" for i in range(count))


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    if isinstance(values, str | bytes | bytearray | dict | set) or values is None:
        raise InvalidInput(f"Samples are numbers, not {type(values).__name__}.", field="samples")
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "fiu":
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidInput("The rows of samples have different lengths.", field="samples") from None
    except (TypeError, RuntimeError) as error:  # tensors that need gradients, or lie on a GPU
        raise InvalidInput(f"The samples cannot be read as numbers: {str(error)[:200]}", field="samples") from None
    if array.dtype.kind in "fiu":
        return array.astype(np.float64)
    if array.size == 0:
        raise InvalidInput("There are no samples.", field="samples")
    kinds = {"c": "complex numbers", "b": "booleans", "U": "text", "S": "bytes", "M": "dates", "m": "durations"}
    if array.dtype.kind == "O":
        raise InvalidInput("The samples are not all numbers in rows of one length.", field="samples")
    raise InvalidInput(f"Samples are real numbers, not {kinds.get(array.dtype.kind, str(array.dtype))}.", field="samples")
