"""Commands that stay: the servers, the worker, the exporter, and all of them together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dredge.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on; anything but loopback needs API keys.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]
Data = Annotated[Path | None, typer.Option(help="Folder for everything that is kept.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: dredge up --data ~/dredge")(up)
    app.command(epilog="Example: dredge serve --port 8080")(serve)
    app.command(epilog="Example: dredge mcp --stdio")(mcp)
    app.command(epilog="Example: REDIS_HOST=redis dredge worker --concurrency 4")(worker)
    app.command(epilog="Example: dredge metrics --port 9100")(metrics)
    app.command(epilog="Example: dredge certificate /etc/nginx/tls --own-pair nginx/ssl")(certificate)


def up(host: Host = None, data: Data = None) -> None:
    """Run all of DREDGE on this machine: both servers, a worker and the metrics exporter. Ctrl-C stops it."""
    from dredge.cli.supervisor import Supervisor

    Supervisor(Settings.load(dredge_host=host, dredge_data=data)).run()


def serve(host: Host = None, port: Port = None, data: Data = None) -> None:
    """Run the DREDGE server (HTTP, 3001). Where no worker is deployed it runs one of its own."""
    from dredge.cli.supervisor import own_worker

    settings = Settings.load(dredge_host=host, dredge_port=port, dredge_data=data)
    with own_worker(settings):
        from dredge.api import run

        run(settings)


def mcp(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    stdio: Annotated[bool, typer.Option("--stdio", help="Talk over stdin and stdout, for a desktop client.")] = False,
) -> None:
    """Run the Quasimoto MCP server (3002)."""
    from dredge.cli.supervisor import own_worker
    from dredge.mcp import run, run_stdio

    settings = Settings.load(dredge_host=host, mcp_port=port, dredge_data=data)
    with own_worker(settings):
        if stdio:
            run_stdio(settings)
        else:
            run(settings)


def worker(
    concurrency: Annotated[int | None, typer.Option(help="Jobs at once.")] = None,
    data: Data = None,
) -> None:
    """Run a worker, which does the background work."""
    from functools import partial

    from dredge.jobs import run_worker
    from dredge.service import job_check, job_handlers
    from dredge.telemetry import logs, tracing
    from dredge.telemetry.worker import watching

    settings = Settings.load(dredge_data=data)
    logs.configure(settings)
    tracing.configure(settings, "dredge-worker")
    run_worker(settings, job_handlers(settings), concurrency=concurrency, check=job_check(settings),
               watching=partial(watching, settings))


def metrics(host: Host = None, port: Port = None, data: Data = None) -> None:
    """Run the metrics exporter (Prometheus, 9090)."""
    from dredge.service import Service
    from dredge.telemetry import exporter, logs

    settings = Settings.load(dredge_host=host, metrics_port=port, dredge_data=data)
    logs.configure(settings)
    service = Service(settings)

    def queue() -> Mapping[str, Any]:
        depth = service.queue_depth()
        return {"queue_depth": depth.queued, "queue_oldest_seconds": depth.oldest_seconds, "jobs": depth.by_state,
                "workers": len(service.queue.workers())}

    def store() -> Mapping[str, Any]:
        usage = service.store.usage()
        return {"signals": usage.signals, "models": usage.models, "model_versions": usage.versions,
                "store_bytes": usage.bytes}

    def fits() -> Iterator[tuple[str, float, int, float]]:
        for job in service.jobs(state="done", limit=500).items:
            if job.kind == "fit" and job.result:
                yield job.id, job.result["seconds"], job.result["waves"], job.result["error_ratio"]

    collectors = [exporter.SystemCollector({"queue": queue, "store": store}), exporter.FitCollector(fits)]
    exporter.serve(settings.dredge_host, settings.metrics_port, collectors, _asked_to_stop())


def certificate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where nginx reads tls.crt and tls.key.")],
    own_pair: Annotated[Path | None, typer.Option(help="Folder with your own tls.crt and tls.key.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
) -> None:
    """Keep the certificate that nginx shows: take your own when it changes, or make one and renew it."""
    from dredge.cli.certificate import Keeper
    from dredge.telemetry import logs

    settings = Settings.load()
    logs.configure(settings)
    keeper = Keeper(folder, own_pair, [name.strip() for name in settings.tls_names.split(",") if name.strip()])
    if once:
        keeper.look()
    else:
        keeper.run(settings, _asked_to_stop())


def _asked_to_stop() -> threading.Event:
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    return stop
