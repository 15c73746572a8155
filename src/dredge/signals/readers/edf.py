"""EDF and BDF, through pyedflib. The channels that share the first one's rate and unit are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dredge.errors import InvalidInput
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, damaged


def read(path: Path, limits: Limits) -> Recording:
    """Read an EDF file."""
    pyedflib = need("pyedflib", "medical")
    try:
        file = pyedflib.EdfReader(str(path))
    except Exception as error:  # pyedflib raises OSError, ValueError and others
        raise damaged("EDF", error) from None
    try:
        rates, units = file.getSampleFrequencies(), [file.getPhysicalDimension(i) for i in range(file.signals_in_file)]
        if not len(rates):
            raise InvalidInput("The EDF file holds no signals.", field="file")
        chosen = [i for i in range(len(rates)) if rates[i] == rates[0] and units[i] == units[0]]
        sizes = file.getNSamples()
        limits.check(int(sum(sizes[i] for i in chosen)), "The EDF file")
        samples = np.stack([file.readSignal(i) for i in chosen]).astype(np.float64)
        names = tuple(file.getLabel(i).strip() or f"channel{i}" for i in chosen)
        start = file.getStartdatetime().isoformat() + "Z"
        left_out = [file.getLabel(i).strip() for i in range(len(rates)) if i not in chosen]
    finally:
        file.close()
    return Recording(samples, names, float(rates[0]), unit=units[0].strip() or None, start_time=start,
                     notes={"channels_left_out": left_out} if left_out else {})
