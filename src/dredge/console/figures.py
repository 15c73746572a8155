"""The console's picture: samples and model, what is left, and the waves on the time-frequency plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dredge.waves import Event, WaveField, evaluate

Values = npt.NDArray[np.float64]
MOST_POINTS = 8000
GREY, BLUE, RED = "#9aa5b1", "#1f5fbf", "#c2410c"


def picture(field: WaveField, times: Values, samples: Values | None, events: Sequence[Event],
            chosen: Sequence[int] = ()) -> go.Figure:
    """Three panels on one time axis; the `chosen` waves are drawn alone over the samples."""
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.42, 0.18, 0.4])
    values = evaluate(field, times)
    if samples is not None:
        figure.add_trace(_line(*thin(times, samples), "samples", GREY, 1), row=1, col=1)
        figure.add_trace(_line(*thin(times, samples - values), "residual", GREY, 1), row=2, col=1)
    figure.add_trace(_line(*thin(times, values), "model", BLUE, 1.6), row=1, col=1)
    if chosen:
        alone = evaluate(field.take(list(chosen)), times)
        figure.add_trace(_line(*thin(times, alone), "chosen waves", RED, 1.8), row=1, col=1)
    for event in events:
        figure.add_trace(_ellipse(event, event.index in chosen), row=3, col=1)
    axis = field.axes[0]
    figure.update_yaxes(title_text=_label("value", field.unit), row=1)
    figure.update_yaxes(title_text="residual", row=2)
    figure.update_yaxes(title_text=_label("frequency", "Hz" if axis.unit == "s" else f"1/{axis.unit}"), rangemode="tozero",
                        row=3)
    figure.update_xaxes(title_text=_label(axis.name, axis.unit), row=3)
    figure.update_layout(template="simple_white", height=640, margin={"l": 60, "r": 20, "t": 20, "b": 50},
                         legend={"orientation": "h", "y": 1.06}, uirevision="keep")
    return figure


def thin(times: Values, values: Values) -> tuple[Values, Values]:
    """At most MOST_POINTS points that look the same: the lowest and highest of each stretch."""
    if len(values) <= MOST_POINTS:
        return times, values
    step = -(-2 * len(values) // MOST_POINTS)
    whole = len(values) // step * step
    stretches = values[:whole].reshape(-1, step)
    first = np.arange(0, whole, step)
    keep = np.unique(np.concatenate([first + stretches.argmin(1), first + stretches.argmax(1), [len(values) - 1]]))
    return times[keep], values[keep]


def _line(times: Values, values: Values, name: str, colour: str, width: float) -> go.Scatter:
    return go.Scatter(x=times, y=values, name=name, mode="lines", line={"color": colour, "width": width},
                      showlegend=name != "residual")


def _ellipse(event: Event, chosen: bool) -> go.Scatter:
    """One standard deviation of the wave's energy in time and frequency, sheared along its chirp."""
    angle = np.linspace(0, 2 * np.pi, 49)
    time = event.width / np.sqrt(2) * np.cos(angle)
    spread = 1 / (2 * np.pi * event.width * np.sqrt(2))
    frequency = event.frequency + event.chirp_rate * time + spread * np.sin(angle)
    text = (f"time {event.time:.4g}<br>width {event.width:.4g}<br>frequency {event.frequency:.4g}"
            f"<br>chirp rate {event.chirp_rate:.4g}<br>amplitude {event.amplitude:.4g}")
    colour = RED if chosen else BLUE
    return go.Scatter(x=event.time + time, y=np.abs(frequency), mode="lines", fill="toself", line={"color": colour, "width": 1},
                      opacity=0.75, text=text, hoverinfo="text", hoveron="fills", showlegend=False)


def _label(name: str, unit: str) -> str:
    return name if unit in {"", "1"} else f"{name} [{unit}]"
