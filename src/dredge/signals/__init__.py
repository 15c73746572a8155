"""Reading recordings into Signals."""

from dredge.signals.signal import Axis, Signal

__all__ = ["Axis", "Signal"]
