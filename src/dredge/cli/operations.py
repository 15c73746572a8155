"""Commands of the operator: config, doctor, backup, restore, keys, bench."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from dredge.cli.output import AsJson, err, print_json, print_table, progress_bar, tell
from dredge.errors import InvalidInput
from dredge.settings import Settings, describe


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: dredge config --json")(config)
    app.command(epilog="Example: dredge doctor")(doctor)
    app.command(epilog="Example: dredge backup dredge.tar")(backup)
    app.command(epilog="Example: dredge restore dredge.tar")(restore)
    app.command(epilog="Example: dredge bench --url http://localhost:3001")(bench)
    app.command("secrets", epilog="Example: dredge secrets /secrets --show")(make_secrets)
    keys = typer.Typer(no_args_is_help=True)
    keys.command("new", epilog="Example: dredge keys new alice --scope read --scope write")(new_key)
    app.add_typer(keys, name="keys", help="API keys.")


def config(
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/settings.md.")] = False,
) -> None:
    """Show every setting, its value and what it is for."""
    if markdown:
        print(_page(), end="")
        return
    rows = describe(Settings.load())
    if as_json:
        print_json(rows)
    else:
        print_table(["name", "value", "help"], [(row["name"], row["value"], row["help"]) for row in rows], empty="")


def _page() -> str:
    lines = ["# Settings", "",
             "Each is an environment variable, or a line of a `.env` file in the working folder. A secret may also be given as",
             "a file whose path is in `NAME_FILE`. `dredge config` shows the values in force. This page is made by",
             "`dredge config --markdown`.", "", "| name | type | default | what for |", "|---|---|---|---|"]
    for row in describe(Settings.load()):
        kind = str(row["type"]).replace("|", "\\|")
        default = f"`{row['default']}`" if row["default"] else ""
        lines.append(f"| `{row['name']}` | {kind} | {default} | {row['help']} |")
    return "\n".join(lines) + "\n"


def doctor(as_json: AsJson = False) -> None:
    """Say what is there, what is missing, and how to get it. Exit status 1 when something needed is missing."""
    from dredge.cli.examination import examine

    findings = examine(Settings.load())
    if as_json:
        print_json([{"part": f.part, "state": f.state, "found": f.found, "remedy": f.remedy} for f in findings])
    else:
        print_table(["part", "state", "found", "to do"], [(f.part, f.state, f.found, f.remedy) for f in findings], empty="")
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tar file to write; - is stdout.")],
           as_json: AsJson = False) -> None:
    """Copy the whole store into one file. It may be in use meanwhile."""
    from dredge.cli.archive import STANDARD, write_archive
    from dredge.store import Store

    with progress_bar("backup", quiet=as_json) as report:
        count, size = write_archive(Store.open(Settings.load().store_url), file, report)
    words = f"Wrote {count} objects, {size:,} bytes, to {'standard output' if file == STANDARD else file}."
    if file == STANDARD:  # stdout is the archive
        err.print(words, highlight=False, soft_wrap=True)
    else:
        tell(as_json, {"file": str(file), "objects": count, "bytes": size}, words)


def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tar file of `dredge backup`; - is stdin.")],
            as_json: AsJson = False) -> None:
    """Put the objects of a backup into the store. What is there already stays as it is."""
    from dredge.cli.archive import read_archive
    from dredge.store import Store

    with progress_bar("restore", quiet=as_json) as report:
        count, size = read_archive(Store.open(Settings.load().store_url), file, report)
    tell(as_json, {"file": str(file), "objects": count, "bytes": size}, f"Restored {count} objects, {size:,} bytes.")


def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who will use it.")],
    scope: Annotated[list[str] | None, typer.Option(help="read, write or admin; may be given again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print the entry for DREDGE_API_KEYS; it is shown only now."""
    from dredge.access import SCOPES

    scopes = scope or ["read"]
    if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 64:
        raise InvalidInput(f"{name!r} cannot name a key.", field="name", hint="Use letters, digits, - and _.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise InvalidInput(f"There is no scope {unknown[0]!r}.", field="scope", hint=f"Choose from {', '.join(SCOPES)}.")
    key = secrets.token_urlsafe(32)
    entry = f"{name}:{'+'.join(scopes)}:{key}"
    if as_json:
        print_json({"name": name, "scopes": scopes, "key": key, "entry": entry})
        return
    print(entry)
    err.print("Add this to DREDGE_API_KEYS (entries are separated by commas), or to the file of DREDGE_API_KEYS_FILE.\n"
              f"Callers send: Authorization: Bearer {key}", highlight=False, soft_wrap=True)


def make_secrets(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where they are kept.")],
    show: Annotated[bool, typer.Option("--show", help="Print the API key and Grafana's password.")] = False,
) -> None:
    """Make the secrets of a deployment, once: API key, passwords of Redis and Grafana."""
    from dredge.cli import secrets as files

    settings = Settings.load()
    files.make_secrets(folder, grafana_password=settings.grafana_password.get_secret_value(),
                       say=lambda words: err.print(words, highlight=False, soft_wrap=True))
    if show:
        print(f"API key           {(folder / 'api/keys').read_text().strip().rpartition(':')[2]}")
        print(f"Grafana password  {(folder / 'grafana/password').read_text().strip()}")


def bench(
    url: Annotated[str | None, typer.Option(help="A running server; without one, evaluation in this process.")] = None,
    model: Annotated[str, typer.Option(help="Stored model that the server is asked for.")] = "example-ecg",
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long to measure each row.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Measure evaluation: points × waves a second in this process, or requests a second of a server."""
    from dredge.cli.measuring import measure_process, measure_server

    rows = measure_server(url, model, seconds) if url else measure_process(seconds)
    if as_json:
        print_json(rows)
    else:
        print_table(list(rows[0]), [tuple(row.values()) for row in rows], empty="")
