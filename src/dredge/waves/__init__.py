"""The mathematics of waves."""

from dredge.waves.field import GAUSSIAN, AxisLabel, Wave, WaveField

__all__ = ["GAUSSIAN", "AxisLabel", "Wave", "WaveField"]
