"""Commands on the store and the queue: signals, models, jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dredge.cli.output import AsJson, out, print_events, print_json, print_table, progress_bar, tell
from dredge.cli.targets import check_folder, find_recording, open_service, split_version
from dredge.errors import DredgeError, InvalidInput
from dredge.jobs import State

Limit = Annotated[int, typer.Option(min=1, max=500, help="Rows at the most.")]
SignalArgument = Annotated[str, typer.Argument(metavar="SIGNAL", help="Id, or the first eight or more letters of it.")]
NameArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Name, or name@version.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB")]


def add_to(app: typer.Typer) -> None:
    """Add the groups."""
    signals, models, jobs = (typer.Typer(no_args_is_help=True) for _ in range(3))
    app.add_typer(signals, name="signals", help="Recordings that are kept.")
    app.add_typer(models, name="models", help="Models that are kept.")
    app.add_typer(jobs, name="jobs", help="Background work.")
    rooms: tuple[tuple[typer.Typer, dict[str, Callable[..., None]]], ...] = (
        (signals, {"list": list_signals, "import": import_signal, "show": show_signal, "delete": delete_signal}),
        (models, {"list": list_models, "show": show_model, "versions": versions, "export": export_model,
                  "import": import_model, "compare": compare, "delete": delete_model}),
        (jobs, {"list": list_jobs, "show": show_job, "fit": fit, "follow": follow, "cancel": cancel}),
    )
    for group, commands in rooms:
        for name, command in commands.items():
            group.command(name)(command)


def list_signals(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List recordings."""
    page = open_service().signals(limit=limit)
    if as_json:
        print_json(page.items)
        return
    print_table(["id", "name", "samples", "channels", "unit"],
                [(r.id[:12], r.name, r.samples, len(r.channels), r.unit) for r in page.items],
                empty="No recordings yet. Try: dredge signals import FILE")


def import_signal(
    file: Annotated[str, typer.Argument(metavar="FILE")],
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    format: Annotated[str | None, typer.Option(help="Format, when the file's name does not tell.")] = None,
    sample_rate: Annotated[float | None, typer.Option(help="Hertz; wins over what the file says.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the samples.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel; may be given again.")] = None,
    gaps: Annotated[Literal["refuse", "interpolate"], typer.Option(help="What to do with missing samples.")] = "refuse",
    as_json: AsJson = False,
) -> None:
    """Keep a recording."""
    record = open_service().import_signal(find_recording(file), name=name, format=format, sample_rate=sample_rate, unit=unit,
                                          channels=channel, gaps=gaps)
    tell(as_json, record.model_dump(mode="json"), f"{record.name}: {record.samples:,} samples, id {record.id}")


def show_signal(signal: SignalArgument, as_json: AsJson = False) -> None:
    """Describe a recording."""
    _show(open_service().signal_record(signal), as_json)


def delete_signal(signal: SignalArgument, as_json: AsJson = False) -> None:
    """Forget a recording; models made from it stay."""
    service = open_service()
    record = service.signal_record(signal)
    service.delete_signal(record.id)
    tell(as_json, {"deleted": record.id}, f"Forgot {record.name}.")


def list_models(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List models at their newest version."""
    page = open_service().models(limit=limit)
    if as_json:
        print_json(page.items)
        return
    print_table(["name", "version", "kind", "waves", "numbers", "SNR dB"],
                [(r.name, r.version, r.kind, r.waves, r.numbers, r.scores.get("snr_db")) for r in page.items],
                empty="No models yet. Try: dredge jobs fit SIGNAL")


def show_model(model: NameArgument, as_json: AsJson = False) -> None:
    """Describe a model and list its waves."""
    service, (name, version) = open_service(), split_version(model)
    record = service.model(name, version)
    rows = service.events(name, version) if record.kind == "wavefield" else []
    if as_json:
        print_json({**record.model_dump(mode="json"), "events": [asdict(row) for row in rows]})
        return
    _show(record, False)
    if rows:
        print_events(rows, record.axes[0].unit, record.unit)


def versions(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: AsJson = False) -> None:
    """List the versions of a model."""
    records = open_service().versions(name)
    if as_json:
        print_json(records)
        return
    print_table(["version", "created", "waves", "SNR dB", "made by"],
                [(r.version, f"{r.created:%Y-%m-%d %H:%M}", r.waves, r.scores.get("snr_db"), r.software) for r in records],
                empty="No versions.")


def export_model(model: NameArgument, output: Annotated[Path, typer.Argument(metavar="FILE")],
                 as_json: AsJson = False) -> None:
    """Write a model to a safetensors file."""
    name, version = split_version(model)
    check_folder(output, "file")
    output.write_bytes(open_service().model_file(name, version))
    tell(as_json, {"file": str(output)}, f"Wrote {output}.")


def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    as_json: AsJson = False,
) -> None:
    """Keep a model from a safetensors file."""
    if not file.is_file():
        raise InvalidInput(f"There is no file {file}.", field="file")
    record = open_service().import_model(name, file.read_bytes())
    tell(as_json, record.model_dump(mode="json"), f"{record.name}, version {record.version}: {record.waves} waves.")


def compare(first: NameArgument, second: NameArgument, as_json: AsJson = False) -> None:
    """Set two models side by side."""
    (a, a_version), (b, b_version) = split_version(first), split_version(second)
    found = open_service().compare(a, b, first_version=a_version, second_version=b_version)
    if as_json:
        print_json({"first": found.first, "second": found.second, "points": found.points, "difference": found.difference,
                    "first_error": found.first_error, "second_error": found.second_error})
        return
    print_table(["model", "version", "waves", "numbers", "error"],
                [(r.name, r.version, r.waves, r.numbers, error)
                 for r, error in ((found.first, found.first_error), (found.second, found.second_error))], empty="")
    out.print(f"They differ by {found.difference:.4g} (mean square) on {found.points:,} points.", highlight=False)


def delete_model(model: NameArgument, as_json: AsJson = False) -> None:
    """Forget a model, or name@version only that version."""
    name, version = split_version(model)
    open_service().delete_model(name, version)
    tell(as_json, {"deleted": name, "version": version}, f"Forgot {model}.")


def list_jobs(
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    page = open_service().jobs(state=state, limit=limit)
    if as_json:
        print_json(page.items)
        return
    print_table(["id", "kind", "state", "done", "what"], [_job_row(job) for job in page.items], empty="No jobs yet.")


def show_job(job: JobArgument, as_json: AsJson = False) -> None:
    """Describe a job."""
    _show(open_service().job(job), as_json)


def fit(
    signal: SignalArgument,
    waves: Annotated[int | None, typer.Option(help="So many waves.")] = None,
    numbers: Annotated[int | None, typer.Option(help="As many waves as so many numbers hold.")] = None,
    target_error: Annotated[float | None, typer.Option(help="Stop at this mean square error.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the held-out samples.")] = 0,
    edge: Annotated[bool, typer.Option("--edge", help="Fit the sharpness of edges too.")] = False,
    hold_out: Annotated[float, typer.Option(help="Keep this fraction of samples back.")] = 0.0,
    channel: Annotated[str, typer.Option(help="Channel, by name or number.")] = "0",
    model: Annotated[str | None, typer.Option(help="Name of the model.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit a kept recording in the background; a worker has to be running (dredge up, or dredge worker)."""
    from dredge.analysis import make_options

    service = open_service()
    options = make_options({"waves": waves, "numbers": numbers, "target_error": target_error, "seconds": seconds,
                            "seed": seed, "edge": edge, "hold_out": hold_out})
    job = service.submit_fit(signal, options, model=model, channel=channel)
    _after(service, job, wait, as_json)


def follow(job: JobArgument, as_json: AsJson = False) -> None:
    """Watch a job until it has ended."""
    service = open_service()
    _after(service, service.job(job), True, as_json)


def cancel(job: JobArgument, as_json: AsJson = False) -> None:
    """Cancel a job that waits or runs."""
    _show(open_service().cancel_job(job), as_json)


def _after(service: Any, job: Any, wait: bool, as_json: bool) -> None:
    if wait:
        with progress_bar(f"{job.kind} {job.id[:8]}", quiet=as_json) as report:
            for now in service.follow_job(job.id):
                report(now.progress.fraction, now.progress.message or now.progress.stage or now.state)
                job = now
    _show(job, as_json)
    if wait and job.state != "done":
        raise DredgeError(f"The job {job.id} ended as {job.state}: {job.reason or 'no reason is known'}.")


def _job_row(job: Any) -> tuple[Any, ...]:
    what = job.reason or (f"{job.result['model']}@{job.result['version']}" if job.result and "model" in job.result else
                          job.progress.message or "")
    return job.id, job.kind, job.state, f"{job.progress.fraction:.0%}", what


def _show(record: Any, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    values = record.model_dump(mode="json")
    width = max(map(len, values))
    for name, value in values.items():
        if value not in (None, {}, [], "") and name != "report":
            sys.stdout.write(f"{name:<{width}}  {_words(value)}\n")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
