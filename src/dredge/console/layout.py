"""What the console's page holds. Ids named here are what callbacks.py connects."""

from __future__ import annotations

from typing import Any

import dash_ag_grid
from dash import dcc, html

from dredge.service import Service

COLUMNS = [
    ("time", "time", ".4f"),
    ("width", "width", ".4f"),
    ("frequency", "frequency", ".3f"),
    ("chirp_rate", "chirp rate", ".3f"),
    ("amplitude", "amplitude", ".4g"),
    ("phase", "phase", ".2f"),
    ("energy", "energy", ".4g"),
]
MOST_LISTED = 200


def signal_options(service: Service) -> list[dict[str, str]]:
    """The recordings to choose from."""
    return [{"label": f"{record.name} ({record.samples:,} samples)", "value": record.id}
            for record in service.signals(limit=MOST_LISTED).items]


def model_options(service: Service) -> list[dict[str, str]]:
    """The models to choose from."""
    return [{"label": f"{record.name} ({record.waves} waves)", "value": record.name}
            for record in service.models(limit=MOST_LISTED).items if record.kind == "wavefield" and record.dimension == 1]


def page(service: Service, version: str) -> Any:
    """The whole page, with what the store holds now."""
    signals, models = signal_options(service), model_options(service)
    return html.Div(className="page", children=[
        html.Header([html.H1("DREDGE"), html.Span(f"version {version}"), html.A("HTTP interface", href="/docs")]),
        html.Main([
            html.Aside([_recording(signals), _fit(), html.P(id="message", role="status")]),
            html.Section([_model(models), _picture(), _events()]),
        ]),
        dcc.Store(id="job"),
        dcc.Interval(id="tick", interval=500, disabled=True),
        dcc.Download(id="download"),
    ])


def _recording(options: list[dict[str, str]]) -> Any:
    return html.Div(className="panel", children=[
        html.H2("Recording"),
        dcc.Dropdown(id="signal", options=options, value=options[0]["value"] if options else None, clearable=False,
                     placeholder="no recording yet"),
        dcc.Upload(id="upload", className="upload", children=html.Div(
            ["Drop a file here or ", html.A("choose one"), html.Br(), "CSV, NPY, WAV, MiniSEED, EDF, …"])),
        html.Label(["sample rate, where the file has none", dcc.Input(id="rate", type="number", min=0, placeholder="Hz")]),
    ])


def _fit() -> Any:
    return html.Div(className="panel", children=[
        html.H2("Fit"),
        html.Label(["channel", dcc.Dropdown(id="channel", clearable=False)]),
        html.Label(["waves", dcc.Input(id="waves", type="number", min=1, step=1, placeholder="as many as it takes")]),
        html.Label(["model name", dcc.Input(id="name", type="text", placeholder="like the recording")]),
        html.Div(className="buttons", children=[
            html.Button("Fit", id="fit", className="main"), html.Button("Cancel", id="cancel", disabled=True)]),
        html.Progress(id="progress", max="1", value="0"),
        html.P(id="stage"),
    ])


def _model(options: list[dict[str, str]]) -> Any:
    return html.Div(className="bar", children=[
        dcc.Dropdown(id="model", options=options, value=options[0]["value"] if options else None, clearable=False,
                     placeholder="no model yet"),
        dcc.Dropdown(id="version", clearable=False, placeholder="version"),
        html.Span(id="scores"),
    ])


def _picture() -> Any:
    return dcc.Loading(dcc.Graph(id="picture", config={"displaylogo": False, "responsive": True}), delay_show=400)


def _events() -> Any:
    return html.Div([
        html.Div(className="bar", children=[
            html.H2("Waves"), html.Span("Tick waves to see them alone."), html.Button("CSV", id="csv")]),
        dash_ag_grid.AgGrid(
            id="events", columnSize="sizeToFit", getRowId="String(params.data.index)", rowData=[],
            columnDefs=[{"field": key, "headerName": label, "valueFormatter": {"function": f"d3.format('{form}')(params.value)"}}
                        for key, label, form in COLUMNS],
            defaultColDef={"type": "rightAligned", "sortable": True, "suppressMovable": True},
            dashGridOptions={"rowSelection": {"mode": "multiRow"}, "domLayout": "autoHeight", "pagination": True,
                             "paginationPageSize": 25, "paginationPageSizeSelector": False, "theme": "themeQuartz"}),
    ])
