"""NIfTI volumes, through nibabel: axes x, y, z in millimetres and, where there is one, time in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dredge.errors import DredgeError, InvalidInput, UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, damaged
from dredge.signals.signal import Axis

LENGTHS = {"mm": "mm", "meter": "m", "micron": "um"}
TIMES = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def read(path: Path, limits: Limits) -> Recording:
    """Read a NIfTI file, .nii or .nii.gz."""
    nibabel = need("nibabel", "volumes")
    try:
        image = nibabel.load(str(path))
        shape = tuple(int(n) for n in image.shape)
        limits.check(int(np.prod(shape, dtype=object)), "The NIfTI volume")
        length, time = image.header.get_xyzt_units()
        steps = [float(step) for step in image.header.get_zooms()]
        samples = np.asarray(image.get_fdata(dtype=np.float64))
    except DredgeError:
        raise
    except Exception as error:  # nibabel raises HeaderDataError, ImageFileError, OSError, zlib and others
        raise damaged("NIfTI", error) from None
    if not 1 <= samples.ndim <= 4:
        raise InvalidInput(f"The volume has {samples.ndim} axes; up to four can be read.", field="file")
    if samples.size == 0:
        raise UnreadableRecording("The NIfTI volume is empty.", field="file")
    axes = []
    for number, (size, step) in enumerate(zip(shape, steps, strict=True)):
        step = step if step > 0 else 1.0
        if number < 3:
            axes.append(Axis("xyz"[number], LENGTHS.get(length, "mm"), size, step))
        else:
            axes.append(Axis("time", "s", size, step * TIMES.get(time, 1.0)))
    return Recording(samples[None], ("volume",), axes=tuple(axes))
