"""What happens in the console: each function answers one thing that a person does."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

import plotly.graph_objects as go
from dash import Dash, Input, Output, State, no_update

from dredge.analysis import make_options
from dredge.console.figures import picture
from dredge.console.layout import model_options, signal_options
from dredge.errors import Conflict, DredgeError, SignalNotFound
from dredge.service import Service
from dredge.waves import WaveField

Several = tuple[Any, ...]


def register(app: Dash, service: Service) -> None:
    """Connect the page to the service."""
    _recordings(app, service)
    _fitting(app, service)
    _models(app, service)


def _recordings(app: Dash, service: Service) -> None:
    @app.callback(
        Output("signal", "options"), Output("signal", "value"), Output("message", "children", allow_duplicate=True),
        Input("upload", "contents"), State("upload", "filename"), State("rate", "value"), prevent_initial_call=True)
    def upload(contents: str, filename: str, rate: float | None) -> Several:
        data = base64.b64decode(contents.partition(",")[2])
        if len(data) > service.settings.max_upload_mb * 2**20:
            return no_update, no_update, f"The file is larger than {service.settings.max_upload_mb} MiB."
        suffix = filename.rpartition(".")[2].lower() if "." in filename else None
        try:
            record = service.import_signal(data, name=filename, format=_format_of(suffix), sample_rate=rate)
        except DredgeError as error:
            return no_update, no_update, str(error)
        return signal_options(service), record.id, f"{record.name} is here: {record.samples:,} samples."

    @app.callback(Output("channel", "options"), Output("channel", "value"), Input("signal", "value"))
    def channels(signal: str | None) -> Several:
        if signal is None:
            return [], None
        try:
            names = list(service.signal_record(signal).channels)
        except DredgeError:
            return [], None
        return names, names[0]


def _fitting(app: Dash, service: Service) -> None:
    @app.callback(
        Output("job", "data"), Output("message", "children", allow_duplicate=True),
        Input("fit", "n_clicks"), State("signal", "value"), State("channel", "value"), State("waves", "value"),
        State("name", "value"), prevent_initial_call=True)
    def fit(_: int, signal: str | None, channel: str | None, waves: int | None, name: str | None) -> Several:
        if signal is None:
            return no_update, "Choose a recording first."
        try:
            job = service.submit_fit(signal, make_options({"waves": waves}), model=name or None, channel=channel or 0)
        except DredgeError as error:
            return no_update, str(error)
        return job.id, ""

    @app.callback(
        Output("progress", "value"), Output("stage", "children"), Output("tick", "disabled"), Output("cancel", "disabled"),
        Output("fit", "disabled"), Output("model", "options"), Output("model", "value"), Output("version", "value"),
        Input("tick", "n_intervals"), Input("job", "data"), prevent_initial_call=True)
    def follow(_: int, job_id: str | None) -> Several:
        quiet = (no_update, no_update, no_update)
        if job_id is None:
            return ("0", "", True, True, False, *quiet)
        try:
            job = service.job(job_id)
        except DredgeError as error:
            return ("0", str(error), True, True, False, *quiet)
        if job.state in {"queued", "running"}:
            stage = job.progress.message or job.progress.stage or "waiting for a worker"
            return (str(job.progress.fraction), stage, False, False, True, *quiet)
        if job.state != "done" or job.result is None:
            return ("0", f"{job.state}: {job.reason or ''}", True, True, False, *quiet)
        made = job.result
        stage = f"{made['model']}, version {made['version']}: {made['waves']} waves. {made['stopped_because']}"
        return "1", stage, True, True, False, model_options(service), made["model"], made["version"]

    @app.callback(Output("message", "children", allow_duplicate=True), Input("cancel", "n_clicks"),
                  State("job", "data"), prevent_initial_call=True)
    def cancel(_: int, job_id: str | None) -> str:
        try:
            if job_id is not None:
                service.cancel_job(job_id)
        except Conflict:
            return ""  # it ended by itself in the meantime
        except DredgeError as error:
            return str(error)
        return "Cancelled."


def _models(app: Dash, service: Service) -> None:
    @app.callback(Output("version", "options"), Output("version", "value", allow_duplicate=True),
                  Input("model", "value"), State("version", "value"), prevent_initial_call="initial_duplicate")
    def versions(model: str | None, version: int | None) -> Several:
        if model is None:
            return [], None
        try:
            numbers = [record.version for record in service.versions(model)]
        except DredgeError:
            return [], None
        options = [{"label": f"version {number}", "value": number} for number in reversed(numbers)]
        return options, version if version in numbers else numbers[-1]

    @app.callback(
        Output("picture", "figure"), Output("scores", "children"), Output("events", "rowData"),
        Output("message", "children", allow_duplicate=True),
        Input("version", "value"), Input("events", "selectedRows"), State("model", "value"),
        prevent_initial_call="initial_duplicate")
    def show(version: int | None, chosen: list[dict[str, Any]] | None, model: str | None) -> Several:
        if model is None or version is None:
            return go.Figure(layout={"template": "simple_white"}), "", [], no_update
        try:
            return (*_show(service, model, version, [row["index"] for row in chosen or []]), no_update)
        except DredgeError as error:
            return no_update, no_update, no_update, str(error)

    @app.callback(Output("events", "selectedRows"), Input("version", "value"), Input("model", "value"))
    def forget_choice(*_: Any) -> list[Any]:
        return []

    @app.callback(Output("download", "data"), Input("csv", "n_clicks"), State("events", "rowData"), State("model", "value"),
                  prevent_initial_call=True)
    def download(_: int, rows: list[dict[str, Any]] | None, model: str | None) -> Any:
        if not rows:
            return no_update
        names = [name for name in rows[0] if name != "index"]
        lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
        return {"content": "\n".join(lines) + "\n", "filename": f"{model}-events.csv", "type": "text/csv"}


def _show(service: Service, model: str, version: int, chosen: list[int]) -> Several:
    record = service.model(model, version)
    field = service.load(model, version)
    if not isinstance(field, WaveField):
        raise Conflict(f"{model} is not a field of waves.")
    events = service.events(model, version)
    times, samples = None, None
    if record.signal is not None:
        try:
            signal = service.signal(record.signal)
            times, samples = signal.axes[0].coordinates, signal.channel(record.channel or 0)
        except SignalNotFound:
            pass  # the model outlives its recording
    if times is None:
        times = _spread(field)
    scores = f"{record.waves} waves, {record.numbers} numbers"
    if record.scores.get("snr_db") is not None:
        scores += f", SNR {record.scores['snr_db']:.1f} dB"
    rows = [{k: v for k, v in asdict(event).items() if isinstance(v, int | float)} for event in events]
    return picture(field, times, samples, events, chosen), scores, rows


def _spread(field: WaveField) -> Any:
    import numpy as np

    first, last = (float(v) for v in field.domain[0])
    return np.linspace(first, last, 4096)


def _format_of(suffix: str | None) -> str | None:
    from dredge.signals import FORMATS

    for name, entry in FORMATS.items():
        if suffix is not None and f".{suffix}" in entry.extensions:
            return str(name)
    return None
