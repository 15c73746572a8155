"""Request bodies: JSON into a shape, uploads into a bounded file."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, TypeVar, cast

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from dredge.api.gate import MOST_JSON
from dredge.api.problems import explain
from dredge.errors import InvalidInput, TooLarge

Shape = TypeVar("Shape", bound=BaseModel)

IN_MEMORY = 4 * 2**20
PIECE = 2**16
NUMBERS = "application/octet-stream"
JSON = "application/json"


def json_body(shape: type[Shape]) -> Shape:
    """The body as a shape. Raises InvalidInput naming the field, BadRequest for what is not JSON."""
    if not request.is_json:
        raise UnsupportedMediaType("The body must be JSON, with Content-Type: application/json.")
    _refuse_encodings()
    request.max_content_length = min(MOST_JSON, request.max_content_length or MOST_JSON)
    data = request.get_data(cache=False)
    try:
        return shape.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise BadRequest(f"The body is not JSON: {first['msg'].partition(': ')[2]}.") from None
        raise explain(error) from None


@contextmanager
def uploaded_file() -> Iterator[BinaryIO]:
    """The raw body as a file, on disk beyond a few MiB. Raises TooLarge, and InvalidInput when empty."""
    _refuse_encodings()
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        size = 0
        while piece := request.stream.read(PIECE):
            size += len(piece)
            _check_size(size)
            file.write(piece)
        if size == 0:
            raise InvalidInput("The request has no body.", field="body", hint="Send the file as the body.")
        file.seek(0)
        yield cast(BinaryIO, file)


def uploaded_bytes() -> bytes:
    """The raw body in memory, for what is read whole anyway."""
    _refuse_encodings()
    data = request.get_data(cache=False)
    if not data:
        raise InvalidInput("The request has no body.", field="body")
    return data


def inflated_bytes() -> bytes:
    """The raw body, unfolded when it is gzip or deflate. Raises TooLarge for what unfolds too far."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    data = request.get_data(cache=False)
    if encoding in {"identity", ""}:
        return data
    limit = request.max_content_length or MOST_JSON
    try:
        if encoding == "gzip":
            with gzip.open(io.BytesIO(data)) as file:
                plain = file.read(limit + 1)
        elif encoding == "deflate":
            plain = zlib.decompressobj().decompress(data, limit + 1)
        else:
            raise UnsupportedMediaType(
                f"Content-Encoding {encoding[:40]!r} is not known; gzip and deflate are."
            )
    except (OSError, EOFError, zlib.error):
        raise InvalidInput(f"The body is not {encoding}.", field="Content-Encoding") from None
    _check_size(len(plain))
    return plain


def _check_size(size: int) -> None:
    limit = request.max_content_length
    if limit is not None and size > limit:
        raise TooLarge(f"The body is over the limit of {limit:,} bytes.", field="body")


def _refuse_encodings() -> None:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise UnsupportedMediaType(
            f"Content-Encoding {encoding[:40]!r} is not accepted here; send the body as it is."
        )
