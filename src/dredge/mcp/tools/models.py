"""Tools about models: list, describe, find events, evaluate, compare, plot, delete."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import numpy as np
from mcp.server import MCPServer
from mcp.types import CallToolResult, ContentBlock, ImageContent
from pydantic import Field

from dredge.errors import InvalidInput
from dredge.mcp import shapes
from dredge.mcp.answers import MOST_VALUES, answer, lines, link, number
from dredge.mcp.inputs import Cursor, GridAxis, Limit, ModelName, Points, Version
from dredge.mcp.pictures import small_png
from dredge.mcp.tools.fitting import say_event
from dredge.mcp.tools.kinds import ENDS, READS, add_tool
from dredge.service import Service
from dredge.store import ModelRecord

STRONGEST_FIRST = ("amplitude", "energy")


def add_tools(server: MCPServer[Any], service: Service) -> None:
    """Add the tools about models."""
    tools = ModelTools(service)
    add_tool(server, tools.list_models, "List models", READS)
    add_tool(server, tools.describe_model, "Describe a model", READS)
    add_tool(server, tools.find_events, "Find events", READS)
    add_tool(server, tools.evaluate, "Evaluate a model", READS)
    add_tool(server, tools.compare_models, "Compare two models", READS)
    add_tool(server, tools.plot, "Plot a model", READS)
    add_tool(server, tools.delete_model, "Delete a model", ENDS)


class ModelTools:
    """Waves that came out."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def list_models(
        self, limit: Limit = 20, cursor: Cursor = None
    ) -> Annotated[CallToolResult, shapes.ModelPage]:
        """List stored models at their newest version: waves, numbers, scores, the signal of each."""
        page = self.service.models(cursor=cursor, limit=limit)
        rows = [shapes.ModelRow.of(record) for record in page.items]
        more = " There are more: call again with next_cursor." if page.next_cursor else ""
        first = (
            f"{len(rows)} models.{more}"
            if rows
            else "No models are stored yet; fit_signal or lift makes one."
        )
        return answer(
            lines(first, [say_model(row) for row in rows]),
            shapes.ModelPage(items=rows, next_cursor=page.next_cursor),
        )

    def describe_model(
        self, model: ModelName, version: Version = None
    ) -> Annotated[CallToolResult, shapes.ModelDetail]:
        """Describe one model: what it was made from and how, its scores, its versions."""
        record = self.service.model(model, version)
        row = shapes.ModelRow.of(record)
        versions = [one.version for one in self.service.versions(model)]
        values = record.model_dump(mode="json")
        detail = shapes.ModelDetail(
            model=row,
            versions=versions,
            created=str(values["created"]),
            software=values["software"] or "",
            seed=record.seed,
            settings={k: v for k, v in (record.settings or {}).items() if v is not None},
            job=record.job,
        )
        told = [f"{name}: {number(value)}" for name, value in row.scores.items() if value is not None]
        told.append(f"versions: {', '.join(map(str, versions[-MOST_VALUES:]))}")
        return answer(lines(say_model(row), told), detail, *self._links(record))

    def find_events(
        self,
        *,
        model: ModelName,
        version: Version = None,
        start: Annotated[float | None, Field(description="Only events at or after this time")] = None,
        stop: Annotated[float | None, Field(description="Only events at or before this time")] = None,
        low: Annotated[float | None, Field(description="Only frequencies from here")] = None,
        high: Annotated[float | None, Field(description="Only frequencies up to here")] = None,
        min_amplitude: Annotated[float | None, Field(description="Only amplitudes from here")] = None,
        strongest: Annotated[
            int | None, Field(description="Only so many, those with the most energy", ge=1)
        ] = None,
        sort: Annotated[
            Literal["time", "frequency", "amplitude", "energy"],
            Field(description="Order: time and frequency upwards, amplitude and energy strongest first"),
        ] = "time",
        limit: Annotated[int, Field(description="Most events to return", ge=1, le=MOST_VALUES)] = 40,
    ) -> Annotated[CallToolResult, shapes.EventList]:
        """The waves of a model as rows: time, width, frequency, chirp rate, amplitude, phase, energy.
        Filter by time, frequency and strength."""
        record = self.service.model(model, version)
        found = self.service.events(
            model,
            record.version,
            sort=sort,
            descending=sort in STRONGEST_FIRST,
            start=start,
            stop=stop,
            low=low,
            high=high,
            strongest=strongest,
        )
        rows = [
            shapes.EventRow.of(event)
            for event in found
            if min_amplitude is None or event.amplitude >= min_amplitude
        ]
        axis = shapes.ModelRow.of(record).axes[0]
        shown = rows[:limit]
        first = f"{len(rows)} of the {record.waves} events of {model}, version {record.version}" + (
            f"; the first {len(shown)} by {sort}:" if len(shown) < len(rows) else f", by {sort}:"
        )
        return answer(
            lines(first, [say_event(row, axis.unit, record.unit) for row in shown]),
            shapes.EventList(
                model=model,
                version=record.version,
                axis=axis,
                unit=record.unit,
                found=len(rows),
                events=shown,
            ),
            link(f"dredge://models/{model}/{record.version}/events.csv", "All events", "text/csv"),
        )

    def evaluate(
        self,
        model: ModelName,
        version: Version = None,
        points: Points = None,
        grid: Annotated[
            list[GridAxis] | None,
            Field(description="Instead of points: one regular axis for each coordinate"),
        ] = None,
    ) -> Annotated[CallToolResult, shapes.Evaluation]:
        """Values of a model at points, or on a regular grid: up to 256, and a link to the rest of a grid."""
        record = self.service.model(model, version)
        if (points is None) == (grid is None):
            raise InvalidInput("Give either points or a grid.", field="points")
        if grid is not None:
            values = self.service.evaluate_grid(
                model, [(axis.start, axis.stop, axis.count) for axis in grid], record.version
            )
        else:
            values = self.service.evaluate(model, points, record.version)
        flat = np.ravel(values)
        complete = flat.size <= MOST_VALUES
        result = shapes.Evaluation(
            model=model,
            version=record.version,
            unit=record.unit,
            shape=list(values.shape),
            complete=complete,
            values=flat[:MOST_VALUES].tolist(),
        )
        text = f"{flat.size} values of {model}, version {record.version}, in {record.unit}"
        if flat.size:
            text += f", from {number(float(flat.min()))} to {number(float(flat.max()))}"
        if complete:
            return answer(f"{text}.", result)
        text += f"; the first {MOST_VALUES} are here"
        if grid is None:
            return answer(f"{text}. Ask for the others in further calls.", result)
        axes = ",".join(f"{axis.start!r}:{axis.stop!r}:{axis.count}" for axis in grid)
        return answer(
            f"{text}, all behind the link.",
            result,
            link(f"dredge://models/{model}/{record.version}/values/{axes}", "All values", "application/json"),
        )

    def compare_models(
        self,
        first: ModelName,
        second: ModelName,
        first_version: Version = None,
        second_version: Version = None,
    ) -> Annotated[CallToolResult, shapes.ComparisonResult]:
        """Two models on the same points: how far apart they are, and which is nearer to their signal."""
        found = self.service.compare(
            first, second, first_version=first_version, second_version=second_version
        )
        rows = shapes.ModelRow.of(found.first), shapes.ModelRow.of(found.second)
        text = f"Mean square difference {number(found.difference)} on {found.points} points."
        if found.first_error is not None and found.second_error is not None:
            nearer = rows[0] if found.first_error <= found.second_error else rows[1]
            text += (
                f" Against the signal: {number(found.first_error)} and {number(found.second_error)}; "
                f"{nearer.name}, version {nearer.version}, is nearer."
            )
        return answer(
            lines(text, [say_model(row) for row in rows]),
            shapes.ComparisonResult(
                first=rows[0],
                second=rows[1],
                points=found.points,
                difference=found.difference,
                first_error=found.first_error,
                second_error=found.second_error,
            ),
        )

    def plot(self, model: ModelName, version: Version = None) -> Annotated[CallToolResult, shapes.PlotResult]:
        """A picture: samples and model, what is left, and the waves in time and frequency."""
        record = self.service.model(model, version)
        picture = small_png(self.service.plot(model, record.version))
        uri = f"dredge://models/{model}/{record.version}/plot.png"
        return answer(
            f"{model}, version {record.version}.",
            shapes.PlotResult(model=model, version=record.version, uri=uri),
            ImageContent(type="image", data=base64.b64encode(picture).decode(), mime_type="image/png"),
            link(uri, "The picture in full size", "image/png"),
        )

    def delete_model(
        self, model: ModelName, version: Version = None
    ) -> Annotated[CallToolResult, shapes.Deleted]:
        """Delete one version of a model, or without a version the whole model. This cannot be undone."""
        self.service.delete_model(model, version)
        what = model if version is None else f"Version {version} of {model}"
        return answer(f"{what} is deleted.", shapes.Deleted(model=model, version=version))

    def _links(self, record: ModelRecord) -> list[ContentBlock]:
        root = f"dredge://models/{record.name}/{record.version}"
        if record.kind != "wavefield":
            return []
        return [
            link(f"{root}/events.csv", "Its events", "text/csv"),
            link(f"{root}/plot.png", "A picture", "image/png"),
        ]


def say_model(row: shapes.ModelRow) -> str:
    """A model in one line."""
    score = (
        f", signal to noise {number(row.scores.get('snr_db'), 'dB')}"
        if row.scores.get("snr_db") is not None
        else ""
    )
    made = f", from signal {row.signal[:12]}" if row.signal else ""
    size = f"{row.waves} waves, {row.numbers} numbers"
    return f"{row.name}, version {row.version}: {row.kind}, {size}{score}{made}"
