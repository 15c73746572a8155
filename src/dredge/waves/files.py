"""Models as safetensors: small, exact, the same bytes for the same model, and read without running anything.

The tensors carry their own names. One metadata entry, `dredge`, holds JSON: format, version, kind, dimension, axes, unit.
What is read is not trusted: the header is measured, parsed and compared with the bytes that are there before any tensor
is made.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from dredge.errors import InvalidInput, NotFound
from dredge.waves.evaluate import Model
from dredge.waves.field import AxisLabel, WaveField
from dredge.waves.original import SPACE, QuasimotoEnsemble, QuasimotoWave

FORMAT = "dredge-waves"
VERSION = 1
KINDS = ("wavefield", "quasimoto_1d", "quasimoto_4d", "quasimoto_6d", "quasimoto_ensemble")
DTYPES = {"F32": 4, "F64": 8}
LONGEST_HEADER = 1 << 20
MOST_BYTES = 1 << 30  # a wave takes 64 bytes in one dimension
MOST_DIMENSIONS = 32
MOST_LETTERS = 200  # of an axis name or a unit

Entry = dict[str, Any]


def to_bytes(model: Model) -> bytes:
    """A model as safetensors. The same model gives the same bytes."""
    if isinstance(model, WaveField):
        named = {f.name: getattr(model, f.name) for f in fields(model) if isinstance(getattr(model, f.name), Tensor)}
    else:
        named = model.state_dict()
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in named.items()}
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise InvalidInput(f"{name} holds a number that is not finite.", field=name)
    about = {"format": FORMAT, "version": VERSION, "kind": model.kind, "dimension": model.dimension,
             "axes": [[axis.name, axis.unit] for axis in model.axes], "unit": model.unit}
    # One entry, because the library writes several in no particular order.
    data = save_tensors(tensors, {"dredge": json.dumps(about, ensure_ascii=False)})
    return bytes(data)


def from_bytes(data: bytes | bytearray | memoryview) -> Model:
    """The model in safetensors bytes. Raises InvalidInput(field="model") for anything else, with the reason."""
    data = bytes(data)
    header = _header(data)
    about = _about(header.pop("__metadata__", None))
    kind, dimension = about["kind"], about["dimension"]
    shapes = {name: _shape(name, entry) for name, entry in header.items()}
    expected = _field_shapes(shapes, dimension) if kind == "wavefield" else _original_shapes(kind, shapes, dimension)
    if missing := sorted(expected.keys() - shapes.keys()):
        raise _refused(f"the tensor {missing[0]!r} is missing")
    if extra := sorted(shapes.keys() - expected.keys()):
        raise _refused(f"there is a tensor {extra[0][:MOST_LETTERS]!r} that a {kind} does not have")
    for name, shape in expected.items():
        if shapes[name] != shape:
            raise _refused(f"{name} has shape {list(shapes[name])}, expected {list(shape)}")
    if len({entry["dtype"] for entry in header.values()}) != 1:
        raise _refused("its tensors have different dtypes")
    try:
        tensors = load_tensors(data)
    except (SafetensorError, ValueError, OSError) as error:
        raise _refused(f"it is damaged ({error})") from None
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise _refused(f"{name} holds a number that is not finite")
    axes = tuple(AxisLabel(name, unit) for name, unit in about["axes"])
    if kind == "wavefield":
        if not bool((tensors["edge"] > 0).all()):
            raise _refused("an edge is not positive")
        return WaveField(**tensors, axes=axes, unit=about["unit"])
    return _original(kind, dimension, tensors, axes, about["unit"])


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model to `path`, whole or not at all. Raises InvalidInput(field="path") when the place cannot be written."""
    target, data = Path(path), to_bytes(model)
    try:
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        part = Path(name)
        with os.fdopen(number, "wb") as handle:
            try:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
                part.chmod(0o666 & ~_umask())
                part.replace(target)
            except BaseException:
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror or error}.", field="path") from None


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model from `path`. Raises NotFound when there is no file, InvalidInput when it holds no model."""
    source = Path(path)
    try:
        with source.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {source}.", field="path") from None
    except OSError as error:
        raise InvalidInput(f"{source} cannot be read: {error.strerror or error}.", field="path") from None
    return from_bytes(data)


def _refused(reason: str) -> InvalidInput:
    return InvalidInput(f"This is not a model of DREDGE: {reason}.", field="model")


def _header(data: bytes) -> dict[str, Entry]:
    """The parsed header, with sizes that agree with the bytes that are there."""
    if len(data) > MOST_BYTES:
        raise _refused(f"it is larger than {MOST_BYTES >> 20} MiB")
    if len(data) < 8:
        raise _refused("it is too short to hold anything" if data else "it is empty")
    length = int.from_bytes(data[:8], "little")
    if length > LONGEST_HEADER:
        raise _refused("it is not in the safetensors format")
    if 8 + length > len(data):
        raise _refused("it is cut short")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise _refused("its safetensors header is not JSON") from None
    if not isinstance(header, dict) or not all(isinstance(entry, dict) for entry in header.values()):
        raise _refused("its safetensors header is not a table of tensors")
    size = 0
    for name, entry in header.items():
        if name != "__metadata__":
            size += math.prod(_shape(name, entry)) * DTYPES[entry["dtype"]]
    if 8 + length + size != len(data):
        raise _refused(f"its tensors take {size} bytes and {len(data) - 8 - length} are there")
    return header


def _shape(name: str, entry: Entry) -> tuple[int, ...]:
    shape = entry.get("shape")
    if entry.get("dtype") not in DTYPES:
        raise _refused(f"{name[:MOST_LETTERS]} has dtype {str(entry.get('dtype'))[:20]}, expected F32 or F64")
    if not isinstance(shape, list) or len(shape) > 3 or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise _refused(f"{name[:MOST_LETTERS]} has no sensible shape")
    return tuple(shape)


def _about(metadata: Entry | None) -> dict[str, Any]:
    """The description, checked."""
    if metadata is None or not isinstance(metadata.get("dredge"), str):
        raise _refused("it does not say what it is (no `dredge` metadata)")
    try:
        about = json.loads(metadata["dredge"])
    except (ValueError, RecursionError):
        raise _refused("its description is not JSON") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise _refused("its description is of another format")
    if about.get("version") != VERSION:
        raise _refused(f"it has format version {str(about.get('version'))[:20]}; this DREDGE reads {VERSION}")
    if about.get("kind") not in KINDS:
        raise _refused(f"its kind {str(about.get('kind'))[:MOST_LETTERS]!r} is not known")
    if type(about.get("dimension")) is not int or not 1 <= about["dimension"] <= MOST_DIMENSIONS:
        raise _refused(f"its dimension is not between 1 and {MOST_DIMENSIONS}")
    axes = about.get("axes")
    words = [about.get("unit")]
    if not isinstance(axes, list) or len(axes) != about["dimension"]:
        raise _refused("it does not name its axes")
    for axis in axes:
        if not isinstance(axis, list) or len(axis) != 2:
            raise _refused("it does not name its axes")
        words += axis
    if not all(isinstance(word, str) and len(word) <= MOST_LETTERS for word in words):
        raise _refused("an axis or unit has no sensible name")
    return about


def _field_shapes(shapes: dict[str, tuple[int, ...]], d: int) -> dict[str, tuple[int, ...]]:
    n = shapes.get("cosine", (0,))[0] if len(shapes.get("cosine", ())) == 1 else 0
    m = shapes["shape"][1] if len(shapes.get("shape", ())) == 3 else d
    if not 1 <= m <= MOST_DIMENSIONS:
        raise _refused("its shape matrix has no sensible number of rows")
    return {"centre": (n, d), "shape": (n, m, d), "wavenumber": (n, d), "chirp": (n, d, d), "cosine": (n,), "sine": (n,),
            "edge": (n,), "bias": (), "domain": (d, 2)}


def _original_shapes(kind: str, shapes: dict[str, tuple[int, ...]], dimension: int) -> dict[str, tuple[int, ...]]:
    name = next((name for name, space in SPACE.items() if space + 1 == dimension), None)
    if name is None or kind not in (f"quasimoto_{name}d", "quasimoto_ensemble"):
        raise _refused(f"a {kind} does not have {dimension} coordinates")
    rows = shapes.get("A", ()) if kind == "quasimoto_ensemble" else ()
    if kind == "quasimoto_ensemble" and (len(rows) != 1 or rows[0] < 1):
        raise _refused("its ensemble has no waves")
    vector = rows if SPACE[name] == 1 else (*rows, SPACE[name])
    expected = {"A": rows, "k": vector, "omega": rows, "v": vector, "log_sigma": rows, "phi": rows, "epsilon": rows,
                "lmbda": vector}
    if kind == "quasimoto_ensemble":
        expected |= {"head.weight": (1, rows[0]), "head.bias": (1,)}
    return expected


def _original(kind: str, dimension: int, tensors: dict[str, Tensor], axes: tuple[AxisLabel, ...],
              unit: str) -> QuasimotoWave | QuasimotoEnsemble:
    name = next(name for name, space in SPACE.items() if space + 1 == dimension)
    model: QuasimotoWave | QuasimotoEnsemble
    model = QuasimotoEnsemble(len(tensors["A"]), name) if kind == "quasimoto_ensemble" else QuasimotoWave(name)
    model.to(tensors["A"].dtype).load_state_dict(tensors)
    model.axes, model.unit = axes, unit
    return model


def _umask() -> int:
    mask = os.umask(0)  # there is no way to read it without setting it
    os.umask(mask)
    return mask
