"""What anyone sees who comes by: the card, health, metrics, documentation, and how errors look."""

import json
import re

import pytest

import dredge
from dredge.api import create_app
from dredge.errors import StoreUnavailable
from dredge.settings import Settings


def test_the_card_says_what_this_is_and_every_link_on_it_leads_somewhere(client):
    card = client.get("/").get_json()
    assert card["name"] == "DREDGE server"
    assert card["version"] == dredge.__version__
    for link in card["links"].values():
        assert client.get(link, follow_redirects=True).status_code in {200, 405}, link


def test_health_names_every_part(client):
    assert client.get("/health").get_json() == {
        "status": "ok", "version": dredge.__version__, "parts": {"store": "ok", "queue": "ok"}}
    assert client.get("/health/ready").status_code == 200
    assert client.get("/health/live").status_code == 200


def test_a_part_that_does_not_answer_is_named(client, service, monkeypatch):
    def broken():
        raise StoreUnavailable("The store does not answer.", hint="Look at the disk.")

    monkeypatch.setattr(service.store, "check", broken)
    for path in ("/health", "/health/ready", "/v2/health/ready"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "store does not answer" in answer.get_json()["detail"]
        assert answer.headers["Retry-After"]
    assert client.get("/health/live").status_code == 200, "restarting the server would not repair the store"


def test_metrics_count_requests_by_route(client, heart):
    client.get("/v1/models/heart")
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    assert 'dredge_requests_total{door="http",method="GET",route="/v1/models/<name>",status="200"}' in answer.text
    assert "heart" not in answer.text, "an address is not a label: there would be no end of them"


def test_metrics_can_be_turned_off(service, tmp_path):
    app = create_app(service, Settings.load(dredge_data=tmp_path, metrics_enabled=False))
    assert app.test_client().get("/metrics").status_code == 404


def test_the_document_is_openapi_with_examples(client):
    answer = client.get("/openapi.json")
    document = answer.get_json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == dredge.__version__
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    bodies = [shape for shape in document["components"]["schemas"] if shape.endswith("Body")]
    assert bodies
    for name in bodies:
        assert document["components"]["schemas"][name]["example"], name
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert "<br" not in json.dumps(operation)
    identifiers = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(identifiers) == len(set(identifiers))


def test_every_example_of_a_body_is_accepted(client):
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]
    lifted = client.post("/lift", json=schemas["LiftBody"]["example"])
    assert lifted.status_code == 200, lifted.text
    kept = client.post("/v1/signals", json=schemas["SamplesBody"]["example"])
    assert kept.status_code == 201, kept.text


def test_every_reference_of_the_document_leads_somewhere(client):
    text = client.get("/openapi.json").text
    document = json.loads(text)
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in document["components"]["schemas"]


def test_the_pages_load_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("/"), address
        assert client.get(address).status_code == 200, address
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in re.search(r"script-src[^;]*", page.headers["Content-Security-Policy"]).group()


def test_every_answer_carries_headers_that_protect(client):
    for answer in (client.get("/"), client.get("/nothing/here"), client.get("/console/")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Request-Id"]


def test_a_problem_is_told_as_rfc_9457_says(client):
    answer = client.get("/v1/models/none", headers={"X-Request-Id": "mine-1"})
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["type"] == "urn:dredge:problem:model-not-found"
    assert problem["title"] == "Not Found"
    assert problem["status"] == 404
    assert problem["instance"] == "/v1/models/none"
    assert problem["request_id"] == answer.headers["X-Request-Id"] == "mine-1"


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nothing", 404), ("DELETE", "/v1/models", 405), ("PATCH", "/lift", 405), ("TRACE", "/", 405)])
def test_addresses_and_methods_that_do_not_exist(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert (status == 405) == ("Allow" in answer.headers)


def test_a_request_id_that_could_harm_a_log_is_replaced(client):
    given = "a b\tc" + "x" * 100
    assert client.get("/", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_what_nobody_foresaw_is_a_problem_without_internals(client, service, monkeypatch, caplog):
    def broken(**_):
        raise RuntimeError("secret detail of line 17")

    monkeypatch.setattr(service, "models", broken)
    answer = client.get("/v1/models")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.get_json()["request_id"] in answer.get_json()["hint"]


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/v1/models/heart", "/v1/models/heart/events", "/openapi.json"])
def test_head_answers_as_get_does_without_a_body(client, heart, path):
    answer = client.head(path)
    assert answer.status_code == 200
    assert answer.data == b""
