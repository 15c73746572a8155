"""Fitting: from samples to a WaveField."""

from dredge.waves.fitting.fit import fit_samples
from dredge.waves.fitting.options import FitOptions
from dredge.waves.fitting.report import FitProgress, FitReport, FitResult, StageReport

__all__ = ["FitOptions", "FitProgress", "FitReport", "FitResult", "StageReport", "fit_samples"]
