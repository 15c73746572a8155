"""What a user may ask of a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dredge.errors import InvalidInput

NUMBERS_PER_WAVE = 6  # c, σ, k, β, a, b
MOST_WAVES = 10_000


@dataclass(frozen=True)
class FitOptions:
    """How far a fit goes. With nothing given it ends where another wave would describe noise, at 64 waves, or at one wave
    for every twelve samples, whichever comes first. Raises InvalidInput naming the option that cannot be used.
    """

    waves: int | None = None  # so many waves, unless fewer explain everything
    numbers: int | None = None  # as many waves as so many stored numbers hold
    target_error: float | None = None  # mean square error, in squared signal units, at which to stop
    seconds: float | None = None  # stop after so long, with the best so far
    seed: int = 0  # of the held-out samples
    edge: bool = False  # fit the edge exponent p too, one number more a wave
    hold_out: float = 0.0  # fraction of samples kept back to judge by; the fit ends when their error rises

    def __post_init__(self) -> None:
        _whole("waves", self.waves, 1, MOST_WAVES)
        _whole("numbers", self.numbers, 1 + self.numbers_per_wave, MOST_WAVES * self.numbers_per_wave + 1)
        _whole("seed", self.seed, 0, 2**32 - 1)
        _between("target_error", self.target_error, 0.0, math.inf)
        _between("seconds", self.seconds, 0.0, math.inf)
        _between("hold_out", self.hold_out, -1.0, 0.9)
        if self.hold_out < 0:
            raise InvalidInput(f"hold_out is {self.hold_out}; it is a fraction from 0 to 0.9.", field="hold_out")
        if self.waves is not None and self.numbers is not None:
            raise InvalidInput("Give waves or numbers, not both.", field="numbers")

    @property
    def numbers_per_wave(self) -> int:
        """Stored numbers that one wave takes."""
        return NUMBERS_PER_WAVE + int(self.edge)

    def most_waves(self, samples: int) -> int:
        """Waves at which a fit of so many samples ends at the latest. Raises InvalidInput for more than can be told."""
        field, asked = "waves", self.waves
        if self.numbers is not None:
            field, asked = "numbers", (self.numbers - 1) // self.numbers_per_wave
        if asked is None:
            return max(1, min(64, samples // 12))
        if asked * 4 > max(samples, 8):
            raise InvalidInput(f"{asked} waves are too many for {samples} samples; {max(2, samples // 4)} can be told apart.",
                               field=field)
        return asked


def _whole(name: str, value: object, low: int, high: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(f"{name} is {value!r}; it is a whole number from {low} to {high}.", field=name)


def _between(name: str, value: object, low: float, high: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < high:
        limits = "above 0" if low == 0 else f"from 0 to {high:g}"
        raise InvalidInput(f"{name} is {value!r}; it is a number {limits}.", field=name)
