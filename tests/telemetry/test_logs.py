"""What a process writes about itself, each time in a process of its own, since logging is global."""

import json
import subprocess
import sys

CODE = """
import logging
from dredge.settings import Settings
from dredge.telemetry import logs
logs.configure(Settings.load(log_format={form!r}, log_level={level!r}))
log = logging.getLogger("dredge.test")
log.info("said %s", "so")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def written(form, level="info"):
    done = subprocess.run([sys.executable, "-c", CODE.format(form=form, level=level)], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


def test_in_containers_each_line_is_one_object():
    said, failed = map(json.loads, written("json").splitlines())
    assert said["event"] == "said so"
    assert said["level"] == "info"
    assert said["logger"] == "dredge.test"
    assert said["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in failed["exception"]


def test_where_nobody_watches_a_terminal_auto_means_objects():
    assert json.loads(written("auto").splitlines()[0])["event"] == "said so"


def test_on_a_terminal_lines_are_text():
    assert "said so" in written("text").splitlines()[0]


def test_lines_below_the_level_are_left_out():
    assert "said so" not in written("json", level="error")
