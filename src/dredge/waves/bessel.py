"""Bessel functions of the first kind at all orders up to a bound, and how fast they vanish with the order."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

HUGE = 1e200


def bessel_orders(z: float, orders: int) -> npt.NDArray[np.float64]:
    """J_0(z) … J_orders(z), by Miller's downward recurrence J_{m−1} = (2m/z) J_m − J_{m+1}.

    Downward the recurrence forgets its arbitrary start; J_0 + 2 (J_2 + J_4 + …) = 1 gives the scale. See Abramowitz and
    Stegun, 9.12, example 1.
    """
    if abs(z) < 1e-5:  # the first terms of the series are exact here, and 2m/z would soon overflow
        return np.array([_power(z, m) * (1 - z * z / (4 * (m + 1))) for m in range(orders + 1)])
    first = 2 * (int(max(orders, abs(z)) + 12 * max(orders, abs(z)) ** (1 / 3)) // 2 + 12)
    values = np.zeros(first + 2)
    values[first] = 1.0
    for m in range(first, 0, -1):
        values[m - 1] = 2 * m / z * values[m] - values[m + 1]
        if abs(values[m - 1]) > HUGE:
            values[m - 1 :] /= HUGE
    scale = values[0] + 2 * values[2::2].sum()
    return np.asarray(values[: orders + 1] / scale)


def orders_needed(z: float, tail: float) -> tuple[int, float]:
    """The least M found for which 2 Σ_{m>M} |J_m(z)| ≤ tail, and the bound itself.

    From |J_m(z)| ≤ (|z|/2)^m / m!: past M + 2 ≥ |z| the terms at least halve, so that the sum is under twice its first.
    """
    m = max(0, math.ceil(abs(z)) - 2)
    while (bound := 4 * _power(abs(z), m + 1)) > tail:
        m += 1
    return m, bound


def _power(z: float, m: int) -> float:
    """(z/2)^m / m!"""
    if m == 0:
        return 1.0
    if abs(z) < 1e-300:
        return 0.0
    size = math.exp(min(700.0, m * math.log(abs(z) / 2) - math.lgamma(m + 1)))
    return -size if z < 0 and m % 2 else size
