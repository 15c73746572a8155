"""Who may come in, how much they may send, and what is written down."""

import base64
import gzip

import pytest
from structlog.testing import capture_logs

from dredge.api import create_app
from dredge.settings import Settings

READER, WRITER = "r" * 20, "w" * 20
KEYS = f"reader:read:{READER},writer:write:{WRITER}"


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def guarded(service, tmp_path):
    settings = Settings.load(dredge_data=tmp_path, dredge_api_keys=KEYS)
    return create_app(service, settings).test_client()


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json",
                                  "/v2/health/live"])
def test_anyone_may_ask_how_the_server_is(guarded, path):
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/v1/signals", "/v2", "/console/", "/nothing"])
@pytest.mark.parametrize("headers", [{}, bearer("x" * 20), {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}])
def test_without_a_key_there_is_no_way_in(guarded, path, headers):
    answer = guarded.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic" if path == "/console/" else "Bearer")
    assert answer.get_json()["field"] == "Authorization"


def test_a_reader_reads_and_computes_but_changes_nothing(guarded, heart, knock):
    headers = bearer(READER)
    assert guarded.get("/v1/models/heart", headers=headers).status_code == 200
    assert guarded.post("/v1/models/heart/evaluate", json={"points": [0.1]}, headers=headers).status_code == 200
    assert guarded.post("/v1/fits/estimate", json={"signal": knock.id}, headers=headers).status_code == 200
    assert guarded.post("/lift", json={"samples": [1] * 8}, headers=headers).status_code == 200
    for method, path, body in (
        ("POST", "/v1/signals", {"samples": [1, 2]}), ("POST", "/v1/fits", {"signal": knock.id}),
        ("DELETE", "/v1/models/heart", None), ("PUT", "/v1/models/heart", {}), ("POST", "/v1/jobs/x/cancel", None),
        ("POST", "/lift", {"samples": [1] * 8, "save_as": "m"}),
        ("POST", "/v1/models/heart/evaluate", {"grid": [{"start": 0, "stop": 1, "count": 2}], "background": True})):
        answer = guarded.open(path, method=method, json=body, headers=headers)
        assert answer.status_code == 403, (method, path)
        assert "'write'" in answer.get_json()["detail"]
    assert guarded.get("/v1/models/heart", headers=headers).status_code == 200


def test_a_writer_writes(guarded, heart):
    assert guarded.delete("/v1/models/heart", headers=bearer(WRITER)).status_code == 204


def test_a_browser_gives_its_key_to_the_console_as_a_password(guarded):
    word = base64.b64encode(f"anyone:{WRITER}".encode()).decode()
    assert guarded.get("/console/", headers={"Authorization": f"Basic {word}"}).status_code == 200
    assert guarded.get("/v1/models", headers={"Authorization": f"Basic {word}"}).status_code == 401


@pytest.mark.parametrize(("headers", "field"), [
    ({"Host": "evil.example"}, "Host"), ({"Origin": "https://evil.example"}, "Origin"), ({"Origin": "null"}, "Origin")])
def test_pages_of_other_sites_are_refused(client, headers, field):
    answer = client.post("/v1/signals", json={"samples": [1, 2, 3]}, headers=headers)
    assert answer.status_code == 403
    assert answer.get_json()["field"] == field
    assert client.get("/health/live", headers=headers).status_code == 200, "a probe comes under any name"


def test_every_write_leaves_a_line(guarded, knock):
    with capture_logs() as lines:
        guarded.delete(f"/v1/signals/{knock.id}", headers=bearer(WRITER))
        guarded.delete(f"/v1/signals/{knock.id}", headers=bearer(READER))
        guarded.get("/v1/signals", headers=bearer(READER))
    written = [line for line in lines if line["event"] == "write"]
    assert [(line["caller"], line["outcome"], line["status"]) for line in written] == [("writer", "ok", 204)]
    assert written[0]["action"] == "DELETE /v1/signals/<id>"
    assert knock.id in written[0]["path"]
    assert not any(WRITER in str(line) for line in lines), "keys stay out of the log"


def test_an_upload_over_the_limit_is_refused_before_it_is_read(service, tmp_path):
    client = create_app(service, Settings.load(dredge_data=tmp_path, max_upload_mb=1)).test_client()
    answer = client.post("/v1/signals?name=x.csv", data=b"1\n" * 2**20, content_type="text/csv")
    assert answer.status_code == 413
    assert answer.get_json()["field"] == "body"
    assert client.get("/v1/signals").get_json()["items"] == []


def test_an_upload_of_unknown_length_is_refused_while_it_is_read(service, tmp_path):
    client = create_app(service, Settings.load(dredge_data=tmp_path, max_upload_mb=1)).test_client()
    import io

    answer = client.post("/v1/signals?name=x.csv", input_stream=io.BytesIO(b"1\n" * 2**20), content_type="text/csv",
                         environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"})
    assert answer.status_code == 413
    assert client.get("/v1/signals").get_json()["items"] == []


def test_json_has_a_limit_of_its_own(client):
    answer = client.post("/lift", data=b" " * (64 * 2**20 + 1), content_type="application/json")
    assert answer.status_code == 413


def test_a_compressed_body_is_refused_where_it_is_not_expected(client):
    answer = client.post("/lift", data=gzip.compress(b"{}"), content_type="application/json",
                         headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
