"""The Open Inference Protocol, version 2 over REST, with the binary tensor extension.

Every model takes one input, "points" ([N, d], or [N] when d is 1), and gives one output, "values" ([N]). This
file knows bodies and headers; which web framework carries them is the business of the doors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import orjson

from dredge._version import __version__
from dredge.errors import InvalidInput, NotFound, Unavailable
from dredge.serving.tensors import Array, check_datatype, check_shape, finite, from_binary, from_json

PLATFORM = "dredge_waves"
POINTS = "points"
VALUES = "values"
HEADER_LENGTH = "Inference-Header-Content-Length"


class Record(Protocol):
    """What is asked of the record of a model."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def dimension(self) -> int: ...


class ModelSource(Protocol):
    """Where models come from: the service."""

    def model(self, name: str, version: int | None = None) -> Record: ...
    def versions(self, name: str) -> Sequence[Record]: ...
    def models(self, *, cursor: str | None = None, limit: int = 50) -> Any: ...
    def evaluate(self, name: str, points: Any, version: int | None = None) -> Any: ...


@dataclass(frozen=True)
class Request:
    """An inference request, read and checked."""

    points: Array  # [N] or [N, d]
    datatype: str  # of the answer
    id: str | None
    binary: bool  # whether the answer is binary


class OpenInference:
    """Answers the protocol for the models of a service."""

    def __init__(self, models: ModelSource) -> None:
        self._models = models

    def live(self) -> bool:
        """Whether the process answers."""
        return True

    def ready(self) -> bool:
        """Whether the models can be reached."""
        try:
            self._models.models(limit=1)
        except Unavailable:
            return False
        return True

    def server_metadata(self) -> dict[str, Any]:
        """The answer to GET /v2."""
        return {"name": "dredge", "version": __version__, "extensions": ["binary_tensor_data"]}

    def model_metadata(self, name: str, version: int | str | None = None) -> dict[str, Any]:
        """The answer to GET /v2/models/{name}[/versions/{version}]. Raises ModelNotFound."""
        record = self._models.model(name, _version(version))
        return {
            "name": record.name,
            "versions": [str(each.version) for each in self._models.versions(name)],
            "platform": PLATFORM,
            "inputs": [{"name": POINTS, "datatype": "FP64", "shape": [-1, record.dimension]}],
            "outputs": [{"name": VALUES, "datatype": "FP64", "shape": [-1]}],
        }

    def model_ready(self, name: str, version: int | str | None = None) -> bool:
        """Whether a model can be asked."""
        try:
            self._models.model(name, _version(version))
        except (NotFound, InvalidInput, Unavailable):
            return False
        return True

    def repository_index(self) -> list[dict[str, str]]:
        """Every model at its newest version: the answer to POST /v2/repository/index."""
        rows: list[dict[str, str]] = []
        cursor: str | None = None
        while True:
            page = self._models.models(cursor=cursor, limit=500)
            rows += [{"name": each.name, "version": str(each.version), "state": "READY"} for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return rows

    def infer(
        self, name: str, version: int | str | None, body: bytes, header_length: int | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """The answer to POST …/infer: body and headers.

        `header_length` is the request's Inference-Header-Content-Length: where its JSON ends and its binary
        part begins. Raises InvalidInput naming the part of the request at fault, ModelNotFound, TooLarge.
        """
        record = self._models.model(name, _version(version))
        request = read_request(body, header_length, record.dimension)
        values = np.asarray(self._models.evaluate(name, request.points, record.version))
        return write_response(record, request, values)


def read_request(body: bytes, header_length: int | None, dimension: int) -> Request:
    """Read the body of an inference request for a model of `dimension` coordinates."""
    text, rest = _split(body, header_length)
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The request is not JSON: {error}.", field="body") from None
    content = _object(content, "body")
    identifier = content.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise InvalidInput("The id of a request is a text.", field="id")
    parameters = _object(content.get("parameters"), "parameters")
    binary = _flag(parameters, "binary_data_output", "parameters", False)
    points = _read_points(content.get("inputs"), rest, dimension, header_length is not None)
    return Request(
        points.astype(np.float64),
        "FP32" if points.dtype == np.float32 else "FP64",
        identifier,
        _wants_binary(content.get("outputs"), binary),
    )


def write_response(record: Record, request: Request, values: Array) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the answer with `values` [N]."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(values.reshape(-1), "<f4" if request.datatype == "FP32" else "<f8")
    output: dict[str, Any] = {"name": VALUES, "datatype": request.datatype, "shape": [len(values)]}
    answer: dict[str, Any] = {
        "model_name": record.name,
        "model_version": str(record.version),
        "outputs": [output],
    }
    if request.id is not None:
        answer["id"] = request.id
    if not request.binary:
        output["data"] = finite(values, VALUES)  # JSON has no word for infinity
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), {"Content-Type": "application/json"}
    data = values.tobytes()
    output["parameters"] = {"binary_data_size": len(data)}
    text = orjson.dumps(answer)
    return text + data, {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(text))}


def _split(body: bytes, header_length: int | None) -> tuple[bytes, memoryview]:
    if header_length is None:
        return body, memoryview(b"")
    if not 0 <= header_length <= len(body):
        raise InvalidInput(
            f"The header says that {header_length} bytes of JSON come first, but the body has {len(body)}.",
            field=HEADER_LENGTH,
        )
    return body[:header_length], memoryview(body)[header_length:]


def _read_points(inputs: Any, rest: memoryview, dimension: int, has_binary: bool) -> Array:
    if not isinstance(inputs, list) or len(inputs) != 1:
        raise InvalidInput(f'The request must have one input, "{POINTS}".', field="inputs")
    field = "inputs[0]"
    tensor = _object(inputs[0], field)
    if tensor.get("name") != POINTS:
        raise InvalidInput(f'The input is called "{POINTS}".', field=f"{field}.name")
    dtype = check_datatype(tensor.get("datatype"), f"{field}.datatype")
    shape = check_shape(tensor.get("shape"), dimension, f"{field}.shape")
    parameters = _object(tensor.get("parameters"), f"{field}.parameters")
    _refuse_shared_memory(parameters, f"{field}.parameters")
    size = parameters.get("binary_data_size")
    if size is None:
        if len(rest):
            raise InvalidInput(f"{len(rest):,} bytes follow the JSON, but no input claims them.", field="body")
        return from_json(tensor.get("data"), shape, dtype, f"{field}.data")
    where = f"{field}.parameters.binary_data_size"
    if "data" in tensor:
        raise InvalidInput("The input has both data and binary data.", field=f"{field}.data")
    if not has_binary:
        raise InvalidInput(f"Binary data needs the header {HEADER_LENGTH}.", field=HEADER_LENGTH)
    if isinstance(size, bool) or not isinstance(size, int) or size != len(rest):
        raise InvalidInput(f"The input claims {size!r:.40} bytes of binary data, but {len(rest):,} are there.", field=where)
    return from_binary(rest, shape, dtype, where)


def _wants_binary(outputs: Any, binary: bool) -> bool:
    if outputs is None or outputs == []:
        return binary
    if not isinstance(outputs, list) or len(outputs) != 1:
        raise InvalidInput(f'There is one output, "{VALUES}".', field="outputs")
    field = "outputs[0]"
    output = _object(outputs[0], field)
    if output.get("name") != VALUES:
        raise InvalidInput(f'The output is called "{VALUES}".', field=f"{field}.name")
    parameters = _object(output.get("parameters"), f"{field}.parameters")
    _refuse_shared_memory(parameters, f"{field}.parameters")
    if parameters.get("classification"):
        raise InvalidInput("Values have no classes.", field=f"{field}.parameters.classification")
    return _flag(parameters, "binary_data", f"{field}.parameters", binary)


def _object(value: Any, field: str) -> dict[str, Any]:
    if value is None and field.endswith("parameters"):
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{field} must be a JSON object.", field=field)
    return value


def _flag(parameters: dict[str, Any], name: str, field: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} is true or false.", field=f"{field}.{name}")
    return value


def _refuse_shared_memory(parameters: dict[str, Any], field: str) -> None:
    if any(name.startswith("shared_memory") for name in parameters):
        raise InvalidInput("Shared memory cannot be used here; send the tensor.", field=f"{field}.shared_memory_region")


def _version(version: int | str | None) -> int | None:
    if version is None or version == "":
        return None
    if isinstance(version, str):
        if not (version.isascii() and version.isdecimal() and len(version) <= 9):
            raise InvalidInput(f"{version!r:.40} is not a version; versions are whole numbers from 1 up.", field="version")
        return int(version)
    return version
