"""The wave of one dimension as a fit needs it: columns of the design matrix, and their derivatives.

Coordinates are sample numbers. A row of parameters is  c, ln σ, k, β, ln p,  and a wave is

    exp(−½ |u/σ|^p) · (a cos ψ + b sin ψ),    u = x − c,    ψ = k u + ½ β u².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CENTRE, WIDTH, WAVENUMBER, CHIRP, EDGE = range(5)
LOG_GAUSSIAN = float(np.log(2.0))
# Between the samples nothing may turn faster than Nyquist allows, and nothing may be too narrow to be seen.
FASTEST = 0.95 * np.pi  # rad a sample, for |k| + |β|σ
NARROWEST = 0.8  # samples
SHARPEST = 600.0
BLUNTEST = 0.7
SMALLEST_EXPONENT = -600.0


@dataclass(frozen=True)
class Parts:
    """What columns and derivatives share, each [N, n]."""

    u: Array
    exponent: Array  # |u/σ|^p
    cosine: Array  # envelope · cos ψ
    sine: Array  # envelope · sin ψ


def parts(rows: Array, x: Array) -> Parts:
    """Evaluate the pieces of n waves [n, 5] at x [N]."""
    u = x[:, None] - rows[:, CENTRE]
    scaled = u * np.exp(-rows[:, WIDTH])
    gaussian = rows[:, EDGE] == LOG_GAUSSIAN
    if gaussian.all():
        exponent = scaled * scaled
    else:
        with np.errstate(divide="ignore", over="ignore"):
            exponent = np.exp(np.minimum(np.exp(rows[:, EDGE]) * np.log(np.abs(scaled)), 300.0))
    envelope = np.exp(np.maximum(-0.5 * exponent, SMALLEST_EXPONENT))
    phase = u * (rows[:, WAVENUMBER] + 0.5 * rows[:, CHIRP] * u)
    return Parts(u, exponent, envelope * np.cos(phase), envelope * np.sin(phase))


def columns(p: Parts) -> Array:
    """The design matrix [N, 2n]: envelope·cos and envelope·sin of each wave in turn."""
    count, waves = p.u.shape
    out = np.empty((count, 2 * waves))
    out[:, 0::2] = p.cosine
    out[:, 1::2] = p.sine
    return out


def derivatives(rows: Array, amplitudes: Array, p: Parts, free: tuple[int, ...]) -> Array:
    """Derivatives [N, n·len(free)] of the sum of waves by the free parameters, wave by wave.

    With f the wave and h = ∂f/∂ψ = envelope·(b cos ψ − a sin ψ):  ∂f/∂c = f·½p|u/σ|^p/u − h(k + βu),
    ∂f/∂ln σ = f·½p|u/σ|^p, ∂f/∂k = h u, ∂f/∂β = ½ h u², ∂f/∂ln p = −½ f p |u/σ|^p ln|u/σ|.
    """
    a, b = amplitudes[0::2], amplitudes[1::2]
    wave = a * p.cosine + b * p.sine
    turned = b * p.cosine - a * p.sine
    power = np.exp(rows[:, EDGE])
    # Where the envelope is nothing, an enormous exponent must not become 0 · inf.
    steep = 0.5 * power * np.minimum(p.exponent, -2 * SMALLEST_EXPONENT) * wave
    out = np.empty((len(p.u), len(rows), len(free)))
    for place, which in enumerate(free):
        if which == CENTRE:
            safe = np.where(np.abs(p.u) < 1e-12, 1.0, p.u)
            out[:, :, place] = np.where(np.abs(p.u) < 1e-12, 0.0, steep / safe) - turned * (
                rows[:, WAVENUMBER] + rows[:, CHIRP] * p.u)
        elif which == WIDTH:
            out[:, :, place] = steep
        elif which == WAVENUMBER:
            out[:, :, place] = turned * p.u
        elif which == CHIRP:
            out[:, :, place] = 0.5 * turned * p.u**2
        else:
            logarithm = np.log(np.maximum(np.abs(p.u) * np.exp(-rows[:, WIDTH]), 1e-300))
            out[:, :, place] = -steep * logarithm
    return out.reshape(len(p.u), -1)


def within_bounds(rows: Array, length: int) -> Array:
    """The rows moved to the nearest that a recording of `length` samples can tell."""
    rows = rows.copy()
    rows[:, CENTRE] = np.clip(rows[:, CENTRE], 0.0, length - 1.0)
    rows[:, WIDTH] = np.clip(rows[:, WIDTH], np.log(NARROWEST), np.log(2.0 * length))
    rows[:, WAVENUMBER] = np.clip(rows[:, WAVENUMBER], -FASTEST, FASTEST)
    sigma = np.minimum(np.exp(rows[:, WIDTH]), length)
    most = (FASTEST - np.abs(rows[:, WAVENUMBER])) / sigma
    rows[:, CHIRP] = np.clip(rows[:, CHIRP], -most, most)
    rows[:, EDGE] = np.clip(rows[:, EDGE], np.log(BLUNTEST), np.log(SHARPEST))
    return rows
