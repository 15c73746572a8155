"""Resources: what an agent reads by address, and what tools link to when it is too much to send.

dredge://signals                                    all signals
dredge://signals/{signal}                               one signal
dredge://signals/{signal}/samples                       its samples as CSV
dredge://models                                     all models
dredge://models/{name}/{version}                    one model (version: a number, or `newest`)
dredge://models/{name}/{version}/events.csv         its events, also events.json
dredge://models/{name}/{version}/plot.png           its picture
dredge://models/{name}/{version}/values/{grid}      its values on a grid, start:stop:count for each axis
dredge://jobs                                       jobs, newest first
dredge://jobs/{job}                                  one job
"""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import orjson
from mcp.server import MCPServer

from dredge.errors import InvalidInput, TooLarge
from dredge.mcp import shapes
from dredge.service import Service

MOST_LISTED = 1_000  # rows of a list
MOST_NUMBERS = 65_536  # numbers of one resource

JSON, CSV, PNG = "application/json", "text/csv", "image/png"


def add_resources(server: MCPServer[Any], service: Service) -> None:
    """Add every resource and template to the server."""
    read = Resources(service)
    server.resource("dredge://signals", name="signals", title="Signals", mime_type=JSON)(read.signals)
    server.resource("dredge://signals/{signal}", name="signal", title="A signal", mime_type=JSON)(read.signal)
    server.resource(
        "dredge://signals/{signal}/samples", name="samples", title="Samples of a signal", mime_type=CSV
    )(read.samples)
    server.resource("dredge://models", name="models", title="Models", mime_type=JSON)(read.models)
    server.resource("dredge://models/{name}/{version}", name="model", title="A model", mime_type=JSON)(
        read.model
    )
    server.resource(
        "dredge://models/{name}/{version}/events.csv", name="events-csv", title="Events as CSV", mime_type=CSV
    )(read.events_csv)
    server.resource(
        "dredge://models/{name}/{version}/events.json",
        name="events-json",
        title="Events as JSON",
        mime_type=JSON,
    )(read.events_json)
    server.resource(
        "dredge://models/{name}/{version}/plot.png", name="plot", title="Picture of a model", mime_type=PNG
    )(read.plot)
    server.resource(
        "dredge://models/{name}/{version}/values/{grid}",
        name="values",
        title="Values on a grid",
        mime_type=JSON,
    )(read.values)
    server.resource("dredge://jobs", name="jobs", title="Jobs", mime_type=JSON)(read.jobs)
    server.resource("dredge://jobs/{job}", name="job", title="A job", mime_type=JSON)(read.job)


class Resources:
    """Reads what the addresses name."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def signals(self) -> str:
        """Stored recordings with their ids."""
        return _json({"items": [shapes.SignalRow.of(one).model_dump() for one in _all(self.service.signals)]})

    def signal(self, signal: str) -> str:
        """One recording: axes, units, channels, where it came from."""
        return _json(self.service.signal_record(signal).model_dump(mode="json"))

    def samples(self, signal: str) -> str:
        """The samples of a recording on one axis: a column for the axis and one for each channel."""
        whole = self.service.signal(signal)
        if whole.dimension != 1:
            raise InvalidInput(f"The signal has {whole.dimension} axes; a table shows one.", field="signal")
        if whole.samples.size > MOST_NUMBERS:
            raise TooLarge(
                f"{whole.samples.size} samples are too many for one resource; the limit is {MOST_NUMBERS}.",
                field="signal",
                hint="describe_signal gives an overview.",
            )
        axis = whole.axes[0]
        return _csv(
            [f"{axis.name} ({axis.unit})", *whole.channels],
            np.column_stack([axis.coordinates, whole.samples.T]).tolist(),
        )

    def models(self) -> str:
        """Stored models at their newest version, with their scores."""
        return _json({"items": [shapes.ModelRow.of(one).model_dump() for one in _all(self.service.models)]})

    def model(self, name: str, version: str) -> str:
        """One model: what it was made from and how, its scores."""
        return _json(self.service.model(name, _version(version)).model_dump(mode="json"))

    def events_csv(self, name: str, version: str) -> str:
        """The waves of a model as rows, in order of time."""
        rows = self._events(name, version)
        return _csv(list(shapes.EventRow.model_fields), [list(row.model_dump().values()) for row in rows])

    def events_json(self, name: str, version: str) -> str:
        """The waves of a model as rows, in order of time."""
        return _json({"events": [row.model_dump() for row in self._events(name, version)]})

    def plot(self, name: str, version: str) -> bytes:
        """Samples and model, what is left, and the waves in time and frequency."""
        return self.service.plot(name, _version(version))

    def values(self, name: str, version: str, grid: str) -> str:
        """Values of a model on a regular grid: start:stop:count for each axis, joined with commas."""
        axes = _grid(grid)
        count = int(np.prod([axis[2] for axis in axes], dtype=object))
        if count > MOST_NUMBERS:
            raise TooLarge(
                f"{count:,} values are too many for one resource; the limit is {MOST_NUMBERS:,}.",
                field="grid",
            )
        values = self.service.evaluate_grid(name, axes, _version(version))
        return _json(
            {"axes": [{"start": a, "stop": b, "count": n} for a, b, n in axes], "values": values.tolist()}
        )

    def jobs(self) -> str:
        """Background runs, newest first."""
        return _json({"items": [shapes.JobRow.of(job).model_dump() for job in _all(self.service.jobs)]})

    def job(self, job: str) -> str:
        """One background run: state, progress, result."""
        return _json(shapes.JobRow.of(self.service.job(job)).model_dump())

    def _events(self, name: str, version: str) -> list[shapes.EventRow]:
        return [shapes.EventRow.of(event) for event in self.service.events(name, _version(version))]


def _all(list_page: Any) -> list[Any]:
    items: list[Any] = []
    cursor = None
    while len(items) < MOST_LISTED:
        page = list_page(cursor=cursor, limit=100)
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return items[:MOST_LISTED]


def _version(text: str) -> int | None:
    if text == "newest":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput(f"{text!r} is not a version.", field="version", hint="Give a number, or `newest`.")
    return int(text)


def _grid(text: str) -> list[tuple[float, float, int]]:
    axes = []
    for axis in text.split(","):
        try:
            start, stop, count = axis.split(":")
            axes.append((float(start), float(stop), int(count)))
        except ValueError:
            raise InvalidInput(
                f"{axis!r} is not an axis of a grid.",
                field="grid",
                hint="Write start:stop:count, for example 0:2:500.",
            ) from None
    return axes


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _csv(header: list[str], rows: list[list[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
