"""The `dredge` command: what is on its stdout, its stderr and its exit status."""

import contextlib
import io
import json
import sys
from dataclasses import dataclass

import pytest


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self):
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def refusal(self):
        """The sentence that a user reads: one error, perhaps one hint, and no stack trace."""
        lines = self.err.splitlines()
        assert self.code != 0
        assert lines[0].startswith("error: "), self.err
        assert len(lines) <= 2, self.err
        assert self.out == ""
        return self.err


@pytest.fixture
def dredge(tmp_path, monkeypatch):
    """Run `dredge` in an empty folder with a data folder of its own.

    In this process, through the same entry as the program: torch alone takes seconds to import.
    """
    from dredge.cli import main

    def run(*arguments, **environment):
        with monkeypatch.context() as here, contextlib.redirect_stdout(io.StringIO()) as out, \
                contextlib.redirect_stderr(io.StringIO()) as err:
            here.chdir(tmp_path)
            for name, value in {"DREDGE_DATA": str(tmp_path / "data"), **environment}.items():
                here.setenv(name, value)
            here.setattr(sys, "argv", ["dredge", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        return Ended(ended.value.code or 0, out.getvalue(), err.getvalue())

    return run
