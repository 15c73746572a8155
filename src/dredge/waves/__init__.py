"""The mathematics of waves."""

from dredge.waves.convert import FieldConversion, OriginalConversion, to_chirps, to_general, to_original
from dredge.waves.evaluate import Model, cost, evaluate, evaluate_grid
from dredge.waves.events import Event, events
from dredge.waves.field import GAUSSIAN, AxisLabel, Wave, WaveField
from dredge.waves.files import from_bytes, load, save, to_bytes
from dredge.waves.fitting import FitOptions, FitProgress, FitReport, FitResult, StageReport, fit_samples
from dredge.waves.gradients import Gradients, gradients, original_gradients
from dredge.waves.original import (
    QuasimotoEnsemble,
    QuasimotoWave,
    from_original_state,
    to_original_state,
)
from dredge.waves.picture import draw, png, svg

__all__ = [
    "GAUSSIAN",
    "AxisLabel",
    "Event",
    "FieldConversion",
    "FitOptions",
    "FitProgress",
    "FitReport",
    "FitResult",
    "Gradients",
    "Model",
    "OriginalConversion",
    "QuasimotoEnsemble",
    "QuasimotoWave",
    "StageReport",
    "Wave",
    "WaveField",
    "cost",
    "draw",
    "evaluate",
    "evaluate_grid",
    "events",
    "fit_samples",
    "from_bytes",
    "from_original_state",
    "gradients",
    "load",
    "original_gradients",
    "png",
    "save",
    "svg",
    "to_bytes",
    "to_chirps",
    "to_general",
    "to_original",
    "to_original_state",
]
