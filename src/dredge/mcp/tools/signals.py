"""Tools about recordings: list, describe, import."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from dredge.errors import InvalidInput
from dredge.mcp import shapes
from dredge.mcp.answers import answer, lines, link, number
from dredge.mcp.inputs import Channel, Cursor, Format, Gaps, Limit, Samples, SignalId, inbox_file
from dredge.mcp.tools.kinds import KEEPS, READS, add_tool
from dredge.service import Service

MOST_CHANNELS = 16  # whose figures one answer gives


def add_tools(server: MCPServer[Any], service: Service) -> None:
    """Add list_signals, describe_signal and import_signal."""
    tools = SignalTools(service)
    add_tool(server, tools.list_signals, "List signals", READS)
    add_tool(server, tools.describe_signal, "Describe a signal", READS)
    add_tool(server, tools.import_signal, "Import a signal", KEEPS)


class SignalTools:
    """Recordings that go in."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def list_signals(
        self, limit: Limit = 20, cursor: Cursor = None
    ) -> Annotated[CallToolResult, shapes.SignalPage]:
        """List stored recordings: id, name, channels, length, rate."""
        page = self.service.signals(cursor=cursor, limit=limit)
        rows = [shapes.SignalRow.of(record) for record in page.items]
        more = " There are more: call again with next_cursor." if page.next_cursor else ""
        first = (
            f"{len(rows)} signals.{more}" if rows else "No signals are stored yet; import_signal adds one."
        )
        return answer(
            lines(first, [say_signal(row) for row in rows]),
            shapes.SignalPage(items=rows, next_cursor=page.next_cursor),
        )

    def describe_signal(
        self, signal: SignalId, channel: Channel = 0
    ) -> Annotated[CallToolResult, shapes.SignalDetail]:
        """Describe one recording: axes, units, figures of each channel, an overview of one channel."""
        record = self.service.signal_record(signal)
        whole = self.service.signal(record.id)
        row = shapes.SignalRow.of(record)
        statistics = [
            shapes.ChannelStatistics(
                channel=name,
                minimum=float(values.min()),
                maximum=float(values.max()),
                mean=float(values.mean()),
                deviation=float(values.std()),
            )
            for name, values in zip(
                whole.channels[:MOST_CHANNELS], whole.samples[:MOST_CHANNELS], strict=True
            )
        ]
        overview = None
        if whole.dimension == 1:
            samples = whole.channel(channel)
            name = (
                channel
                if isinstance(channel, str) and channel in whole.channels
                else whole.channels[int(channel)]
            )
            overview = shapes.overview(samples, name, whole.axes[0].start, whole.axes[0].step)
        told = [
            f"{one.channel}: {number(one.minimum)} to {number(one.maximum)} {record.unit}, "
            f"mean {number(one.mean)}, standard deviation {number(one.deviation)}"
            for one in statistics
        ]
        return answer(
            lines(say_signal(row), told),
            shapes.SignalDetail(
                signal=row, statistics=statistics, overview=overview, provenance=dict(record.provenance)
            ),
            link(f"dredge://signals/{record.id}/samples", "The samples as CSV", "text/csv"),
        )

    def import_signal(
        self,
        *,
        samples: Samples = None,
        path: Annotated[
            str | None, Field(description="Instead of samples: a file in the server's inbox folder")
        ] = None,
        name: Annotated[str | None, Field(description="What to call it")] = None,
        sample_rate: Annotated[
            float | None, Field(description="Samples per second, when the file does not say")
        ] = None,
        unit: Annotated[
            str | None, Field(description="Unit of the values, for example mV, when the file does not say")
        ] = None,
        format: Format = None,
        channels: Annotated[
            list[str] | None, Field(description="Names of the channels to take from the file")
        ] = None,
        start_time: Annotated[str | None, Field(description="UTC time of the first sample, ISO 8601")] = None,
        gaps: Gaps = "refuse",
    ) -> Annotated[CallToolResult, shapes.SignalRow]:
        """Keep a recording: either samples, or a file that lies in the server's inbox folder. Gives its id.
        Addresses on the network are not fetched."""
        if (samples is None) == (path is None):
            raise InvalidInput("Give either samples or a path.", field="samples")
        if path is not None:
            record = self.service.import_signal(
                inbox_file(self.service.settings, path),
                name=name,
                format=format,
                sample_rate=sample_rate,
                unit=unit,
                channels=channels,
                start_time=start_time,
                gaps=gaps,
            )
        else:
            record = self.service.import_samples(
                samples,
                sample_rate=1.0 if sample_rate is None else sample_rate,
                unit="1" if unit is None else unit,
                name=name or "signal",
            )
        row = shapes.SignalRow.of(record)
        return answer(
            f"Kept {say_signal(row)}. Its id is {row.id}.",
            row,
            link(f"dredge://signals/{row.id}", "This signal", "application/json"),
        )


def say_signal(row: shapes.SignalRow) -> str:
    """A recording in one line."""
    axis = row.axes[0]
    length = " × ".join(str(one.size) for one in row.axes)
    rate = f" at {number(1 / axis.step)} Hz" if axis.unit == "s" else ""
    channels = f", {len(row.channels)} channels" if len(row.channels) > 1 else ""
    return f"{row.name} ({row.id[:12]}): {length} samples{rate} in {row.unit}{channels}"
