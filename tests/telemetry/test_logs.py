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


REPEATED = """
import logging, structlog
from dredge.settings import Settings
from dredge.telemetry import logs
logs.configure(Settings.load(log_format="json"))
worker, door = logging.getLogger("dredge.worker"), structlog.get_logger("dredge.api")
for attempt in range(3):
    worker.warning("%s", "Redis does not answer.")
    worker.error("%s", "The job failed.")
    door.warning("part unavailable", path="/health/ready", request_id=str(attempt), error="Redis does not answer.")
    door.warning("part unavailable", path="/v1/fits", request_id=str(attempt), error="Redis does not answer.")
worker.warning("%s", "Redis refuses the password.")
"""


def test_a_part_that_is_away_is_told_once_a_minute_and_each_request_of_a_caller_always():
    done = subprocess.run([sys.executable, "-c", REPEATED], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    told = [(line["event"], line.get("path")) for line in lines]
    assert told.count(("Redis does not answer.", None)) == 1
    assert told.count(("Redis refuses the password.", None)) == 1
    assert told.count(("part unavailable", "/health/ready")) == 1
    assert told.count(("part unavailable", "/v1/fits")) == 3
    assert told.count(("The job failed.", None)) == 3
