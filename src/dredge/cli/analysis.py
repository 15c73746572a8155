"""Commands that work on files, with no server running: fit, lift, events, evaluate, plot."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dredge.cli.output import AsJson, out, print_events, print_json, progress_bar, tell
from dredge.cli.targets import check_folder, find_model, find_recording, open_service, split_version
from dredge.errors import InvalidInput

Recording = Annotated[str, typer.Argument(metavar="FILE", help="A recording, or example:ecg, example:seismogram.")]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A .safetensors file, or a stored name or name@version.")]
Waves = Annotated[int | None, typer.Option(help="So many waves; by default as many as the recording justifies.")]
Numbers = Annotated[int | None, typer.Option(help="As many waves as so many stored numbers hold.")]
TargetError = Annotated[float | None, typer.Option(help="Stop at this mean square error.")]
Seconds = Annotated[float | None, typer.Option(help="Stop after so long, with the best so far.")]
Seed = Annotated[int, typer.Option(help="Chooses the held-out samples.")]
Edge = Annotated[bool, typer.Option("--edge", help="Fit the sharpness of edges too.")]
HoldOut = Annotated[float, typer.Option(help="Keep this fraction of samples back, to judge by.")]
Channel = Annotated[str, typer.Option(help="Channel, by name or number.")]
SampleRate = Annotated[float | None, typer.Option(help="Hertz; wins over what the file says.")]
Unit = Annotated[str | None, typer.Option(help="Unit of the samples, such as mV.")]
Format = Annotated[str | None, typer.Option(help="Format, when the file's name does not tell.")]
Gaps = Annotated[Literal["refuse", "interpolate"], typer.Option(help="What to do with missing samples.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: dredge fit ecg.csv --waves 12 --output ecg.safetensors --plot ecg.png")(fit)
    app.command(epilog="Example: dredge lift example:ecg --json")(lift)
    app.command(epilog="Example: dredge events ecg.safetensors --sort energy")(events)
    app.command(epilog="Example: dredge evaluate ecg.safetensors --grid 0:2.8:1000 --output values.csv")(evaluate)
    app.command(epilog="Example: dredge plot example-ecg --output ecg.png")(plot)


def fit(
    file: Recording,
    waves: Waves = None,
    numbers: Numbers = None,
    target_error: TargetError = None,
    seconds: Seconds = None,
    seed: Seed = 0,
    edge: Edge = False,
    hold_out: HoldOut = 0.0,
    channel: Channel = "0",
    sample_rate: SampleRate = None,
    unit: Unit = None,
    format: Format = None,
    gaps: Gaps = "refuse",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the model here (safetensors).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw a picture here (.png or .svg).")] = None,
    as_json: AsJson = False,
) -> None:
    """Turn a recording into waves."""
    options = {"waves": waves, "numbers": numbers, "target_error": target_error, "seconds": seconds, "seed": seed,
               "edge": edge, "hold_out": hold_out}
    _lift(file, options, channel, {"sample_rate": sample_rate, "unit": unit, "format": format, "gaps": gaps}, output, plot,
          as_json)


def lift(file: Recording, as_json: AsJson = False) -> None:
    """Turn a recording into waves with no options: `fit` in one word."""
    _lift(file, {}, "0", {}, None, None, as_json)


def _lift(file: str, options: dict[str, Any], channel: str, reading: dict[str, Any], output: Path | None, plot: Path | None,
          as_json: bool) -> None:
    from dredge.analysis import Lift, error_between_samples, fit_signal, make_options
    from dredge.settings import Settings
    from dredge.signals import read

    _check_picture(plot)
    check_folder(output, "output")
    chosen = make_options(options)
    signal = read(find_recording(file), max_samples=Settings.load().max_samples, **reading)
    which: str | int = channel if channel in signal.channels or not channel.isdigit() else int(channel)
    with progress_bar(f"fitting {signal.name}", quiet=as_json) as report:
        result = fit_signal(signal, chosen, channel=which,
                            progress=lambda p: report(p.fraction, f"{p.stage}: {p.waves} waves"))
    lifted = Lift(signal, result.field, result.report)
    if output is not None:
        result.field.save(output)
    if plot is not None:
        _save_figure(result.field.plot(signal.channel(which), coordinates=signal.axes[0].coordinates, title=signal.name), plot)
    between = error_between_samples(signal, result.field, which)
    if as_json:
        print_json({"signal": {"id": signal.sha256, "name": signal.name, "samples": signal.axes[0].size},
                    "report": {**asdict(result.report), "between_error": between},
                    "events": [asdict(event) for event in lifted.events]})
        return
    print_events(lifted.events, signal.axes[0].unit, signal.unit)
    told = result.report
    snr = "exact" if told.snr_db is None else f"SNR {told.snr_db:.1f} dB"
    out.print(f"\n{signal.name}: {signal.axes[0].size:,} samples, {told.waves} waves, {told.numbers} numbers, {snr}, "
              f"{told.seconds:.1f} s; {told.stopped_because}.", highlight=False, soft_wrap=True)


def events(
    model: ModelArgument,
    sort: Annotated[Literal["time", "energy", "amplitude", "frequency"], typer.Option(help="Order.")] = "time",
    descending: Annotated[bool, typer.Option("--descending", help="Largest first.")] = False,
    strongest: Annotated[int | None, typer.Option(min=1, help="Only so many, the strongest by energy.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the waves of a model."""
    from dredge.waves import events as list_events

    field = find_model(model)
    rows = list_events(field, sort="energy", descending=True)[:strongest]
    rows.sort(key=lambda event: getattr(event, sort), reverse=descending)
    if as_json:
        print_json([asdict(event) for event in rows])
    else:
        print_events(rows, field.axes[0].unit, field.unit)


def evaluate(
    model: ModelArgument,
    at: Annotated[str | None, typer.Option(help="Points, separated by commas; coordinates of a point by colons.")] = None,
    grid: Annotated[str | None, typer.Option(help="start:stop:count for each axis, separated by commas.")] = None,
    points: Annotated[Path | None, typer.Option(help="An NPY or CSV file of points.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write values here (.npy or .csv).")] = None,
    as_json: AsJson = False,
) -> None:
    """Values of a model, at any coordinate."""
    import numpy as np

    from dredge.waves import evaluate as values_at
    from dredge.waves import evaluate_grid

    if sum(given is not None for given in (at, grid, points)) != 1:
        raise InvalidInput("Say where: one of --at, --grid and --points.", field="at")
    if output is not None and output.suffix.lower() not in (".npy", ".csv"):
        raise InvalidInput(f"Values are written as .npy or .csv, not {output.name!r}.", field="output")
    check_folder(output, "output")
    field = find_model(model)
    if grid is not None:
        values = evaluate_grid(field, [np.linspace(*axis) for axis in _read_grid(grid)])
    else:
        values = values_at(field, _read_points(at, points))
    if output is not None:
        _write_values(values, output)
    if as_json:
        print_json({"values": values})
    elif output is None:
        print("\n".join(repr(float(value)) for value in np.ravel(values)))


def plot(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture (.png or .svg).")] = Path("dredge.png"),
    recording: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the samples of this recording too.")] = None,
    channel: Channel = "0",
    as_json: AsJson = False,
) -> None:
    """Draw a model: samples, residual, and the waves in time and frequency."""
    from dredge.signals import read

    _check_picture(output)
    if not Path(model).is_file() and recording is None and not model.endswith(".safetensors"):
        name, version = split_version(model)
        kind: Any = output.suffix.lstrip(".").lower()
        output.write_bytes(open_service().plot(name, version, format=kind))
    else:
        field = find_model(model)
        if recording is None:
            figure = field.plot(title=Path(model).stem)
        else:
            signal = read(find_recording(recording))
            figure = field.plot(signal.channel(int(channel) if channel.isdigit() else channel),
                                coordinates=signal.axes[0].coordinates, title=signal.name)
        _save_figure(figure, output)
    tell(as_json, {"file": str(output)}, f"Wrote {output}.")


def _check_picture(path: Path | None) -> None:
    if path is not None and path.suffix.lower() not in (".png", ".svg"):
        raise InvalidInput(f"A picture is a .png or .svg file, not {path.name!r}.", field="plot")
    check_folder(path, "plot")


def _save_figure(figure: Any, path: Path) -> None:
    from dredge.waves import png, svg

    path.write_bytes(svg(figure) if path.suffix.lower() == ".svg" else png(figure))


def _read_grid(text: str) -> list[tuple[float, float, int]]:
    axes = []
    for part in text.split(","):
        try:
            start, stop, count = part.split(":")
            axes.append((float(start), float(stop), int(count)))
        except ValueError:
            raise InvalidInput(f"{part!r} is not start:stop:count.", field="grid", hint="Try --grid 0:2.8:1000.") from None
        if not 1 <= axes[-1][2] <= 10**8:
            raise InvalidInput(f"{axes[-1][2]} points cannot be evaluated on one axis.", field="grid")
    return axes


def _read_points(at: str | None, file: Path | None) -> Any:
    from dredge.signals import read

    if at is not None:
        try:
            rows = [[float(number) for number in point.split(":")] for point in at.split(",")]
        except ValueError:
            raise InvalidInput(f"{at!r} is not a list of numbers.", field="at", hint="For example --at 0.1,0.2.") from None
        return rows if len(rows[0]) > 1 else [row[0] for row in rows]
    assert file is not None
    signal = read(file)
    return signal.samples[0] if len(signal.channels) == 1 else signal.samples.T


def _write_values(values: Any, path: Path) -> None:
    import numpy as np

    if path.suffix.lower() == ".npy":
        np.save(path, values)
    else:
        np.savetxt(path, np.reshape(values, (len(values), -1)) if np.ndim(values) > 1 else values, delimiter=",", fmt="%.17g")
