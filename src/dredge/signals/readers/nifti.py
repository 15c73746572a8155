"""NIfTI volumes, through nibabel: axes x, y, z in millimetres and, where there is one, time in seconds."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from dredge.errors import DredgeError, InvalidInput, UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, cut_short, damaged
from dredge.signals.signal import Axis

LENGTHS = {"mm": "mm", "meter": "m", "micron": "um"}
FOURTH = {"sec": ("time", "s", 1.0), "msec": ("time", "s", 1e-3), "usec": ("time", "s", 1e-6), "hz": ("frequency", "Hz", 1.0),
          "ppm": ("shift", "ppm", 1.0), "rads": ("frequency", "rad/s", 1.0)}
LONGEST_HEADER = 1 << 24  # bytes before the samples: header and extensions
BLOCK = 1 << 20


def read(path: Path, limits: Limits) -> Recording:
    """Read a NIfTI file, .nii or .nii.gz."""
    nibabel = need("nibabel", "volumes")
    try:
        with path.open("rb") as handle:
            packed = handle.read(2) == b"\x1f\x8b"
        # Read as a stream, so that neither the header nor the compression can ask for more than the limit.
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            return _recording(nibabel, stream, limits)  # type: ignore[arg-type]
    except DredgeError:
        raise
    except Exception as error:  # nibabel raises HeaderDataError, gzip OSError, EOFError and zlib.error
        raise damaged("NIfTI", error, path) from None


def _recording(nibabel: Any, stream: BinaryIO, limits: Limits) -> Recording:
    head = stream.read(544)
    header = _header(nibabel, head)
    shape = tuple(int(n) for n in header.get_data_shape())
    if not 1 <= len(shape) <= 4:
        raise InvalidInput(f"The volume has {len(shape)} axes; up to four can be read.", field="file")
    if min(shape) < 1:
        raise UnreadableRecording("The NIfTI volume is empty.", field="file")
    limits.check(math.prod(shape), "The NIfTI volume")
    raw = _samples(header, head, stream, math.prod(shape))
    slope, intercept = header.get_slope_inter()
    samples = raw.astype(np.float64).reshape(shape, order="F")
    if slope is not None:
        samples = samples * slope + intercept
    axes, assumed = _axes(header, shape)
    return Recording(samples[None], ("volume",), axes=axes,
                     notes={"steps": f"not given for {', '.join(assumed)}; 1 was taken"} if assumed else {})


def _header(nibabel: Any, head: bytes) -> Any:
    for kind, size, at, marks in ((nibabel.Nifti1Header, 348, 344, (b"n+1\0", b"ni1\0")),
                                  (nibabel.Nifti2Header, 540, 4, (b"n+2\0", b"ni2\0"))):
        if head[at : at + 4] in marks and len(head) >= size:
            if head[at : at + 4] == marks[1]:
                raise UnreadableRecording("This is the header of a NIfTI pair; its samples are in another file.", field="file",
                                          hint="Save it as one .nii file.")
            return kind(head[:size])
    raise ValueError("it does not begin as one")


def _samples(header: Any, head: bytes, stream: BinaryIO, count: int) -> npt.NDArray[Any]:
    dtype = header.get_data_dtype()
    if dtype.kind not in "fiu":
        raise InvalidInput(f"The volume holds {dtype}, not real numbers.", field="file")
    offset = int(header.get_data_offset())
    if not 0 <= offset <= LONGEST_HEADER:
        raise ValueError(f"its samples begin at byte {offset:,}")
    wanted = max(offset, 348) + count * dtype.itemsize
    data = bytearray(head)
    while len(data) < wanted and (block := stream.read(min(BLOCK, wanted - len(data)))):
        data += block
    if len(data) < wanted:
        raise cut_short("The NIfTI volume", max(0, len(data) - offset) // dtype.itemsize, count)
    return np.frombuffer(data, dtype, count, max(offset, 348))


def _axes(header: Any, shape: tuple[int, ...]) -> tuple[tuple[Axis, ...], list[str]]:
    """The axes, and the names of those whose step the file does not give."""
    length, time = header.get_xyzt_units()
    axes, assumed = [], []
    for number, (size, given) in enumerate(zip(shape, header.get_zooms(), strict=True)):
        name, unit, scale = (("xyz"[number], LENGTHS.get(length, "mm"), 1.0) if number < 3
                             else FOURTH.get(time, ("time", "s", 1.0)))
        start = float(header["toffset"]) * scale if number == 3 else 0.0
        if not float(given) > 0:
            assumed.append(name)
        axes.append(Axis(name, unit, size, float(given) * scale if float(given) > 0 else 1.0, start))
    return tuple(axes), assumed
