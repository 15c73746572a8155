"""From samples to waves: propose, refine one, refine together, replace, free the edges."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dredge.errors import Cancelled, InvalidInput
from dredge.waves.field import WaveField
from dredge.waves.fitting import checkpoint as checkpoints
from dredge.waves.fitting.chirplets import CENTRE, CHIRP, EDGE, LOG_GAUSSIAN, WAVENUMBER, WIDTH, Array, columns, parts
from dredge.waves.fitting.options import FitOptions
from dredge.waves.fitting.projection import WITH_EDGE, Problem, Solution, refine, solve
from dredge.waves.fitting.proposal import Scan
from dredge.waves.fitting.report import FitProgress, FitReport, FitResult, StageReport

CANDIDATES = 5  # refined alone before one is taken
REACH = 6.0  # standard deviations of a wave that are looked at while it is refined alone
# Another wave has to earn its numbers: N ln(error ratio) ≥ WORTH · (numbers a wave) · ln N, an information criterion made
# stricter because the wave was searched for over many places.
WORTH = 1.35
SQUARABLE = (1e-150, 1e150)  # largest deviations whose mean squares neither vanish nor overflow
NOTHING_LEFT = 1e-26  # of the power: rounding
TOGETHER = 1.5e5  # waves × samples up to which all waves are refined together after each new one
NEIGHBOURS = 7  # waves refined together beyond that
ROUNDS = 12  # of taking a wave out and finding a better one
PATIENCE = 2  # waves for which the held-out error may rise


def fit_samples(
    samples: npt.ArrayLike,
    *,
    start: float = 0.0,
    step: float = 1.0,
    options: FitOptions = FitOptions(),  # noqa: B008 - frozen
    progress: Callable[[FitProgress], None] | None = None,
    should_stop: Callable[[], str | None] | None = None,
    checkpoint: Callable[[bytes], None] | None = None,
    resume: bytes | None = None,
) -> FitResult:
    """Fit waves to samples [N], N ≥ 2, at start + i·step.

    `progress` hears of every new wave, `should_stop` is asked at every iteration (a reason ends the fit with Cancelled),
    `checkpoint` is given bytes after every new wave, and `resume` takes such bytes to go on from. The same samples, options
    and seed give the same field, unless a deadline cuts in. Raises InvalidInput naming what cannot be used.
    """
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 1:
        raise InvalidInput(f"Samples have shape {list(values.shape)}; fitting works on one axis so far.", field="samples")
    if values.size < 2:
        raise InvalidInput("A fit needs at least 2 samples.", field="samples")
    if not np.isfinite(values).all():
        raise InvalidInput(f"Sample {int(np.argmin(np.isfinite(values)))} is not a finite number.", field="samples")
    if not (math.isfinite(start) and math.isfinite(step) and step > 0):
        raise InvalidInput(f"Samples at {start} + i · {step} do not lie on an axis.", field="step")
    fit = _Fit(values, options, progress, should_stop, checkpoint)
    reason = fit.run(checkpoints.from_bytes(resume, values.size))
    return fit.result(reason, start, step)


@dataclass
class _Fit:
    samples: Array
    options: FitOptions
    tell: Callable[[FitProgress], None] | None
    should_stop: Callable[[], str | None] | None
    keep: Callable[[bytes], None] | None
    began: float = field(default_factory=time.perf_counter)
    stages: list[StageReport] = field(default_factory=list)
    fraction: float = 0.0

    def __post_init__(self) -> None:
        self.length = self.samples.size
        self.middle = float(np.mean(self.samples))
        with np.errstate(over="ignore"):
            spread = float(np.max(np.abs(self.samples - self.middle)))
        # Samples whose differences are rounding errors of their size are constant.
        self.scale = spread if spread > 1e-13 * abs(self.middle) else 0.0
        if self.scale and not SQUARABLE[0] < self.scale < SQUARABLE[1]:
            raise InvalidInput(f"Samples differ from their mean by up to {self.scale:.3g}, whose square is not a number that"
                               " this machine has.", field="samples", hint="Give them in another unit.")
        self.most = self.options.most_waves(self.length)
        held = round(self.options.hold_out * self.length)
        rng = np.random.default_rng(self.options.seed)
        self.held = np.sort(rng.choice(self.length, held, replace=False))
        kept = np.setdiff1d(np.arange(self.length), self.held).astype(np.float64)
        if len(kept) < 2:
            raise InvalidInput("So few samples leave nothing to hold out.", field="hold_out")
        self.y = (self.samples - self.middle) / (self.scale or 1.0)
        self.problem = Problem(kept, self.y[kept.astype(int)], self.length, bias=True, peak=1.0)
        self.now = solve(self.problem, np.zeros((0, 5)))
        self.scan = Scan(self.length)

    # The stages

    def run(self, resumed: Array | None) -> str:
        if not self.scale:
            return "the signal is constant"
        if resumed is not None and len(resumed) <= self.most:
            self.now = solve(self.problem, resumed)
        reason = self._find()
        self._end_stage("finding")
        if len(self.now.rows):
            self._improve()
        return "the time was up" if self._time_is_up() and not self._good_enough() else reason

    def _improve(self) -> None:
        """Polish, replace and, if asked for, free the edges."""
        self._say("polishing", 0.8)
        self.now = self._polish(200, 1e-6)
        self._end_stage("polishing")
        if self.options.hold_out == 0:
            self._replace()
        if self.options.edge and not self._time_is_up():
            self._say("edges", 0.95)
            sharper = refine(self.problem, self.now.rows, iterations=300, tolerance=1e-7, free=WITH_EDGE,
                             enough=self._enough(), pause=self._pause)
            self.now = sharper if sharper.error < self.now.error else self.now
            self._end_stage("edges")

    def _find(self) -> str:  # noqa: PLR0911 - each reason to stop is one return
        """Add waves one at a time; the reason to stop."""
        best, best_held, rising = self.now, self._held_error(self.now), 0
        while len(self.now.rows) < self.most:
            if self._good_enough():
                return self._reason_good()
            if self._time_is_up():
                return "the time was up"
            before, self.now = self.now, self._add(self.now)
            if self.now.error >= before.error or not self._worth(before, self.now):
                self.now = before
                return "another wave would describe noise"
            held = self._held_error(self.now)
            if held is not None and best_held is not None:
                best, best_held, rising = (self.now, held, 0) if held < best_held else (best, best_held, rising + 1)
                if rising == PATIENCE and self.options.waves is None and self.options.numbers is None:
                    self.now = best
                    return "the error on the held-out samples began to rise"
            self._say("finding", 0.8 * len(self.now.rows) / self.most)
            if self.keep is not None:
                self.keep(checkpoints.to_bytes(self.now.rows, self.length))
        if self._good_enough():
            return self._reason_good()
        if self.options.waves is not None:
            return "it has the waves that were asked for"
        return "it has the numbers that were asked for" if self.options.numbers else "it reached the most waves by default"

    def _worth(self, before: Solution, after: Solution) -> bool:
        if self.options.waves is not None or self.options.numbers is not None or self.options.target_error is not None:
            return True
        count = len(self.problem.x)
        gain = count * math.log(before.error / max(after.error, 1e-300))
        return gain >= WORTH * self.options.numbers_per_wave * math.log(count)

    def _add(self, now: Solution) -> Solution:
        """One wave more: the candidate that takes most away, then its surroundings refined together."""
        residual = np.zeros(self.length)
        residual[self.problem.x.astype(int)] = now.residual
        best, gain = None, 0.0
        for row in self.scan.best(residual, CANDIDATES):
            refined = self._alone(row, now.residual)
            if refined is not None and (taken := self._taken(refined, now.residual)) > gain:
                best, gain = refined, taken
            self._pause()
        if best is None:
            return now
        rows = np.vstack([now.rows, best])
        if len(rows) * len(self.problem.x) <= TOGETHER:
            return refine(self.problem, rows, iterations=6, tolerance=1e-3, enough=self._enough(), pause=self._pause)
        return self._among_neighbours(rows, len(rows) - 1, 6, 1e-3)

    def _alone(self, row: Array, residual: Array) -> Array | None:
        reach = REACH * math.exp(row[WIDTH]) + 8
        near = np.abs(self.problem.x - row[CENTRE]) <= reach
        if near.sum() < 4:
            return None
        local = Problem(self.problem.x[near], residual[near], self.length, bias=False, peak=self.problem.peak)
        return refine(local, row[None], iterations=15, tolerance=1e-3).rows

    def _taken(self, row: Array, residual: Array) -> float:
        return float(residual @ residual) - solve(
            Problem(self.problem.x, residual, self.length, bias=False, peak=self.problem.peak), row).error

    def _polish(self, iterations: int, tolerance: float) -> Solution:
        rows = self.now.rows
        if len(rows) * len(self.problem.x) <= 4 * TOGETHER:
            polished = refine(self.problem, rows, iterations=iterations, tolerance=tolerance, enough=self._enough(),
                              pause=self._pause)
            return polished if polished.error <= self.now.error else self.now
        now = self.now
        for _ in range(3):
            before = now.error
            for centre in range(0, len(now.rows), max(1, NEIGHBOURS // 2)):
                if self._pause():
                    return now
                moved = self._among_neighbours(now.rows, centre, 8, 1e-3)
                now = moved if moved.error < now.error else now
            if before - now.error < 1e-3 * before:
                break
        return now

    def _among_neighbours(self, rows: Array, which: int, iterations: int, tolerance: float) -> Solution:
        """Refine one wave and those that overlap it most on the stretch where they live, then all amplitudes."""
        sigma = np.exp(rows[:, WIDTH])
        distance = np.abs(rows[:, CENTRE] - rows[which, CENTRE]) / (sigma + sigma[which])
        close = np.argsort(distance, kind="stable")[: NEIGHBOURS + 1]
        close = np.sort(close[distance[close] < 3.0])
        whole = solve(self.problem, rows)
        low = float(np.min(rows[close, CENTRE] - 4 * sigma[close]))
        high = float(np.max(rows[close, CENTRE] + 4 * sigma[close]))
        near = (self.problem.x >= low) & (self.problem.x <= high)
        pairs = np.repeat(2 * close, 2) + np.tile([0, 1], len(close))
        own = columns(parts(rows[close], self.problem.x[near])) @ whole.amplitudes[pairs]
        local = Problem(self.problem.x[near], whole.residual[near] + own, self.length, bias=False, peak=self.problem.peak)
        refined = refine(local, rows[close], iterations=iterations, tolerance=tolerance, pause=self._pause)
        moved = rows.copy()
        moved[close] = refined.rows
        after = solve(self.problem, moved)
        return after if after.error < whole.error else whole

    def _replace(self) -> None:
        """Take out the wave that is missed least, look again, and keep what is better."""
        if len(self.now.rows) * len(self.problem.x) > TOGETHER or len(self.now.rows) < 2:
            return
        failures = 0
        for turn in range(ROUNDS):
            if self._time_is_up() or self._good_enough() or failures >= min(4, len(self.now.rows)):
                break
            self._say("replacing", 0.85 + 0.1 * turn / ROUNDS)
            missed = [solve(self.problem, np.delete(self.now.rows, i, 0)).error for i in range(len(self.now.rows))]
            left = np.delete(self.now.rows, int(np.argsort(missed, kind="stable")[failures]), 0)
            without = refine(self.problem, left, iterations=15, tolerance=1e-3, pause=self._pause)
            again = self._add(without)
            again = refine(self.problem, again.rows, iterations=100, tolerance=1e-5, enough=self._enough(), pause=self._pause)
            if len(again.rows) == len(self.now.rows) and again.error < (1 - 1e-3) * self.now.error:
                self.now, failures = again, 0
            else:
                failures += 1
        self._end_stage("replacing")

    # When to stop

    def _enough(self) -> float:
        power = float(np.var(self.problem.y)) * len(self.problem.y)
        target = (self.options.target_error or 0.0) / self.scale**2 * len(self.problem.y)
        return max(NOTHING_LEFT * power, target)

    def _good_enough(self) -> bool:
        return self.now.error <= self._enough()

    def _reason_good(self) -> str:
        if self.options.target_error and self._mean_square(self.now) <= self.options.target_error:
            return "the error is at the target"
        return "nothing is left to explain"

    def _time_is_up(self) -> bool:
        return self.options.seconds is not None and time.perf_counter() - self.began >= self.options.seconds

    def _pause(self) -> bool:
        if self.should_stop is not None and (reason := self.should_stop()) is not None:
            raise Cancelled(f"The fit was stopped: {reason}.")
        return self._time_is_up()

    # What to tell

    def _mean_square(self, solution: Solution) -> float:
        return solution.error / len(self.problem.x) * self.scale**2

    def _held_error(self, solution: Solution) -> float | None:
        if not len(self.held):
            return None
        at = self.held.astype(np.float64)
        left = self.y[self.held] - columns(parts(solution.rows, at)) @ solution.amplitudes - solution.bias
        return float(np.mean(left**2)) * self.scale**2

    def _numbers(self) -> int:
        return len(self.now.rows) * self.options.numbers_per_wave + 1

    def _say(self, stage: str, fraction: float) -> None:
        self.fraction = max(self.fraction, fraction)
        if self.tell is not None:
            self.tell(FitProgress(stage, self.fraction, len(self.now.rows), self._mean_square(self.now),
                                  time.perf_counter() - self.began))

    def _end_stage(self, stage: str) -> None:
        self.stages.append(StageReport(stage, len(self.now.rows), self._numbers(), self._mean_square(self.now),
                                       time.perf_counter() - self.began))

    def result(self, reason: str, start: float, step: float) -> FitResult:
        order = np.argsort(self.now.rows[:, CENTRE], kind="stable")
        rows = self.now.rows[order]
        amplitudes = self.now.amplitudes.reshape(-1, 2)[order] * (self.scale or 1.0)
        model = WaveField.chirplets(
            start + step * rows[:, CENTRE], step * np.exp(rows[:, WIDTH]), rows[:, WAVENUMBER] / step,
            rows[:, CHIRP] / step**2, amplitudes[:, 0], amplitudes[:, 1],
            edge=np.where(rows[:, EDGE] == LOG_GAUSSIAN, 2.0, np.exp(rows[:, EDGE])),
            bias=self.middle + self.now.bias * (self.scale or 1.0), domain=(start, start + step * (self.length - 1)))
        error = self._mean_square(self.now) if self.scale else 0.0
        variance = float(np.var(self.samples[self.problem.x.astype(int)]))
        snr = 10 * math.log10(variance / error) if error > 0 and variance > 0 else None
        self.fraction = 1.0
        report = FitReport(error, snr, self._held_error(self.now) if self.scale else None, len(rows), self._numbers(),
                           time.perf_counter() - self.began, reason, tuple(self.stages), self.options.seed)
        return FitResult(model, report)

