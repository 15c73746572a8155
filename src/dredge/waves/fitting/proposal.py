"""Where the next wave may be: windowed Fourier transforms of what is left, over dyadic widths and a few chirp rates.

The energy that a windowed wave of the best amplitude would take away is 2|X|²/Σg², with X the transform of the residual
under the window g. Only frames that the last change touched are transformed again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dredge.waves.fitting.chirplets import LOG_GAUSSIAN, Array

REACH = 3.0  # standard deviations on either side of a frame's centre
CHIRPS = (0.0, -4.0, -2.0, -1.0, 1.0, 2.0, 4.0)  # β σ²: what turns the phase by half a radian to two at one deviation
NARROWEST_SCALE = 0.75
NARROWEST_CHIRPED = 3.0  # samples; under a narrower window a chirp cannot be told from a tone
MOST_ELEMENTS = 1 << 21  # complex numbers transformed at once
CHANGED = 1e-9  # of the residual's root mean square


@dataclass
class _Scale:
    sigma: float
    centres: npt.NDArray[np.intp]
    offsets: npt.NDArray[np.intp]
    window: Array
    size: int  # of the transform
    norms: Array  # Σ g² of each frame, inside the recording
    energy: dict[float, Array]  # per chirp rate, the largest of each frame
    bins: dict[float, npt.NDArray[np.intp]]


class Scan:
    """Keeps the transforms of one recording's residual up to date."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._seen: Array | None = None
        widths = NARROWEST_SCALE * 2.0 ** np.arange(max(1, int(np.log2(max(4, length) / 2)) + 1))
        self._scales = [self._scale(float(sigma)) for sigma in widths]

    def _scale(self, sigma: float) -> _Scale:
        half = min(int(np.ceil(REACH * sigma)), self._length)
        offsets = np.arange(-half, half + 1)
        window = np.exp(-0.5 * (offsets / sigma) ** 2)
        centres = np.arange(0, self._length, max(1, int(sigma / 2)))
        inside = np.concatenate([[0.0], np.cumsum(window**2)])
        first = np.clip(half - centres, 0, len(offsets))
        last = np.clip(self._length - centres + half, 0, len(offsets))
        rates = [q / sigma**2 for q in CHIRPS] if sigma >= NARROWEST_CHIRPED else [0.0]
        rates = [rate for rate in rates if abs(rate) * sigma < 0.6 * np.pi]
        blank = np.zeros(len(centres))
        size = 1 << int(np.ceil(np.log2(2 * len(offsets))))
        return _Scale(sigma, centres, offsets, window, size, inside[last] - inside[first],
                      {rate: blank.copy() for rate in rates}, {rate: np.zeros(len(centres), np.intp) for rate in rates})

    def best(self, residual: Array, count: int) -> list[Array]:
        """Rows c, ln σ, k, β, ln p of the `count` most promising waves, the best first; residual [N], 0 where unknown."""
        self._update(residual)
        found = []
        for scale in self._scales:
            for rate, energy in scale.energy.items():
                for frame in np.argsort(-energy, kind="stable")[:2]:
                    wavenumber = 2 * np.pi * scale.bins[rate][frame] / scale.size
                    found.append((energy[frame], np.array(
                        [scale.centres[frame], np.log(scale.sigma), wavenumber, rate, LOG_GAUSSIAN])))
        found.sort(key=lambda pair: -pair[0])
        return [row for _, row in found[:count]]

    def _update(self, residual: Array) -> None:
        if self._seen is None:
            low, high = 0, self._length
        else:
            small = CHANGED * float(np.sqrt(np.mean(residual**2)))
            changed = np.flatnonzero(np.abs(residual - self._seen) > small)
            if not changed.size:
                return
            low, high = int(changed[0]), int(changed[-1]) + 1
        self._seen = residual.copy()
        for scale in self._scales:
            half = len(scale.offsets) // 2
            frames = np.flatnonzero((scale.centres > low - half - 1) & (scale.centres < high + half))
            padded = np.concatenate([np.zeros(half), residual, np.zeros(half)])
            pieces = np.lib.stride_tricks.sliding_window_view(padded, len(scale.offsets))
            at_once = max(1, MOST_ELEMENTS // scale.size)
            for start in range(0, len(frames), at_once):
                self._transform(scale, pieces, frames[start : start + at_once])

    @staticmethod
    def _transform(scale: _Scale, pieces: Array, frames: npt.NDArray[np.intp]) -> None:
        windowed = pieces[scale.centres[frames]] * scale.window
        bins = scale.size // 2 + 1
        for rate in scale.energy:
            if rate == 0:
                spectrum = np.fft.rfft(windowed, scale.size, axis=1)
            else:
                dechirped = windowed * np.exp(-0.5j * rate * scale.offsets**2)
                spectrum = np.fft.fft(dechirped, scale.size, axis=1)[:, :bins]
            energy = spectrum.real**2 + spectrum.imag**2
            energy[:, 1:-1] *= 2  # a real wave has a mirror image; a constant and Nyquist have none
            if rate != 0:
                energy[:, [0, -1]] *= 2
            largest = energy.argmax(1)
            scale.bins[rate][frames] = largest
            scale.energy[rate][frames] = energy[np.arange(len(frames)), largest] / scale.norms[frames]
