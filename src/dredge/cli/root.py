"""The command and its groups, and the one place where errors become words on a terminal."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from dredge._version import __version__
from dredge.cli import analysis, library, operations, processes
from dredge.errors import DredgeError, InvalidInput, NotFound, TooLarge

BAD_INPUT = 2
INTERRUPTED = 130

app = typer.Typer(name="dredge", no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False,
                  rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]})


def _show_version(asked: bool) -> None:
    if asked:
        print(f"dredge {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True,
                                          help="Print the version.")] = False,
) -> None:
    """Turn recordings into waves: short lists of localised oscillations."""


analysis.add_to(app)
library.add_to(app)
processes.add_to(app)
operations.add_to(app)


def main() -> NoReturn:
    """Run the command; an error is one line, a hint another, and never a stack trace (DREDGE_TRACEBACK=1 shows it)."""
    try:
        app()
    except DredgeError as error:
        if os.environ.get("DREDGE_TRACEBACK"):
            traceback.print_exc()
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f" hint: {error.hint}", file=sys.stderr)
        sys.exit(BAD_INPUT if isinstance(error, InvalidInput | NotFound | TooLarge) else 1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("DREDGE_TRACEBACK"):
            traceback.print_exc()
        print(f"error: an error inside DREDGE: {type(error).__name__}: {error}", file=sys.stderr)
        print(" hint: DREDGE_TRACEBACK=1 shows where; please report it.", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)
