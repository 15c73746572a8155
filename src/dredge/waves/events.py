"""Waves as rows for people: when, how long, how fast, how strong.

A one-dimensional wave  exp(−½ (u/σ)^p)·(a cos ψ + b sin ψ), ψ = k u + ½ β u², is read as

    amplitude · exp(−½ |u / width|^edge) · cos(2π (frequency·u + ½ chirp_rate·u²) + phase),    u = coordinate − time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dredge.errors import InvalidInput
from dredge.waves.energy import energy
from dredge.waves.field import Wave, WaveField

Order = Literal["time", "energy", "amplitude", "frequency"]


@dataclass(frozen=True)
class Event:
    """One wave as a row. With x the unit of the first axis and y the unit of the values:"""

    index: int  # its place in the field
    time: float  # x, centre of the envelope along the first axis
    width: float  # x, standard deviation σ of a Gaussian envelope; |u| at which any envelope is e^-½
    frequency: float  # 1/x, at the centre, never negative
    chirp_rate: float  # 1/x², by which the frequency rises
    amplitude: float  # y, peak of the envelope
    phase: float  # rad, at the centre, in (−π, π]
    energy: float  # y²·x, integral of the squared wave over all coordinates
    edge: float  # 2 is a Gaussian; larger is flatter with steeper sides
    # In several dimensions, per axis; empty in one.
    centre: tuple[float, ...] = ()
    widths: tuple[float, ...] = ()  # with the other coordinates at the centre
    wavenumber: tuple[float, ...] = ()  # rad per unit


def events(field: WaveField, *, sort: Order = "time", descending: bool = False) -> list[Event]:
    """The waves of a field as rows, sorted. Raises InvalidInput for an order that does not exist."""
    if not isinstance(field, WaveField):
        kind = getattr(field, "kind", type(field).__name__)
        raise InvalidInput(f"A {kind} model has values, but no list of events.", field="model")
    if sort not in get_args(Order):
        raise InvalidInput(f"Events cannot be sorted by {str(sort)[:40]!r}.", field="sort",
                           hint=f"Choose {', '.join(get_args(Order))}.")
    rows = [_event(i, wave, field) for i, wave in enumerate(field)]
    key: Callable[[Event], Any] = lambda event: getattr(event, sort)  # noqa: E731
    return sorted(rows, key=key, reverse=descending)


def _event(index: int, wave: Wave, field: WaveField) -> Event:
    k, chirp, sine = wave.wavenumber, wave.chirp, wave.sine
    if k[0] < 0:  # cos is even: the same wave told with a positive frequency
        k, chirp, sine = -k, -chirp, -sine
    widths = _widths(wave, field)
    return Event(
        index=index, time=float(wave.centre[0]), width=widths[0], frequency=float(abs(k[0])) / (2 * math.pi),
        chirp_rate=float(chirp[0, 0]) / (2 * math.pi), amplitude=wave.amplitude,
        phase=_phase(wave.cosine, sine), energy=energy(wave, field), edge=wave.edge,
        **({} if field.dimension == 1 else {"centre": tuple(map(float, wave.centre)), "widths": widths,
                                            "wavenumber": tuple(map(float, k))}))


def _phase(cosine: float, sine: float) -> float:
    angle = math.atan2(-sine, cosine)
    return math.pi if angle == -math.pi else angle + 0.0  # no −π and no −0.0


def _widths(wave: Wave, field: WaveField) -> tuple[float, ...]:
    """1/|L e_j| per axis; where the envelope does not fall off along an axis, the length of the domain."""
    lengths = (field.domain[:, 1] - field.domain[:, 0]).abs().tolist()
    steep = [math.hypot(*column) for column in wave.shape.T]
    return tuple(1 / s if s > 0 and math.isfinite(1 / s) else float(length)
                 for s, length in zip(steep, lengths, strict=True))
