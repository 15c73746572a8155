"""Models as safetensors: exact there and back, and no hostile byte gets further than a sentence."""

import io
import json
import pickle
from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_waves import random_field
from safetensors.torch import save as save_tensors

from dredge.errors import InvalidInput, NotFound
from dredge.waves import (
    AxisLabel,
    QuasimotoEnsemble,
    QuasimotoWave,
    WaveField,
    from_bytes,
    load,
    save,
    to_bytes,
)
from dredge.waves import files as model_files

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)


def tensors_of(field):
    return {f.name: getattr(field, f.name) for f in fields(field) if isinstance(getattr(field, f.name), torch.Tensor)}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(0, 4), d=st.integers(1, 3), m=st.integers(1, 3),
       dtype=st.sampled_from([torch.float32, torch.float64]), words=st.lists(st.text(max_size=20), min_size=7, max_size=7))
def test_a_field_comes_back_exactly(data, n, d, m, dtype, words):
    def numbers(*shape):
        count = int(np.prod(shape))
        values = data.draw(st.lists(finite.filter(lambda v: abs(v) < 1e38), min_size=count, max_size=count))
        return torch.tensor(values, dtype=torch.float64).reshape(shape).to(dtype)

    field = WaveField(numbers(n, d), numbers(n, m, d), numbers(n, d), numbers(n, d, d), numbers(n), numbers(n),
                      numbers(n).abs() + 0.5, numbers(), numbers(d, 2),
                      tuple(AxisLabel(words[i], words[3 + i]) for i in range(d)), words[6])
    back = from_bytes(to_bytes(field))
    assert (back.axes, back.unit) == (field.axes, field.unit)
    for name, tensor in tensors_of(field).items():
        assert getattr(back, name).dtype == dtype
        assert torch.equal(getattr(back, name), tensor)
    assert to_bytes(back) == to_bytes(field)


@pytest.mark.parametrize("model", [QuasimotoWave(1, seed=1), QuasimotoWave(4, seed=1), QuasimotoWave(6, seed=1).double(),
                                   QuasimotoEnsemble(8, seed=1), QuasimotoEnsemble(1, 4, seed=1)])
def test_an_original_model_comes_back_exactly(model):
    back = from_bytes(to_bytes(model))
    assert type(back) is type(model)
    assert (back.kind, back.dimension, back.numbers, len(back)) == (model.kind, model.dimension, model.numbers, len(model))
    for name, tensor in model.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor)
        assert back.state_dict()[name].dtype == tensor.dtype


def test_a_file_is_written_whole_and_read_back(tmp_path):
    field = random_field(1, 3, 2, 2)
    path = tmp_path / "model.safetensors"
    save(random_field(2, 1, 1, 1), path)
    save(field, path)
    assert path.read_bytes() == to_bytes(field)
    assert torch.equal(load(path).centre, field.centre)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save(random_field(2, 1, 1, 1), path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_files.os, "fsync", full)
    with pytest.raises(InvalidInput, match="No space left") as caught:
        save(random_field(1, 3, 1, 1), path)
    assert caught.value.field == "path"
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_places_that_cannot_be_used(tmp_path):
    with pytest.raises(NotFound, match="There is no file"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be written"):
        save(random_field(1, 3, 1, 1), tmp_path / "no" / "folder")


def test_a_number_that_is_not_finite_is_not_written():
    model = QuasimotoWave()
    with torch.no_grad():
        model.phi.fill_(float("nan"))
    with pytest.raises(InvalidInput, match="phi"):
        to_bytes(model)


GOOD = to_bytes(random_field(1, 3, 1, 1))
TENSORS = tensors_of(random_field(1, 3, 1, 1))
ABOUT = {"format": "dredge-waves", "version": 1, "kind": "wavefield", "dimension": 1, "axes": [["time", "s"]], "unit": "V"}


def made(tensors=None, about=None, metadata=None, **changes):
    told = {"dredge": json.dumps({**ABOUT, **(about or {})})} if metadata is None else metadata
    return save_tensors({**TENSORS, **changes} if tensors is None else tensors, told)


def with_header(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def pickled():
    out = io.BytesIO()
    torch.save(TENSORS, out)
    return out.getvalue()


class Harm:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


huge = {"dtype": "F64", "shape": [2**30, 2**30], "data_offsets": [0, 2**63]}
HOSTILE = {
    "empty": (b"", "empty"),
    "seven bytes": (b"1234567", "too short"),
    "cut in the header": (GOOD[:100], "cut short"),
    "cut in the data": (GOOD[:-1], "bytes and"),
    "with a tail": (GOOD + b"\0", "bytes and"),
    "a torch pickle": (pickled(), "not in the safetensors format"),
    "a bare pickle": (pickle.dumps(Harm()), "not a model"),
    "a header of 2^63 bytes": (b"\xff" * 7 + b"\x7f" + b"{}", "not in the safetensors format"),
    "no JSON": (with_header(b"{nonsense"), "not JSON"),
    "deep JSON": (with_header(b"[" * 100_000), "not JSON"),
    "a list": (with_header([1, 2]), "not a table"),
    "entries that are no tables": (with_header({"centre": 3}), "not a table"),
    "huge claimed sizes": (with_header({"centre": huge}), "bytes and 0 are there"),
    "shape of words": (with_header({"centre": {**huge, "shape": ["a"]}}), "no sensible shape"),
    "negative shape": (with_header({"centre": {**huge, "shape": [-1]}}), "no sensible shape"),
    "shape with a boolean": (with_header({"centre": {**huge, "shape": [True]}}), "no sensible shape"),
    "no metadata": (made(metadata={}), "does not say what it is"),
    "metadata of others": (made(metadata={"format": "pt"}), "does not say what it is"),
    "description that is no JSON": (made(metadata={"dredge": "{"}), "description is not JSON"),
    "another format": (made(about={"format": "x"}), "another format"),
    "a later version": (made(about={"version": 2}), "format version 2"),
    "unknown kind": (made(about={"kind": "mlp"}), "kind 'mlp'"),
    "kind that is a list": (made(about={"kind": ["wavefield"]}), "kind"),
    "dimension 0": (made(about={"dimension": 0}), "dimension"),
    "dimension true": (made(about={"dimension": True}), "dimension"),
    "dimension a million": (made(about={"dimension": 10**6}), "dimension"),
    "axes missing": (made(about={"axes": []}), "name its axes"),
    "axes that are words": (made(about={"axes": ["time"]}), "name its axes"),
    "axis of numbers": (made(about={"axes": [[1, 2]]}), "sensible name"),
    "unit too long": (made(about={"unit": "x" * 10_000}), "sensible name"),
    "a missing tensor": (made({k: v for k, v in TENSORS.items() if k != "chirp"}), "'chirp' is missing"),
    "an extra tensor": (made(extra=torch.zeros(1, dtype=torch.float64)), "'extra'"),
    "a wrong shape": (made(sine=torch.zeros(4, dtype=torch.float64)), "sine has shape"),
    "four axes": (made(sine=torch.zeros(1, 1, 1, 3, dtype=torch.float64)), "no sensible shape"),
    "integers": (made(sine=torch.zeros(3, dtype=torch.int64)), "dtype I64"),
    "half precision": (made(sine=torch.zeros(3, dtype=torch.float16)), "dtype F16"),
    "mixed dtypes": (made(sine=torch.zeros(3, dtype=torch.float32)), "different dtypes"),
    "a NaN": (made(sine=torch.full((3,), float("nan"), dtype=torch.float64)), "sine holds a number"),
    "an infinity": (made(bias=torch.tensor(float("inf"), dtype=torch.float64)), "bias holds a number"),
    "an edge of zero": (made(edge=torch.zeros(3, dtype=torch.float64)), "edge is not positive"),
    "a field that says it is an ensemble": (made(about={"kind": "quasimoto_ensemble"}), "not have 1 coordinates"),
    "overlapping offsets": (with_header({"__metadata__": {"dredge": json.dumps(ABOUT)}, **{
        name: {"dtype": "F64", "shape": list(t.shape), "data_offsets": [0, 8 * t.numel()]} for name, t in TENSORS.items()}},
        bytes(8 * sum(t.numel() for t in TENSORS.values()))), "damaged"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes_are_refused_with_a_sentence(case):
    data, words = HOSTILE[case]
    with pytest.raises(InvalidInput, match=words) as caught:
        from_bytes(data)
    assert caught.value.field == "model"
    assert len(caught.value.message) < 500


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
def test_a_changed_byte_gives_a_model_or_a_sentence(place, value):
    data = bytearray(GOOD)
    data[place] = value
    try:
        model = from_bytes(data)
    except InvalidInput as error:
        assert error.field == "model"
    else:
        assert isinstance(model, WaveField)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_refused(data):
    with pytest.raises(InvalidInput):
        from_bytes(data)
