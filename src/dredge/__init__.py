"""DREDGE turns recordings into waves: short lists of localised oscillations.

    import dredge

    field = dredge.fit(samples, sample_rate=360, waves=12)
    field(0.5), field.events(), field.plot()

Names are imported when first used, so that `import dredge` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dredge._version import __version__

if TYPE_CHECKING:
    from dredge.analysis import Lift, fit, lift
    from dredge.client import Client
    from dredge.errors import DredgeError
    from dredge.service import Service
    from dredge.settings import Settings
    from dredge.signals import Axis, Signal, example, read
    from dredge.waves import Event, FitOptions, FitReport, Wave, WaveField, load, save

_HOME = {
    "Lift": "analysis", "fit": "analysis", "lift": "analysis",
    "Client": "client",
    "DredgeError": "errors",
    "Service": "service",
    "Settings": "settings",
    "Axis": "signals", "Signal": "signals", "example": "signals", "read": "signals",
    "Event": "waves", "FitOptions": "waves", "FitReport": "waves", "Wave": "waves", "WaveField": "waves",
    "load": "waves", "save": "waves",
}

__all__ = [
    "Axis",
    "Client",
    "DredgeError",
    "Event",
    "FitOptions",
    "FitReport",
    "Lift",
    "Service",
    "Settings",
    "Signal",
    "Wave",
    "WaveField",
    "__version__",
    "example",
    "fit",
    "lift",
    "load",
    "read",
    "save",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"dredge.{_HOME[name]}"), name)
    raise AttributeError(f"module 'dredge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
