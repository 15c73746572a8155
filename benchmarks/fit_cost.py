"""What a fit costs, by waves and samples: the figures behind `Service.estimate_fit`.

Run with `python benchmarks/fit_cost.py`. Prints a table of measured processor seconds beside the estimate, and the three
constants that fit them best (least squares of logarithms).
"""

from __future__ import annotations

import time

import numpy as np
from scipy.optimize import minimize

import dredge

CASES = [(12, 256), (12, 1024), (24, 1024), (12, 3000), (24, 3000), (48, 3000), (12, 12000), (24, 12000)]


def main() -> None:
    quake = dredge.read(dredge.example("seismogram")).channel(0)
    rows = []
    for waves, samples in CASES:
        values = np.resize(quake, samples) if samples > len(quake) else quake[:samples]
        began = time.process_time()
        dredge.fit(values, waves=waves)
        rows.append((waves, samples, time.process_time() - began))
    waves, samples, seconds = np.array(rows, dtype=float).T

    def wrong(constants: np.ndarray) -> float:
        return float(np.sum((np.log(estimate(np.exp(constants), waves, samples)) - np.log(seconds)) ** 2))

    best = np.exp(minimize(wrong, np.log([0.1, 1e-5, 1e-4]), method="Nelder-Mead", options={"maxiter": 5000}).x)
    print(f"{'waves':>6}{'samples':>9}{'seconds':>9}{'estimate':>10}")
    for row in rows:
        print(f"{row[0]:>6}{row[1]:>9,}{row[2]:>9.2f}{estimate(best, *row[:2]):>10.2f}")
    print("\nper wave {:.2g} s, per wave and sample {:.2g} s, per wave cubed {:.2g} s".format(*best))


def estimate(constants: np.ndarray, waves: float, samples: float) -> float:
    """Finding a wave scans the samples; settling all of them solves a system of that many unknowns for each."""
    per_wave, per_sample, per_cube = constants
    return waves * (per_wave + per_sample * samples) + per_cube * waves**3


if __name__ == "__main__":
    main()
