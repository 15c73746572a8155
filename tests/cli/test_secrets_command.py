"""The secrets of a deployment: made once, replaced by nobody."""

import json
import stat

WORDS = "correct horse"


def test_they_are_made_once_and_fit_together(dredge, tmp_path):
    assert dredge("secrets", "s").code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    again = dredge("secrets", "s")
    assert again.err == "", "nothing is made a second time"
    assert {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()} == before

    password = (tmp_path / "s/redis/password").read_text()
    assert (tmp_path / "s/redis/url").read_text() == f"redis://:{password}@redis:6379/0"
    assert json.loads((tmp_path / "s/redis/exporter").read_text()) == {"redis://redis:6379": password}
    assert dredge("config", DREDGE_API_KEYS_FILE=str(tmp_path / "s/api/keys")).code == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in before} == {0o444}


def test_they_are_shown_only_when_asked_for(dredge, tmp_path):
    quiet = dredge("secrets", "s")
    key = (tmp_path / "s/api/keys").read_text().strip().rpartition(":")[2]
    assert key not in quiet.out + quiet.err
    assert key in dredge("secrets", "s", "--show").out


def test_grafanas_password_is_the_operators_when_there_is_one(dredge, tmp_path):
    dredge("secrets", "s")
    dredge("secrets", "s", GRAFANA_PASSWORD=WORDS)
    assert (tmp_path / "s/grafana/password").read_text() == WORDS


def test_a_folder_that_cannot_be_written_is_named(dredge, tmp_path):
    (tmp_path / "s").write_text("in the way")
    assert "s/api/keys" in dredge("secrets", "s").refusal
