"""NPY and NPZ: an array [N], or [channels, N]. Nothing is ever unpickled."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dredge.errors import DredgeError, InvalidInput, TooLarge, UnreadableRecording
from dredge.signals.making import default_channels
from dredge.signals.recording import Limits, Recording, cut_short, damaged

WORST_RATIO = 200  # samples seldom shrink tenfold; a bomb shrinks a thousandfold
FEW_BYTES = 1 << 20  # below this a high ratio is harmless
SAMPLES = ("samples", "signal", "data", "arr_0")


def read_npy(path: Path, limits: Limits) -> Recording:
    """Read an NPY file."""
    with path.open("rb") as handle:
        return _recording(_array(handle, limits, path.stat().st_size))


def read_npz(path: Path, limits: Limits) -> Recording:
    """Read the array named samples, signal or data, or the only one, of an NPZ; sample_rate and unit beside it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            for info in members.values():
                refuse_bomb(info, limits, "NPZ")
            loose = [name for name in members if name not in ("sample_rate", "unit", "start_time")]
            name = next((name for name in SAMPLES if name in members), loose[0] if len(loose) == 1 else None)
            if name is None:
                held = ", ".join(name[:40] for name in sorted(members)[:8])
                raise InvalidInput(f"The NPZ holds {held or 'nothing'}; which are the samples?", field="file",
                                   hint="Call the array `samples`.")
            with archive.open(members[name]) as handle:
                found = _recording(_array(handle, limits, members[name].file_size))
            about = {}
            for key in ("sample_rate", "unit", "start_time"):
                if key in members and members[key].file_size < 4096:
                    with archive.open(members[key]) as handle:
                        about[key] = _array(handle, limits, members[key].file_size, text=True)
    except DredgeError:
        raise
    except Exception as error:  # zipfile raises BadZipFile, RuntimeError, struct.error, zlib.error and others
        raise damaged("NPZ", error, path) from None
    rate = about.get("sample_rate")
    return Recording(found.samples, found.channels, None if rate is None else _single(rate, "sample_rate"),
                     unit=str(about["unit"]) if "unit" in about else None,
                     start_time=str(about["start_time"]) if "start_time" in about else None)


def refuse_bomb(info: zipfile.ZipInfo, limits: Limits, what: str) -> None:
    """Raise when a member of an archive unpacks to more than a recording would, or is encrypted, before it is unpacked."""
    if info.flag_bits & 1:
        raise UnreadableRecording(f"The {what} is encrypted.", field="file")
    if info.file_size > 16 * limits.max_samples + FEW_BYTES:
        raise TooLarge(f"{info.filename[:60]} of the {what} unpacks to {info.file_size:,} bytes; the limit is "
                       f"{limits.max_samples:,} samples.", field="file")
    if info.file_size > FEW_BYTES and info.file_size > WORST_RATIO * max(1, info.compress_size):
        raise UnreadableRecording(f"{info.filename[:60]} of the {what} unpacks to {info.file_size // max(1, info.compress_size)} "
                                  "times its size; recordings do not.", field="file",
                                  hint="Store it without compression, as numpy.savez does.")


def _array(handle: Any, limits: Limits, size: int, *, text: bool = False) -> npt.NDArray[Any]:
    try:
        version = np.lib.format.read_magic(handle)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if reader is None:
            raise ValueError(f"version {version} of the format is not known")
        shape, fortran, dtype = _header(reader, handle)
        if dtype.hasobject:
            raise UnreadableRecording("The NPY file holds pickled objects, which are never loaded.", field="file",
                                      hint="Save the numbers alone, as numpy.asarray(samples, float).")
        if dtype.kind not in ("fiuU" if text else "fiu"):
            raise InvalidInput(f"The NPY file holds {dtype}, not real numbers.", field="file")
        if any(int(n) < 0 for n in shape):
            raise ValueError(f"its shape is {list(shape)}")
        count = math.prod(int(n) for n in shape)
        limits.check(count, "The NPY file")
        here = size - handle.tell()  # before any memory is taken for what the header claims
        data = handle.read(count * dtype.itemsize) if here >= count * dtype.itemsize else b""
        if len(data) < count * dtype.itemsize:
            raise cut_short("The NPY file", max(here, 0) // max(1, dtype.itemsize), count)
        array = np.frombuffer(data, dtype, count) if data else np.empty(count, dtype)
        return array.reshape(shape, order="F" if fortran else "C")
    except DredgeError:
        raise
    except Exception as error:  # zipfile raises BadZipFile, zlib.error and others while it is read
        raise damaged("NPY", error) from None


def _header(reader: Any, handle: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        shape, fortran, dtype = reader(handle)
    except Exception:  # a header is Python text: SyntaxError, RecursionError, TokenError and others
        raise ValueError("its header is damaged") from None
    return shape, fortran, dtype


def _recording(array: npt.NDArray[Any]) -> Recording:
    if array.ndim not in (1, 2):
        raise InvalidInput(f"The array has shape {list(array.shape)}; [N] or [channels, N] can be read.", field="samples")
    samples = np.atleast_2d(array).astype(np.float64)
    return Recording(samples, default_channels(len(samples)))


def _single(array: npt.NDArray[Any], name: str) -> float:
    if array.size != 1 or array.dtype.kind not in "fiu":
        raise InvalidInput(f"{name} in the NPZ is not one number.", field=name)
    return float(array.reshape(-1)[0])
