"""What commands print: tables for people, JSON for programs, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]
Report = Callable[[float, str], None]

out = Console()
err = Console(stderr=True)


def print_json(value: Any) -> None:
    """A value as one indented JSON document."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.flush()
    sys.stdout.write(orjson.dumps(_plain(value), option=options).decode())
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def tell(as_json: bool, values: dict[str, Any], sentence: str) -> None:
    """What was done: values for a program, a sentence for a person."""
    if as_json:
        print_json(values)
    else:
        out.print(sentence, highlight=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
    """Rows under headings; numbers rounded for people and set right."""
    if not rows:
        out.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        number = all(isinstance(row[place], int | float) or row[place] is None for row in rows)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_events(events: Sequence[Any], axis: str, unit: str) -> None:
    """The list of waves."""
    units = [axis, axis, "Hz" if axis == "s" else f"1/{axis}", "Hz/s" if axis == "s" else f"1/{axis}²", unit, "rad"]
    names = ["time", "width", "frequency", "chirp rate", "amplitude", "phase"]
    headings = [name if unit in ("", "1") else f"{name} [{unit}]" for name, unit in zip(names, units, strict=True)]
    headings = [heading.replace("[", r"\[") for heading in headings]
    print_table(headings, [(e.time, e.width, e.frequency, e.chirp_rate, e.amplitude, e.phase) for e in events],
                empty="There are no waves.")


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Report]:
    """A bar on stderr; call what is given with a fraction and a few words."""
    if quiet or not err.is_terminal:
        yield lambda fraction, words: None
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                  TimeElapsedColumn(), TextColumn("{task.fields[words]}"), console=err, transient=True) as bar:
        task = bar.add_task(what, total=1.0, words="")
        yield lambda fraction, words: bar.update(task, completed=fraction, words=words)
