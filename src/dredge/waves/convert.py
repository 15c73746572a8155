"""Between the general wave and the original Quasimoto wave, where a conversion exists.

The original is modulated,  A cos(κ)·E·sin(φ + ε cos θ)  with κ = k·x − ω t, θ = λ·x and a moving envelope E. The general
wave is a localised sinusoid with a chirp. They meet in three places:

- without modulation (ε = 0) the original is one general wave in the coordinates (x…, t), exactly;
- with it, sin(φ + ε cos θ) = J₀(ε) sin φ + 2 Σ_{m≥1} J_m(ε) sin(φ + mπ/2) cos mθ (Jacobi and Anger), a sum of general
  waves that is cut where the rest is below a tolerance;
- near x = 0, ε cos λx ≈ ε − ½ ελ²x², so in one dimension a slow modulation is a chirp, with β = −ελ².
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from dredge.errors import InvalidInput
from dredge.waves.bessel import bessel_orders, orders_needed
from dredge.waves.field import GAUSSIAN, AxisLabel, Wave, WaveField
from dredge.waves.modulated import ModulatedWaves
from dredge.waves.original import NAMES, SPACE, VECTORS, QuasimotoEnsemble, QuasimotoWave

Original = QuasimotoWave | QuasimotoEnsemble
Array = npt.NDArray[np.float64]

MOST_WAVES = 100_000  # that an expansion may take
SLICE = 1.0  # the time at which an original model stands for a one-dimensional field


class FieldConversion(NamedTuple):
    """A general model, and a bound on how far its values lie from those of the original, in value units."""

    model: WaveField
    error: float


class OriginalConversion(NamedTuple):
    """An original model, and a bound on how far its values lie from those of the field, in value units."""

    model: Original
    error: float


def to_general(model: Original, *, tolerance: float = 1e-9, domain: npt.ArrayLike | None = None) -> FieldConversion:
    """The general form of an original model, a field in (x…, t) that differs nowhere by more than `tolerance`.

    Each wave becomes one general wave when ε = 0 and up to 2M + 1 otherwise, where M grows with |ε| and slowly with the
    digits asked for. `domain` [s + 1, 2] is kept in the field; by default it covers three widths around the envelopes
    for t from 0 to 1. Raises InvalidInput when the expansion would take more than 100,000 waves.
    """
    if not tolerance > 0:
        raise InvalidInput("The tolerance is not positive.", field="tolerance")
    rows = _numbers(model)
    n, s = rows["k"].shape
    found: list[Wave] = []
    error = 0.0
    for i in range(n):
        row = {name: value[i] for name, value in rows.items() if name != "bias"}
        gain = float(row["A"] * row["weight"])
        if gain == 0:
            continue
        shape = np.hstack([np.eye(s), -row["v"][:, None]]) * math.exp(-row["log_sigma"])
        for step, coefficient in _expansion(row, gain, tolerance / n, len(found)):
            # The part of mθ splits in two, since cos κ·cos mθ = ½ (cos(κ + mθ) + cos(κ − mθ)).
            for side in (1, -1) if step else (1,):
                k = np.append(row["k"] + side * step * row["lmbda"], -row["omega"])
                size = gain * coefficient / (2 if step else 1)
                found.append(Wave(np.zeros(s + 1), shape, k, np.zeros((s + 1, s + 1)), size, 0.0))
        error += abs(gain) * (orders_needed(float(row["epsilon"]), tolerance / n / abs(gain))[1] if row["epsilon"] else 0)
    box = _domain(rows) if domain is None else np.asarray(domain, dtype=np.float64)
    return FieldConversion(_field(found, box, float(rows["bias"]), model.axes, model.unit), error)


def to_chirps(model: Original, *, time: float = SLICE, tolerance: float = 1e-3,
              domain: tuple[float, float] | None = None, axis: AxisLabel | None = None) -> FieldConversion:
    """An original model in one dimension at one time, as a field of chirps in x: the way back from `to_original`.

    Each wave with a carrier becomes two chirps, k and −k about x = 0, with β = −ελ²; without a carrier one. Replacing
    the cosine by its parabola changes a value by at most |A ε| λ⁴/24 · max x⁴E. Raises InvalidInput when that is more than
    `tolerance` in all, in value units: the modulation then turns too often inside the envelope to be a chirp.
    """
    if model.space != 1:
        raise InvalidInput(f"Only waves in one dimension are chirps; this model has {model.space} space coordinates.",
                           field="model")
    rows = {name: value[:, 0] if name in VECTORS else value for name, value in _numbers(model).items()}
    found: list[Wave] = []
    error = 0.0
    for i in range(len(rows["A"])):
        row = {name: float(value[i]) for name, value in rows.items() if name != "bias"}
        gain, sigma, centre = row["A"] * row["weight"], math.exp(row["log_sigma"]), row["v"] * time
        epsilon, lmbda, k, turned = row["epsilon"], row["lmbda"], row["k"], row["omega"] * time
        if epsilon == 0 or lmbda == 0:
            angle = k * centre - turned
            size = gain * math.sin(row["phi"] + epsilon)
            found.append(_chirp(centre, sigma, k, 0.0, size * math.cos(angle), -size * math.sin(angle)))
            continue
        beta, start = -epsilon * lmbda**2, row["phi"] + epsilon
        error += abs(gain * epsilon) * lmbda**4 / 24 * _highest_quartic(centre, sigma)
        sides = ((1, gain / 2), (-1, gain / 2)) if k != 0 else ((1, gain * math.cos(turned)),)
        for side, size in sides:
            # sin(½βx² + start ± (kx − ωt)) about the centre, u = x − c.
            angle = 0.5 * beta * centre**2 + start + (side * (k * centre - turned) if k != 0 else 0.0)
            found.append(_chirp(centre, sigma, side * k + beta * centre, beta, size * math.sin(angle),
                                size * math.cos(angle)))
    if error > tolerance:
        raise InvalidInput(f"As chirps this model would be wrong by up to {error:.2g}, over the tolerance of "
                           f"{tolerance:.2g}.", field="tolerance", hint="Convert it with to_general instead.")
    box = _domain(_numbers(model), time)[:1]
    box = box if domain is None else np.array([domain], dtype=np.float64)
    return FieldConversion(_field(found, box, float(rows["bias"]), (axis or model.axes[0],), model.unit), error)


def to_original(field: WaveField, *, tolerance: float = 1e-6) -> OriginalConversion:
    """The original form of a field, in float64: a single wave when one suffices, else an ensemble.

    In 2, 4 or 6 coordinates (x…, t) a wave converts exactly when it has no chirp, a Gaussian envelope of one width that
    moves through the origin, and no phase against it. In one coordinate every Gaussian wave converts, and the original model
    stands for the field at t = 1, where v is the centre and ω the phase; a chirp takes two waves with ελ² = −β (one when
    its frequency is 0 at x = 0), wrong by at most `tolerance` in all, in value units. Raises InvalidInput saying which
    wave does not convert, and why.
    """
    if not tolerance > 0:
        raise InvalidInput("The tolerance is not positive.", field="tolerance")
    if not len(field):
        raise InvalidInput("The field has no waves, and an original model has at least one.", field="field")
    found: list[dict[str, Array]] = []
    error = 0.0
    for i, wave in enumerate(field):
        if wave.edge != GAUSSIAN:
            raise InvalidInput(f"Wave {i} has the edge {wave.edge:g}; the original knows only Gaussian envelopes.",
                               field="edge")
        if field.dimension == 1:
            some, wrong = _one_dimensional(i, wave, tolerance / len(field))
            error += wrong
        else:
            some = [_moving(i, wave)]
        found += some
    dimension = {1: 1, **{space + 1: name for name, space in SPACE.items()}}.get(field.dimension, 0)
    if len(found) == 1 and float(field.bias) == 0:
        model: Original = QuasimotoWave(dimension)
    else:
        model = QuasimotoEnsemble(len(found), dimension)
    model.double()
    with torch.no_grad():
        for name in NAMES:
            column = np.stack([row[name] for row in found])
            parameter = getattr(model, name)
            parameter.copy_(torch.from_numpy(column).reshape(parameter.shape))
        if isinstance(model, QuasimotoEnsemble):
            model.head.weight.fill_(1.0)
            model.head.bias.fill_(float(field.bias))
    if field.dimension > 1:
        model.axes = field.axes
    else:
        model.axes = (field.axes[0], model.axes[1])
    model.unit = field.unit
    return OriginalConversion(model, error)


def _numbers(model: Original) -> dict[str, Array]:
    waves: ModulatedWaves = model.waves_in_rows()
    return {name: getattr(waves, name).detach().cpu().double().numpy() for name in (*NAMES, "weight", "bias")}


def _expansion(row: dict[str, Array], gain: float, share: float, so_far: int) -> list[tuple[int, float]]:
    """(m, coefficient of cos mθ) of sin(φ + ε cos θ), those that are zero left out."""
    epsilon, phi = float(row["epsilon"]), float(row["phi"])
    if epsilon == 0:
        return [(0, math.sin(phi))] if math.sin(phi) else []
    if so_far + abs(epsilon) > MOST_WAVES:
        raise InvalidInput(f"With ε = {epsilon:.3g} the expansion takes more than {MOST_WAVES:,} waves.", field="tolerance",
                           hint="In one dimension, to_chirps may do.")
    last, _ = orders_needed(epsilon, share / abs(gain))
    quarter = (math.sin(phi), math.cos(phi), -math.sin(phi), -math.cos(phi))  # sin(φ + mπ/2)
    values = bessel_orders(epsilon, last)
    terms = [(m, float((2 if m else 1) * values[m] * quarter[m % 4])) for m in range(last + 1)]
    return [(m, coefficient) for m, coefficient in terms if coefficient]


def _one_dimensional(i: int, wave: Wave, tolerance: float) -> tuple[list[dict[str, Array]], float]:
    """The original waves, at t = 1, of a general wave in one coordinate, and the bound on their error."""
    steep = float(np.hypot.reduce(wave.shape[:, 0]))
    if steep == 0:
        raise InvalidInput(f"Wave {i} has no envelope.", field="shape")
    centre, k, beta = float(wave.centre[0]), float(wave.wavenumber[0]), float(wave.chirp[0, 0])
    theta = math.atan2(wave.sine, wave.cosine)
    common = {"A": wave.amplitude, "v": centre, "log_sigma": -math.log(steep)}
    if beta == 0 or wave.amplitude == 0:
        return [_row(**common, k=k, omega=k * centre + theta, phi=math.pi / 2)], 0.0
    # cos(½βx² + κx + χ) = cos κx·sin(½βx² + χ + ½π) + cos(κx + ½π)·sin(½βx² + χ)
    kappa, chi = k - beta * centre, 0.5 * beta * centre**2 - k * centre - theta
    quartic = _highest_quartic(centre, 1 / steep)
    wrong = wave.amplitude * (math.sqrt(2) if kappa else 1.0) * abs(beta) * quartic / 24  # times λ²
    lmbda = quartic**-0.25  # what turns once or less is slow enough for a chirp that hardly is one
    if wrong * lmbda**2 > tolerance / 2:
        lmbda = math.sqrt(tolerance / 2 / wrong)
    epsilon = -beta / lmbda**2
    rounding = 4 * wave.amplitude * np.finfo(np.float64).eps * (abs(epsilon) + abs(chi))
    if rounding > tolerance / 2:
        raise InvalidInput(f"Wave {i} is a chirp too long or too far from x = 0 to be told as a modulation within the "
                           "tolerance.", field="tolerance", hint="Move the origin to it or allow a larger error.")
    rows = [_row(**common, k=kappa, omega=0.0, phi=chi + math.pi / 2 - epsilon, epsilon=epsilon, lmbda=lmbda)]
    if kappa:
        rows.append(_row(**common, k=kappa, omega=-math.pi / 2, phi=chi - epsilon, epsilon=epsilon, lmbda=lmbda))
    return rows, wrong * lmbda**2 + rounding


def _moving(i: int, wave: Wave) -> dict[str, Array]:
    """The original wave that equals a general wave in (x…, t) exactly."""
    d = len(wave.centre)
    if d - 1 not in SPACE.values():
        raise InvalidInput(f"There is no original wave in {d} coordinates.", field="field", hint="They have 2, 4 or 6.")
    if np.any(wave.chirp):
        raise InvalidInput(f"Wave {i} has a chirp, which the original has only near x = 0 in one coordinate.", field="chirp")
    Q = wave.shape.T @ wave.shape
    steep = Q[0, 0]
    velocity = -Q[:-1, -1] / steep if steep > 0 else np.zeros(d - 1)
    row = np.hstack([np.eye(d - 1), -velocity[:, None]])
    scale = float(np.abs(Q).max())
    if steep <= 0 or np.abs(Q - steep * row.T @ row).max() > 1e-9 * scale:
        raise InvalidInput(f"The envelope of wave {i} is not one width moving at one velocity.", field="shape")
    if np.abs(row @ wave.centre).max() * math.sqrt(steep) > 1e-9:
        raise InvalidInput(f"The envelope of wave {i} does not pass through the origin.", field="centre")
    # a cos ψ + b sin ψ with ψ = k·(x − c) is a cosine about the origin only when its phase there is 0 or π.
    angle = float(wave.wavenumber @ wave.centre) + math.atan2(wave.sine, wave.cosine)
    if wave.amplitude and abs(math.sin(angle)) > 1e-9:
        raise InvalidInput(f"Wave {i} has a phase at the origin, and the original's carrier has none.", field="sine")
    return _row(A=wave.amplitude * math.copysign(1.0, math.cos(angle)), k=wave.wavenumber[:-1],
                omega=-wave.wavenumber[-1], v=velocity, log_sigma=-0.5 * math.log(steep), phi=math.pi / 2,
                lmbda=np.zeros(d - 1))


def _row(**values: float | Array) -> dict[str, Array]:
    return {name: np.asarray(values.get(name, 0.0), dtype=np.float64) for name in NAMES}


def _chirp(centre: float, sigma: float, k: float, beta: float, *weights: float) -> Wave:
    cosine, sine = weights
    return Wave(np.array([centre]), np.array([[1 / sigma]]), np.array([k]), np.array([[beta]]), cosine, sine)


def _highest_quartic(centre: float, sigma: float) -> float:
    """max over x of x⁴ exp(−½ (x − c)²/σ²), where 4/x = (x − c)/σ²."""
    x = (abs(centre) + math.hypot(centre, 4 * sigma)) / 2
    return x**4 * math.exp(-0.5 * ((x - abs(centre)) / sigma) ** 2)


def _domain(rows: dict[str, Array], last: float = 1.0) -> Array:
    """Three widths around the envelopes for t from 0 to `last`."""
    v, sigma = rows["v"], np.exp(rows["log_sigma"])[:, None]
    low = np.minimum(0, v * last) - 3 * sigma
    high = np.maximum(0, v * last) + 3 * sigma
    return np.concatenate([np.stack([low.min(0), high.max(0)], 1), [[min(0.0, last), max(0.0, last)]]])


def _field(waves: list[Wave], box: Array, bias: float, axes: tuple[AxisLabel, ...], unit: str) -> WaveField:
    d = len(axes)
    silent = Wave(np.zeros(d), np.eye(d), np.zeros(d), np.zeros((d, d)), 0.0, 0.0)
    field = WaveField.of(waves or [silent], domain=box, bias=bias, axes=axes, unit=unit)
    return field if waves else field.take([])
