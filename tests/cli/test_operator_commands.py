"""Settings, examination, keys, backups, measurements."""

import json
import os
import re
import socket

import pytest

import dredge as library

WORD = "hush"


def test_settings_are_shown_and_secrets_are_not(dredge):
    rows = {row["name"]: row for row in dredge("config", "--json", REDIS_PASSWORD=WORD, DREDGE_PORT="4001").data}
    assert rows["DREDGE_PORT"]["value"] == "4001"
    assert rows["REDIS_PASSWORD"]["value"] == "(set)"
    assert WORD not in dredge("config", REDIS_PASSWORD=WORD).out


@pytest.mark.parametrize(("name", "value"), [("DREDGE_PORT", "banana"), ("DREDGE_PORT", "70000"), ("LOG_LEVEL", "loud"),
                                            ("WORKER_CONCURRENCY", "0"), ("DEVICE", "abacus")])
def test_a_setting_that_makes_no_sense_stops_the_start_with_its_name_and_value(dredge, name, value):
    told = dredge("up", **{name: value}).refusal
    assert name in told
    assert value in told


def test_a_secret_may_come_from_a_file(dredge, tmp_path):
    (tmp_path / "password").write_text("hush\n")
    rows = {row["name"]: row for row in dredge("config", "--json", REDIS_PASSWORD_FILE=str(tmp_path / "password")).data}
    assert rows["REDIS_PASSWORD"]["value"] == "(set)"
    assert "REDIS_PASSWORD_FILE" in dredge("config", REDIS_PASSWORD_FILE="/nowhere").refusal


def test_the_doctor_finds_everything_where_everything_is(dredge):
    findings = dredge("doctor", "--json").data
    assert {finding["state"] for finding in findings if finding["part"] in ("torch", "store", "queue", "EDF")} == {"ok"}


def test_the_doctor_says_what_is_missing_and_how_to_get_it(dredge):
    ended = dredge("doctor", "--json", REDIS_HOST="127.0.0.1", REDIS_PORT="1")
    assert ended.code == 1
    [queue] = [finding for finding in json.loads(ended.out) if finding["part"] == "queue"]
    assert queue["state"] == "missing"
    assert queue["remedy"]


def test_the_doctor_names_who_holds_a_port(dredge):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        findings = json.loads(dredge("doctor", "--json", DREDGE_PORT=str(port)).out)
    [found] = [finding for finding in findings if finding["part"] == f"port {port}"]
    assert f"(process {os.getpid()})" in found["found"]
    assert "DREDGE_PORT" in found["remedy"]


def test_up_refuses_a_port_that_is_taken(dredge):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = dredge("up", DREDGE_PORT=str(port)).refusal
    assert re.search(rf"Port {port} is taken by \S+ \(process {os.getpid()}\)", told)
    assert "DREDGE_PORT" in told


def test_up_refuses_to_listen_to_the_world_without_keys(dredge):
    assert "DREDGE_API_KEYS" in dredge("up", DREDGE_HOST="0.0.0.0").refusal


def test_a_key_is_made_with_its_scopes(dredge):
    made = dredge("keys", "new", "plant-3", "--scope", "read", "--scope", "write", "--json").data
    assert made["entry"] == f"plant-3:read+write:{made['key']}"
    assert len(made["key"]) >= 43, "256 bits"
    assert dredge("config", DREDGE_API_KEYS=made["entry"]).code == 0


@pytest.mark.parametrize("arguments", [["a b"], ["name", "--scope", "everything"], ["a:b"]])
def test_a_key_with_a_bad_name_or_scope_is_refused(dredge, arguments):
    assert dredge("keys", "new", *arguments).refusal


def test_a_backup_is_restored_elsewhere(dredge, tmp_path):
    id = dredge("signals", "import", "example:ecg", "--json").data["id"]
    dredge("fit", "example:ecg", "--waves", 1, "-o", "m.safetensors")
    dredge("models", "import", "m.safetensors", "--name", "heart")
    before = dredge("backup", "store.tar", "--json").data

    elsewhere = {"DREDGE_DATA": str(tmp_path / "elsewhere")}
    assert dredge("restore", "store.tar", "--json", **elsewhere).data["objects"] == before["objects"]
    assert dredge("signals", "show", id, "--json", **elsewhere).data["samples"] == 1024
    assert dredge("events", "heart", "--json", **elsewhere).data == dredge("events", "heart", "--json").data
    assert dredge("restore", "store.tar", "--json", **elsewhere).data["objects"] == 0, "what is there stays"


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b" + b"\0" * 600])
def test_a_file_that_is_no_backup_is_refused(dredge, tmp_path, content):
    (tmp_path / "bad.tar").write_bytes(content)
    assert "bad.tar" in dredge("restore", "bad.tar").refusal


def test_a_backup_to_nowhere_leaves_nothing(dredge, tmp_path):
    assert "There is no folder" in dredge("backup", "nowhere/store.tar").refusal
    assert not list(tmp_path.glob("*.tar*"))


def test_bench_measures_this_process(dredge):
    rows = dredge("bench", "--seconds", "0.1", "--json").data
    assert all(row["evaluations/s"] > 0 for row in rows)


def test_bench_says_when_there_is_no_server(dredge):
    assert "does not answer" in dredge("bench", "--url", "http://127.0.0.1:1").refusal


def test_the_version_is_the_packages(dredge):
    assert dredge("--version").out == f"dredge {library.__version__}\n"


def test_every_command_has_help_with_an_example_or_is_a_group(dredge):
    from dredge.cli import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert {"fit", "events", "evaluate", "plot", "up", "serve", "mcp", "worker", "metrics", "doctor", "backup", "restore",
            "bench"} <= set(names)
    for name in names:
        assert "Example: dredge" in dredge(name, "--help").out or "Example:" in dredge(name, "--help").out, name
