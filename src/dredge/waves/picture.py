"""Pictures of a field: its values beside the samples, its waves, what they leave, and where they lie.

Figures are made without pyplot, so that they need no display, keep no global state and may be drawn in any thread.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput, MissingExtra
from dredge.waves.evaluate import evaluate, evaluate_grid
from dredge.waves.events import Event, events
from dredge.waves.field import AxisLabel, WaveField

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]

# Okabe and Ito's colours for all kinds of sight, without black and yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MODEL, SAMPLES, RESIDUAL = "#0072B2", "#9A9A9A", "#555555"
STYLE: dict[str, Any] = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "axes.titlelocation": "left", "axes.spines.top": False,
    "axes.spines.right": False, "axes.linewidth": 0.8, "axes.edgecolor": "#666666", "xtick.color": "#444444",
    "ytick.color": "#444444", "legend.frameon": False, "figure.facecolor": "white", "svg.hashsalt": "dredge"}
COLUMNS = 2000  # points of a curve: more than a screen shows
MOST_CURVES = 60  # waves drawn one by one; the strongest when there are more
FAINT = 0.02  # waves below this part of the strongest amplitude do not stretch the frequency axis
MOST_EVALUATED = 1 << 20  # samples of which the residual is computed


def draw(field: WaveField, samples: Any = None, coordinates: Any = None, title: str | None = None) -> Figure:
    """A figure of a field, beside the samples it stands for when they are given.

    In one dimension, samples [N] at coordinates [N] (by default evenly over the field's domain): samples and model, the
    waves one by one, the residual, and the time-frequency plane, where each wave is the ellipse on which its Wigner
    distribution has fallen to 1/e, with a line for its frequency as it rises or falls. In several dimensions, samples
    [n1, …, nd] at one array of coordinates per axis: slices through the strongest wave. Raises InvalidInput when samples and
    coordinates do not fit, MissingExtra without matplotlib.
    """
    if not isinstance(field, WaveField):
        kind = getattr(field, "kind", type(field).__name__)
        raise InvalidInput(f"A {kind} model has no picture.", field="model", hint="Convert it to the general form.")
    matplotlib = _matplotlib()
    given = None if samples is None else _numbers(samples, "samples")
    if given is not None and given.ndim != field.dimension:
        raise InvalidInput(f"Samples have {given.ndim} axes, the field {field.dimension}.", field="samples")
    with matplotlib.rc_context(STYLE):
        if field.dimension == 1:
            return _line_figure(field, given, coordinates, title)
        return _slices_figure(field, given, coordinates, title)


def png(figure: Figure, *, dpi: int = 144) -> bytes:
    """The figure as a PNG file."""
    return _file(figure, "png", {"Software": None}, dpi)


def svg(figure: Figure) -> bytes:
    """The figure as an SVG file; the same figure gives the same bytes."""
    return _file(figure, "svg", {"Date": None, "Creator": None}, 144)


def _file(figure: Figure, kind: Literal["png", "svg"], metadata: dict[str, None], dpi: int) -> bytes:
    out = io.BytesIO()
    with _matplotlib().rc_context(STYLE):
        figure.savefig(out, format=kind, metadata=metadata, dpi=dpi)
    return out.getvalue()


# One dimension


def _line_figure(field: WaveField, samples: Array | None, coordinates: Any, title: str | None) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    first, last = (float(v) for v in field.domain[0])
    if samples is not None:
        at = np.linspace(first, last, samples.size) if coordinates is None else _numbers(coordinates, "coordinates")
        if at.shape != samples.shape or at.size == 0:
            raise InvalidInput(f"There are {at.size} coordinates for {samples.size} samples.", field="coordinates")
        first, last = float(at.min()), float(at.max())
    if last <= first:
        first, last = first - 0.5, first + 0.5
    grid = np.linspace(first, last, COLUMNS)
    rows = events(field, sort="time")
    colours = {event.index: COLOURS[i % len(COLOURS)] for i, event in enumerate(rows)}
    shown = sorted(rows, key=lambda event: -event.amplitude)[:MOST_CURVES]

    heights = [2.2, 1.5, 1.9] if samples is None else [2.2, 1.5, 0.9, 1.9]
    figure = Figure(figsize=(8.4, sum(heights) + 0.5), layout=ConstrainedLayoutEngine(w_pad=0.1))
    panels = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
    value_label = _label("value", field.unit)

    values = panels[0]
    if samples is not None:
        values.plot(*_thinned(at, samples), color=SAMPLES, linewidth=2.2, label=f"{samples.size:,} samples",
                    solid_joinstyle="round")
    values.plot(grid, evaluate(field, grid), color=MODEL, linewidth=1.0,
                label=f"{len(field)} wave{'' if len(field) == 1 else 's'}, {field.numbers} numbers")
    values.set_ylabel(value_label)
    values.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1)
    values.set_title(title or "Samples and model" if samples is not None else title or "Model", fontweight="bold")

    _draw_waves(panels[1], field, shown, colours, grid)
    panels[1].set_ylabel(value_label)
    panels[1].set_title("The waves one by one" if len(shown) == len(rows) else f"The {len(shown)} strongest waves")

    if samples is not None:
        _draw_residual(panels[2], field, at, samples)
        panels[2].set_ylabel(value_label)
    _draw_plane(panels[-1], rows, colours, field.axes[0])
    panels[-1].set_xlabel(_label(field.axes[0].name, field.axes[0].unit))
    panels[-1].set_xlim(first, last)
    figure.align_ylabels(panels)
    return figure


def _draw_waves(panel: Axes, field: WaveField, shown: Sequence[Event], colours: dict[int, str], grid: Array) -> None:
    for event in reversed(shown):
        one = field.take([event.index])
        # A short wave gets its own points: those of the whole axis may be too far apart for it.
        turns = 8 * event.width * (event.frequency + 4 * abs(event.chirp_rate) * event.width)
        count = int(np.clip(20 * turns, 200, 4000))
        near = np.linspace(event.time - 4 * event.width, event.time + 4 * event.width, count)
        near = near[(near >= grid[0]) & (near <= grid[-1])]
        curve = evaluate(one, near) - float(field.bias)
        panel.plot(near, curve, color=colours[event.index], linewidth=1.0)
    panel.axhline(0, color=SAMPLES, linewidth=0.5, zorder=0)


def _draw_residual(panel: Axes, field: WaveField, at: Array, samples: Array) -> None:
    stride = -(-samples.size // MOST_EVALUATED)
    at, samples = at[::stride], samples[::stride]
    residual = samples - evaluate(field, at)
    power, left = float(np.mean((samples - samples.mean()) ** 2)), float(np.mean(residual**2))
    note = f", {10 * np.log10(power / left):.1f} dB below the samples" if left > 0 and power > 0 else ""
    panel.plot(*_thinned(at, residual), color=RESIDUAL, linewidth=0.8)
    panel.axhline(0, color=SAMPLES, linewidth=0.5, zorder=0)
    panel.set_title(f"Residual, samples − model{note}")


def _draw_plane(panel: Axes, rows: Sequence[Event], colours: dict[int, str], axis: AxisLabel) -> None:
    """Each wave as the ellipse u²/σ² + (2πσ)² (f − f₀ − c u)² = 1 and the line f₀ + c u inside it."""
    panel.set_ylabel(_label("frequency", _per(axis.unit)))
    panel.set_title("Where the waves lie in time and frequency" if axis.name == "time" else "Where the waves lie")
    strongest = max((event.amplitude for event in rows), default=0.0)
    turn = np.linspace(0, 2 * np.pi, 121)
    top = 0.0
    for event in rows:
        u = event.width * np.cos(turn)
        ridge = event.frequency + event.chirp_rate * u
        edge = ridge + np.sin(turn) / (2 * np.pi * event.width)
        strength = event.amplitude / strongest if strongest > 0 else 0.0
        colour = colours[event.index]
        panel.fill(event.time + u, edge, facecolor=colour, alpha=0.08 + 0.42 * strength, linewidth=0)
        panel.plot(event.time + u, edge, color=colour, linewidth=0.9)
        panel.plot(event.time + u[:61], ridge[:61], color=colour, linewidth=1.4)
        if strength >= FAINT:
            top = max(top, float(edge.max()))
    panel.set_ylim(0, 1.06 * top if top > 0 and np.isfinite(top) else 1.0)
    panel.grid(color="#E6E6E6", linewidth=0.6)
    panel.set_axisbelow(True)


def _thinned(at: Array, values: Array) -> tuple[Array, Array]:
    """A curve with the least and the greatest value of each column where there are more samples than columns."""
    per_column = values.size // COLUMNS
    if per_column < 4:
        return at, values
    whole = values[: values.size // per_column * per_column].reshape(-1, per_column)
    start = np.arange(len(whole)) * per_column
    picks = np.sort(np.stack([start + whole.argmin(1), start + whole.argmax(1)], 1), axis=1).ravel()
    return at[picks], values[picks]


# Several dimensions


def _slices_figure(field: WaveField, samples: Array | None, coordinates: Any, title: str | None) -> Figure:
    from matplotlib.figure import Figure

    axes = _grid_axes(field, samples, coordinates)
    strongest = max(field, key=lambda wave: wave.amplitude, default=None)
    middle = np.mean(field.domain.detach().cpu().numpy(), 1) if strongest is None else strongest.centre
    nearest = [int(np.abs(axis - place).argmin()) for axis, place in zip(axes, middle, strict=True)]
    pairs = list(combinations(range(field.dimension), 2))[:3]
    columns = ["model"] if samples is None else ["samples", "model", "residual"]
    figure = Figure(figsize=(3.6 * len(columns) + 0.8, 2.9 * len(pairs) + 0.5), layout="constrained")
    panels = figure.subplots(len(pairs), len(columns), squeeze=False)
    for row, (i, j) in zip(panels, pairs, strict=True):
        cut = [axis if k in (i, j) else axis[nearest[k], None] for k, axis in enumerate(axes)]
        model = evaluate_grid(field, cut).reshape(axes[i].size, axes[j].size)
        images = {"model": model}
        if samples is not None:
            place = tuple(slice(None) if k in (i, j) else nearest[k] for k in range(field.dimension))
            images |= {"samples": samples[place], "residual": samples[place] - model}
        # One scale of colours for the row, even around zero, so that panels compare at a glance.
        limit = max(float(np.abs(image).max()) for image in images.values()) or 1.0
        for panel, column in zip(row, columns, strict=True):
            mesh = panel.pcolormesh(axes[j], axes[i], images[column], cmap="RdBu_r", vmin=-limit, vmax=limit,
                                    shading="nearest", rasterized=True)
            if column == "model":
                _outline(panel, field, i, j)
            panel.set(xlabel=_label(field.axes[j].name, field.axes[j].unit), xlim=(axes[j].min(), axes[j].max()),
                      ylabel=_label(field.axes[i].name, field.axes[i].unit), ylim=(axes[i].min(), axes[i].max()))
            panel.set_title(column.capitalize() + _where(field, axes, nearest, (i, j)))
        figure.colorbar(mesh, ax=list(row), label=_label("value", field.unit), shrink=0.9)
    if title:
        figure.suptitle(title, fontweight="bold", x=0.01, ha="left")
    return figure


def _outline(panel: Axes, field: WaveField, i: int, j: int) -> None:
    """The curve |L u| = 1 of the strongest waves in the plane of two axes, through their centres."""
    turn = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    for wave in sorted(field, key=lambda wave: -wave.amplitude)[:MOST_CURVES]:
        plane = wave.shape[:, [i, j]]
        scales, directions = np.linalg.eigh(plane.T @ plane)
        if scales[0] > 0:
            u = directions @ (circle / np.sqrt(scales)[:, None])
            panel.plot(wave.centre[j] + u[1], wave.centre[i] + u[0], color="black", linewidth=0.6, alpha=0.6)


def _grid_axes(field: WaveField, samples: Array | None, coordinates: Any) -> list[Array]:
    shape = samples.shape if samples is not None else (200,) * field.dimension
    if coordinates is None:
        ends = field.domain.detach().cpu().double().tolist()
        return [np.linspace(low, high if high > low else low + 1, n) for (low, high), n in zip(ends, shape, strict=True)]
    axes = [_numbers(axis, "coordinates") for axis in coordinates]
    sizes = tuple(axis.size for axis in axes)
    if len(sizes) != field.dimension or (samples is not None and sizes != shape) or 0 in sizes:
        raise InvalidInput(f"There are {list(sizes)} coordinates for {list(shape)} samples.", field="coordinates")
    return axes


def _where(field: WaveField, axes: Sequence[Array], nearest: Sequence[int], pair: tuple[int, int]) -> str:
    rest = [f"{field.axes[k].name} = {axes[k][nearest[k]]:.3g}" for k in range(field.dimension) if k not in pair]
    return f" at {', '.join(rest)}" if rest else ""


# Words


def _label(name: str, unit: str) -> str:
    return name.capitalize() if unit in ("1", "") else f"{name.capitalize()} ({unit})"


def _per(unit: str) -> str:
    return {"s": "Hz", "ms": "kHz", "us": "MHz", "µs": "MHz", "1": "1/sample", "": "1/sample"}.get(unit, f"1/{unit}")


def _numbers(values: Any, name: str) -> Array:
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        raise InvalidInput(f"{name.capitalize()} are rows of different lengths.", field=name) from None
    if array.dtype.kind not in "fiu" or not bool(np.isfinite(array).all()):
        raise InvalidInput(f"{name.capitalize()} are finite numbers.", field=name)
    return array.astype(np.float64)


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise MissingExtra("Pictures need matplotlib.", hint="pip install matplotlib") from None
    return matplotlib
