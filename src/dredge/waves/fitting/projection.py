"""Joint refinement of waves by variable projection.

The amplitudes that fit best follow from the other parameters by linear least squares, so only those others are searched:
Levenberg-Marquardt with the Jacobian of Kaufman (BIT 15, 1975), the derivatives projected off the span of the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dredge.waves.fitting.chirplets import (
    CENTRE,
    CHIRP,
    EDGE,
    WAVENUMBER,
    WIDTH,
    Array,
    Parts,
    columns,
    derivatives,
    parts,
    within_bounds,
)

SMOOTH = (CENTRE, WIDTH, WAVENUMBER, CHIRP)
WITH_EDGE = (*SMOOTH, EDGE)
# Columns are scaled by their envelope's norm, so that a sine that is nearly zero everywhere cannot take an enormous
# amplitude for nothing: the ridge holds it down. It rises only when amplitudes cancel, since it costs exactness.
RIDGES = (1e-14, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2)
LARGEST_AMPLITUDE = 3.0  # times the largest sample
LARGEST_STEP = 0.7  # of ln σ and ln p


@dataclass(frozen=True)
class Problem:
    """Samples y [N] at x [N] to explain, of a recording of `length` samples."""

    x: Array
    y: Array
    length: int
    bias: bool
    peak: float  # the largest sample, by which amplitudes are judged


@dataclass(frozen=True)
class Solution:
    """Waves with the amplitudes that fit best."""

    rows: Array  # [n, 5]
    amplitudes: Array  # [2n]
    bias: float
    residual: Array  # [N]
    error: float  # sum of squares of the residual
    span: Array  # [N, L], orthonormal columns of the design matrix (of its part above the ridge)
    parts: Parts


def solve(problem: Problem, rows: Array) -> Solution:
    """The best amplitudes for given waves, with the least ridge that keeps them from cancelling."""
    p = parts(rows, problem.x)
    design = columns(p)
    scale = np.repeat(np.sqrt((p.cosine**2 + p.sine**2).sum(0)) + 1e-150, 2)
    if problem.bias:
        design = np.column_stack([design, np.ones(len(problem.x))])
        scale = np.append(scale, np.sqrt(len(problem.x)))
    scaled = design / scale
    unknowns = scaled.shape[1]
    solution = np.zeros(unknowns)
    q = np.zeros((len(problem.x), 0))
    for ridge in RIDGES:
        q, r = np.linalg.qr(np.vstack([scaled, np.sqrt(ridge) * np.eye(unknowns)]))
        q = q[: len(problem.x)]
        solution = _back_substitute(r, q.T @ problem.y)
        waves = (solution / scale)[: 2 * len(rows)]
        if not len(rows) or np.hypot(waves[0::2], waves[1::2]).max() <= LARGEST_AMPLITUDE * problem.peak:
            break
    residual = problem.y - scaled @ solution
    linear = solution / scale
    return Solution(rows, linear[: 2 * len(rows)], float(linear[-1]) if problem.bias else 0.0, residual,
                    float(residual @ residual), q, p)


def _back_substitute(r: Array, right: Array) -> Array:
    diagonal = np.abs(np.diag(r))
    if diagonal.size and diagonal.min() > 1e-13 * diagonal.max():
        return np.asarray(np.linalg.solve(r, right))
    return np.asarray(np.linalg.lstsq(r, right, rcond=1e-13)[0])


def refine(problem: Problem, rows: Array, *, iterations: int, tolerance: float, free: tuple[int, ...] = SMOOTH,
           enough: float = 0.0, pause: Callable[[], bool] = lambda: False) -> Solution:
    """Move the waves until the error falls by less than `tolerance` of itself three times in a row, or to `enough`.

    `pause` is asked before every iteration and ends the search when it answers True.
    """
    now = solve(problem, within_bounds(rows, problem.length))
    damping, slow = 1e-3, 0
    for _ in range(iterations):
        if now.error <= enough or not len(rows) or pause():
            break
        following, damping = _step(problem, now, free, damping)
        if following is None:
            break
        slow = slow + 1 if now.error - following.error < tolerance * now.error else 0
        now = following
        if slow == 3:
            break
    return now


def _step(problem: Problem, now: Solution, free: tuple[int, ...], damping: float) -> tuple[Solution | None, float]:
    jacobian = derivatives(now.rows, now.amplitudes, now.parts, free)
    jacobian -= now.span @ (now.span.T @ jacobian)
    normal, gradient = jacobian.T @ jacobian, jacobian.T @ now.residual
    diagonal = np.diag(normal).copy()
    diagonal = np.maximum(diagonal, 1e-12 * diagonal.max() + 1e-300)
    while damping < 1e10:
        try:
            step: Array = np.linalg.solve(normal + np.diag(damping * diagonal), gradient).astype(np.float64, copy=False)
        except np.linalg.LinAlgError:
            damping *= 10
            continue
        following = solve(problem, within_bounds(now.rows + _limited(step, now.rows, free), problem.length))
        if following.error < now.error:
            return following, max(damping / 6, 1e-14)
        damping *= 5
    return None, damping


def _limited(step: Array, rows: Array, free: tuple[int, ...]) -> Array:
    out = np.zeros_like(rows)
    out[:, list(free)] = step.reshape(len(rows), len(free))
    sigma = np.exp(rows[:, WIDTH])
    out[:, CENTRE] = np.clip(out[:, CENTRE], -2 * sigma, 2 * sigma)
    for which in (WIDTH, EDGE):
        out[:, which] = np.clip(out[:, which], -LARGEST_STEP, LARGEST_STEP)
    return out
