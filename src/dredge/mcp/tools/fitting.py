"""Tools that turn recordings into waves: estimate, start a fit, lift at once."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from dredge.mcp import shapes
from dredge.mcp.answers import MOST_VALUES, answer, finite, lines, link, number
from dredge.mcp.inputs import (
    Channel,
    Edge,
    HoldOut,
    Numbers,
    SampleRate,
    Samples,
    Seconds,
    Seed,
    SignalId,
    TargetError,
    Unit,
    Waves,
)
from dredge.mcp.tools.kinds import ADDS, READS, add_tool
from dredge.service import Service
from dredge.telemetry import tracing
from dredge.waves import FitOptions


def add_tools(server: MCPServer[Any], service: Service) -> None:
    """Add estimate_fit, fit_signal and lift."""
    tools = FittingTools(service)
    add_tool(server, tools.estimate_fit, "Estimate a fit", READS)
    add_tool(server, tools.fit_signal, "Start a fit", ADDS)
    add_tool(server, tools.lift, "Lift a short signal", ADDS)


class FittingTools:
    """Recordings become waves."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def estimate_fit(
        self,
        signal: SignalId,
        waves: Waves = None,
        numbers: Numbers = None,
        seconds: Seconds = None,
        edge: Edge = False,
    ) -> Annotated[CallToolResult, shapes.FitEstimate]:
        """What a fit would cost in time and stored numbers, before starting it."""
        estimate = self.service.estimate_fit(
            signal, FitOptions(waves=waves, numbers=numbers, seconds=seconds, edge=edge)
        )
        return answer(
            f"About {number(estimate.seconds)} s for {estimate.waves} waves ({estimate.numbers} numbers) on "
            f"{estimate.samples} samples.",
            shapes.FitEstimate(
                samples=estimate.samples,
                waves=estimate.waves,
                numbers=estimate.numbers,
                seconds=estimate.seconds,
            ),
        )

    def fit_signal(
        self,
        *,
        signal: SignalId,
        waves: Waves = None,
        numbers: Numbers = None,
        target_error: TargetError = None,
        seconds: Seconds = None,
        model: Annotated[
            str | None, Field(description="Name for the model: lower-case letters, digits, . _ -")
        ] = None,
        channel: Channel = 0,
        seed: Seed = 0,
        edge: Edge = False,
        hold_out: HoldOut = 0.0,
    ) -> Annotated[CallToolResult, shapes.JobRow]:
        """Start turning a stored recording into waves. Answers at once with a job id; then call
        wait_for_job. With none of waves, numbers, target_error and seconds the fit stops where more waves
        would describe noise."""
        options = FitOptions(
            waves=waves,
            numbers=numbers,
            target_error=target_error,
            seconds=seconds,
            seed=seed,
            edge=edge,
            hold_out=hold_out,
        )
        job = self.service.submit_fit(signal, options, model=model, channel=channel, trace=tracing.inject())
        row = shapes.JobRow.of(job)
        return answer(
            f"Job {job.id} will become {job.payload['model']}, version {job.payload['version']}. "
            f"Call wait_for_job with this id.",
            row,
            link(f"dredge://jobs/{job.id}", "This job", "application/json"),
        )

    def lift(
        self,
        *,
        samples: Samples = None,
        text: Annotated[
            str | None, Field(description="Instead of samples: a text, whose code points are the samples")
        ] = None,
        signal: Annotated[str | None, Field(description="Instead of samples: id of a stored signal")] = None,
        sample_rate: SampleRate = 1.0,
        unit: Unit = "1",
        channel: Channel = 0,
        waves: Waves = None,
        numbers: Numbers = None,
        target_error: TargetError = None,
        seconds: Seconds = None,
        seed: Seed = 0,
        edge: Edge = False,
        hold_out: HoldOut = 0.0,
        save_as: Annotated[
            str | None, Field(description="Keep the signal, and the waves as a model of this name")
        ] = None,
    ) -> Annotated[CallToolResult, shapes.LiftResult]:
        """Turn a short recording (up to some thousand samples) into waves and answer with them at once.
        Nothing is kept unless save_as names a model. Use fit_signal for longer recordings."""
        options = FitOptions(
            waves=waves,
            numbers=numbers,
            target_error=target_error,
            seconds=seconds,
            seed=seed,
            edge=edge,
            hold_out=hold_out,
        )
        lifted = self.service.lift(
            samples,
            text=text,
            signal=signal,
            sample_rate=sample_rate,
            unit=unit,
            channel=channel,
            options=options,
            save_as=save_as,
        )
        report, model, axis = lifted.report, lifted.model, lifted.field.axes[0]
        events = [shapes.EventRow.of(event) for event in lifted.events]
        result = shapes.LiftResult(
            waves=report.waves,
            numbers=report.numbers,
            error=report.error,
            snr_db=finite(report.snr_db),
            seconds=report.seconds,
            stopped_because=report.stopped_because,
            model=model.name if model else None,
            version=model.version if model else None,
            bias=float(lifted.field.bias),
            events=events[:MOST_VALUES],
        )
        kept = f" Kept as {model.name}, version {model.version}." if model else ""
        links = (
            [link(f"dredge://models/{model.name}/{model.version}", "The model", "application/json")]
            if model
            else []
        )
        first = (
            f"{lifted.signal.name}: {report.waves} waves, {report.numbers} numbers, signal to noise "
            f"{number(report.snr_db, 'dB')}. It stopped because {report.stopped_because.rstrip('.')}.{kept}"
        )
        return answer(
            lines(first, [say_event(row, axis.unit, lifted.field.unit) for row in events]), result, *links
        )


def say_event(row: shapes.EventRow, axis_unit: str, unit: str) -> str:
    """A wave in one line."""
    each = f"/{axis_unit}" if axis_unit != "1" else ""
    frequency = number(row.frequency, "Hz") if axis_unit == "s" else f"{number(row.frequency)}{each}"
    return (
        f"event {row.index}: at {number(row.time, axis_unit)}, width {number(row.width, axis_unit)}, "
        f"frequency {frequency}, chirp {number(row.chirp_rate)}{each}{'²' if each else ''}, "
        f"amplitude {number(row.amplitude, unit)}"
    )
