"""Lifting at once, and fitting in the background, followed to the end."""

import json

import httpx
import numpy as np
import pytest

from dredge.api import create_app
from dredge.settings import Settings

CHIRP = {"sample_rate": 500, "waves": 1}


@pytest.fixture
def samples(field):
    return field.take([0])(np.arange(250) / 500).tolist()


def events_of(response):
    """Server-sent events as (event, job)."""
    event = None
    for line in response.iter_lines():
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield event, json.loads(line.removeprefix("data: "))


def test_samples_are_lifted(client, samples):
    answer = client.post("/lift", json={"samples": samples, **CHIRP}).get_json()
    assert answer["lifted"] is True
    assert answer["text"] is None
    assert answer["model"] is None
    assert answer["message"] == "250 samples lifted into 1 wave."
    [wave] = answer["waves"]
    assert wave["frequency"] == pytest.approx(40, rel=1e-3)
    assert answer["error"] < 1e-8
    assert client.get("/v1/models").get_json()["items"] == []


def test_a_text_is_lifted_as_the_original_server_did(client):
    text = "Digital memory must be human-reachable."
    answer = client.post("/lift", json={"insight_text": text}).get_json()
    assert {"id", "text", "lifted", "message", "model", "waves", "error"} <= set(answer)
    assert answer["text"] == text
    assert answer["lifted"] is True
    assert client.post("/lift", json={"insight_text": text}).get_json()["id"] == answer["id"]


def test_a_lift_is_kept_when_asked(client, samples):
    answer = client.post("/lift", json={"samples": samples, "save_as": "tone", **CHIRP}).get_json()
    assert answer["model"] == {"name": "tone", "version": 1}
    assert client.get("/v1/models/tone").get_json()["signal"] == answer["id"]


def test_a_constant_is_lifted_into_no_waves(client):
    answer = client.post("/lift", json={"samples": [3.5] * 64}).get_json()
    assert answer["waves"] == []
    assert answer["bias"] == pytest.approx(3.5)


def test_a_signal_too_long_to_lift_is_told_to_become_a_fit(service, tmp_path):
    app = create_app(service, Settings.load(dredge_data=tmp_path))
    answer = app.test_client().post("/lift", json={"samples": [0.0, 1.0] * 9000})
    assert answer.status_code == 413
    assert "fit" in answer.get_json()["hint"]


def test_a_fit_is_estimated_before_it_is_submitted(client, knock):
    answer = client.post("/v1/fits/estimate", json={"signal": knock.id, "waves": 12}).get_json()
    assert answer["waves"] == 12
    assert answer["numbers"] == 73
    assert answer["seconds"] > 0


def test_a_fit_waits_as_a_job_and_can_be_cancelled_once(client, knock):
    answer = client.post("/v1/fits", json={"signal": knock.id, "waves": 2, "model": "m"})
    assert answer.status_code == 202
    job = answer.get_json()
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] == "queued"
    assert job["request"]["model"] == "m"
    assert [item["id"] for item in client.get("/v1/jobs?state=queued").get_json()["items"]] == [job["id"]]
    assert client.get("/v1/jobs?state=done").get_json()["items"] == []
    assert client.get(f"/v1/jobs/{job['id']}/result").status_code == 409

    assert client.post(f"/v1/jobs/{job['id']}/cancel").get_json()["state"] == "cancelled"
    assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 409
    assert client.get(f"/v1/jobs/{job['id']}/result").status_code == 409
    assert client.get(f"/v1/jobs/{job['id']}/events").text.startswith("event: end\ndata: {")


def test_a_fit_sent_twice_under_one_id_is_submitted_once(client, knock):
    body = {"signal": knock.id, "waves": 2, "id": "mine"}
    assert client.post("/v1/fits", json=body).get_json()["id"] == "mine"
    assert client.post("/v1/fits", json=body).get_json()["id"] == "mine"
    assert len(client.get("/v1/jobs").get_json()["items"]) == 1


def test_a_full_queue_says_when_to_come_back(service, tmp_path, knock):
    from dredge.service import Service

    settings = Settings.load(dredge_data=tmp_path, max_queued_jobs=1)
    client = create_app(Service(settings), settings).test_client()
    assert client.post("/v1/fits", json={"signal": knock.id}).status_code == 202
    answer = client.post("/v1/fits", json={"signal": knock.id})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(("change", "status", "field_at_fault"), [
    ({"signal": "f" * 64}, 404, "signal"), ({"signal": "../etc"}, 422, "signal"), ({"waves": 0}, 422, "waves"),
    ({"waves": "12"}, 422, "waves"), ({"waves": 10**9}, 422, "waves"), ({"model": "../up"}, 422, "model"),
    ({"model": "UPPER"}, 422, "model"), ({"channel": "nobody"}, 422, "channel"), ({"hold_out": 1.5}, 422, "hold_out"),
    ({"target_error": -1}, 422, "target_error"), ({"wave": 3}, 422, "wave"), ({"id": "a/b"}, 422, "id"),
    ({"seconds": 0}, 422, "seconds"), ({"time_limit": -3}, 422, "time_limit")])
def test_a_fit_that_cannot_be_is_named_and_no_job_is_made(client, knock, change, status, field_at_fault):
    answer = client.post("/v1/fits", json={"signal": knock.id, "waves": 2, **change})
    assert answer.status_code == status, answer.text
    if status == 422:
        assert answer.get_json()["field"] == field_at_fault
    assert client.get("/v1/jobs").get_json()["items"] == []
    assert client.get("/v1/models").get_json()["items"] == []


@pytest.mark.slow
def test_a_fit_is_followed_to_its_model(server, worker, knock):
    with httpx.Client(base_url=server, timeout=60) as http:
        job = http.post("/v1/fits", json={"signal": knock.id, "waves": 2, "model": "knock"}).json()
        with http.stream("GET", f"/v1/jobs/{job['id']}/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            told = list(events_of(response))
        kinds = [kind for kind, _ in told]
        assert kinds[-1] == "end"
        assert set(kinds[:-1]) <= {"progress"}
        fractions = [job["progress"]["fraction"] for _, job in told]
        assert fractions == sorted(fractions)
        last = told[-1][1]
        assert last["state"] == "done", last
        result = http.get(f"/v1/jobs/{job['id']}/result")
        assert result.status_code == 303
        assert http.get(result.headers["location"]).json()["waves"] == 2


@pytest.mark.slow
def test_a_large_grid_is_computed_in_the_background(server, worker, heart, field):
    import io

    with httpx.Client(base_url=server, timeout=60) as http:
        grid = {"grid": [{"start": 0, "stop": 0.5, "count": 1001}], "background": True}
        job = http.post("/v1/models/heart/evaluate", json=grid).json()
        with http.stream("GET", f"/v1/jobs/{job['id']}/events") as response:
            *_, (_, last) = events_of(response)
        assert last["state"] == "done", last
        values = np.load(io.BytesIO(http.get(f"/v1/jobs/{job['id']}/result").content), allow_pickle=False)
        assert values == pytest.approx(field(np.linspace(0, 0.5, 1001)), abs=1e-12)


def test_followers_leave_half_of_the_threads_to_others(knock, tmp_path, service):
    settings = Settings.load(dredge_data=tmp_path, server_threads=2)
    client = create_app(service, settings).test_client()
    job = client.post("/v1/fits", json={"signal": knock.id}).get_json()
    with client.get(f"/v1/jobs/{job['id']}/events", buffered=False) as first:
        assert next(first.response).startswith(b"event: progress")
        second = client.get(f"/v1/jobs/{job['id']}/events")
        assert second.status_code == 429
        assert second.headers["Retry-After"]
    with client.get(f"/v1/jobs/{job['id']}/events", buffered=False) as third:
        assert third.status_code == 200, "a follower that leaves makes room"
