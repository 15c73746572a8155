"""Reading recordings into Signals."""

from dredge.signals.examples import EXAMPLES, Example, example
from dredge.signals.formats import FORMATS
from dredge.signals.making import from_samples, from_text
from dredge.signals.reading import read
from dredge.signals.recording import Format
from dredge.signals.signal import Axis, Samples, Signal
from dredge.signals.units import check_unit
from dredge.signals.windows import windows

__all__ = [
    "EXAMPLES",
    "FORMATS",
    "Axis",
    "Example",
    "Format",
    "Samples",
    "Signal",
    "check_unit",
    "example",
    "from_samples",
    "from_text",
    "read",
    "windows",
]
