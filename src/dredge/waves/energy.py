"""The energy of a wave: the integral of its square over all coordinates.

For a Gaussian envelope, with Q = LᵀL and α = Q − iB,

    ∫ wave² = ½ (a² + b²) π^(d/2) / √det Q  +  Re{ ½ (a − i b)² π^(d/2) / √det α · exp(−kᵀ α⁻¹ k) },

because  wave² = exp(−uᵀQu)·(½ (a² + b²) + Re{½ (a − i b)² e^{2iψ}}). The second term is what the oscillation adds when
its wavelength is not short beside the envelope. Other edges are integrated numerically.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dredge.waves.field import GAUSSIAN, Wave, WaveField

Array = npt.NDArray[np.float64]

REACH = 40.0  # |L u|^p beyond which wave² is below e^-40 of its peak
NODES = 16  # Gauss-Legendre nodes a panel
MOST_PANELS = 1 << 15  # with more, stationary phase is right to about 1e-6
POINTS_IN_SPACE = 1 << 16


def energy(wave: Wave, field: WaveField) -> float:
    """∫ wave² over all coordinates, in squared value units × the units of the axes.

    An envelope that does not fall off in every direction (a moving one, say) is integrated over the field's domain.
    """
    Q = wave.shape.T @ wave.shape
    scales, axes = np.linalg.eigh(Q)
    if scales[0] <= 1e-14 * scales[-1]:
        return _over_box(wave, field.domain.detach().cpu().double().numpy())
    if wave.edge == GAUSSIAN:
        return _gaussian(wave, Q, scales, axes)
    if len(Q) == 1:
        return _line(wave, math.sqrt(Q[0, 0]))
    # The ellipsoid |L u|^p = REACH reaches this far along each axis.
    reach = REACH ** (1 / wave.edge) * np.sqrt(np.diag(np.linalg.inv(Q)))
    return _over_box(wave, np.stack([wave.centre - reach, wave.centre + reach], 1))


def _gaussian(wave: Wave, Q: Array, scales: Array, axes: Array) -> float:
    d = len(Q)
    steady = math.pi ** (d / 2) / math.sqrt(float(np.prod(scales)))
    # In coordinates where Q is the identity, α is 1 − iμ along each axis, and each root is the principal one.
    whiten = axes / np.sqrt(scales)
    mu, turned = np.linalg.eigh(whiten.T @ ((wave.chirp + wave.chirp.T) / 2) @ whiten)
    k = turned.T @ (whiten.T @ wave.wavenumber)
    ripple = steady * np.prod((1 - 1j * mu) ** -0.5) * np.exp(-np.sum(k**2 / (1 - 1j * mu)))
    a, b = wave.cosine, wave.sine
    total = 0.5 * (a * a + b * b) * steady + (0.5 * complex(a, -b) ** 2 * complex(ripple)).real
    return max(0.0, float(total))


def _line(wave: Wave, steep: float) -> float:
    """Any edge in one dimension: ½ (a² + b²)·2 Γ(1 + 1/p) σ and the ripple, with s = u/σ as the coordinate."""
    p, k, beta = wave.edge, wave.wavenumber[0] / steep, wave.chirp[0, 0] / steep**2
    reach = REACH ** (1 / p)
    steady = 0.5 * wave.amplitude**2 * 2 * math.gamma(1 + 1 / p)
    turns = (2 * abs(k) * reach + abs(beta) * reach**2) / (2 * math.pi)
    if turns <= MOST_PANELS:
        ripple = _ripple(p, k, beta, reach)
    elif abs(k) < abs(beta) * reach:  # stationary phase: all that does not cancel comes from where the frequency is 0
        ripple = np.exp(-abs(k / beta) ** p + 1j * (math.copysign(math.pi / 4, beta) - k * k / beta)) * math.sqrt(
            math.pi / abs(beta))
    else:
        ripple = 0.0
    return max(0.0, steady + float((0.5 * complex(wave.cosine, -wave.sine) ** 2 * ripple).real)) / steep


def _ripple(p: float, k: float, beta: float, reach: float) -> complex:
    """∫ exp(−|s|^p + i (2 k s + β s²)) ds by Gauss-Legendre panels; both sides of the centre share a panel.

    The phase turns about once in each panel, and the first is halved over and over, since small edges have a kink at 0.
    """
    square, linear = abs(beta) / (2 * math.pi), abs(k) / math.pi + 32 / reach  # panels up to s: square·s² + linear·s
    count = math.ceil(square * reach**2 + linear * reach)
    j = np.arange(1, count + 1)
    ends = 2 * j / (linear + np.sqrt(linear**2 + 4 * square * j))
    edges = np.concatenate([[0.0], ends[0] * 2.0 ** np.arange(-30, 0), ends])
    node, weight = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges) / 2
    s = (edges[:-1] + half)[:, None] + half[:, None] * node
    envelope = np.exp(-(s**p)) * half[:, None] * weight
    return complex((2 * envelope * np.cos(2 * k * s) * np.exp(1j * beta * s**2)).sum())


def _over_box(wave: Wave, box: Array) -> float:
    """∫ wave² over a box by Gauss-Legendre nodes along each axis; `box` is [d, 2]."""
    from dredge.waves.evaluate import evaluate_grid

    d = len(box)
    node, weight = np.polynomial.legendre.leggauss(max(4, int(POINTS_IN_SPACE ** (1 / d))) if d > 1 else 4096)
    middle, half = box.mean(1), np.abs(box[:, 1] - box[:, 0]) / 2
    one = WaveField.of([wave], domain=box)
    squares = evaluate_grid(one, [m + h * node for m, h in zip(middle, half, strict=True)]) ** 2
    for h in half:
        squares = np.tensordot(squares, h * weight, axes=([0], [0]))
    return float(squares)
