"""Models come out as rows, values, pictures and files."""

import csv
import io

import numpy as np
import pytest

from dredge.waves import QuasimotoWave, WaveField, from_bytes, to_bytes

NUMBERS = "application/octet-stream"
POINTS = np.linspace(0.01, 0.49, 33)


def evaluate(client, **options):
    return client.post("/v1/models/heart/evaluate", **options)


def test_a_model_says_what_it_is(client, heart):
    record = client.get("/v1/models/heart").get_json()
    assert (record["name"], record["version"], record["waves"], record["kind"]) == ("heart", 1, 2, "wavefield")
    assert [item["name"] for item in client.get("/v1/models").get_json()["items"]] == ["heart"]


def test_a_model_is_downloaded_and_uploaded_again(client, heart, field):
    file = client.get("/v1/models/heart/waves.safetensors")
    assert np.array_equal(from_bytes(file.data)(POINTS), field(POINTS))
    for method in (client.post, client.put):
        answer = method("/v1/models/copy", data=file.data, content_type=NUMBERS)
        assert answer.status_code == 201, answer.text
    assert [item["version"] for item in client.get("/v1/models/copy/versions").get_json()["items"]] == [1, 2]
    again = client.get("/v1/models/copy/waves.safetensors", headers={"If-None-Match": file.headers["ETag"]})
    assert again.status_code == 304, "the same waves are the same file"


def test_versions_are_asked_for_by_number(client, heart, service, field):
    service.import_model("heart", field.take([0]))
    assert client.get("/v1/models/heart").get_json()["waves"] == 1
    assert client.get("/v1/models/heart?version=1").get_json()["waves"] == 2
    assert client.get("/v1/models/heart?version=7").status_code == 404
    assert client.delete("/v1/models/heart?version=2").status_code == 204
    assert client.get("/v1/models/heart").get_json()["version"] == 1
    assert client.delete("/v1/models/heart").status_code == 204
    assert client.get("/v1/models/heart").status_code == 404


def test_events_are_rows(client, heart, field):
    answer = client.get("/v1/models/heart/events").get_json()
    assert answer["axis"] == {"name": "time", "unit": "s"}
    assert answer["unit"] == "mV"
    first, second = answer["events"]
    assert first["time"] == pytest.approx(0.15)
    assert first["frequency"] == pytest.approx(40)
    assert first["chirp_rate"] == pytest.approx(100)
    assert first["amplitude"] == pytest.approx(np.hypot(1, 0.5))
    assert second["time"] == pytest.approx(0.35)


@pytest.mark.parametrize(("query", "times"), [
    ("sort=frequency&descending=true", [0.35, 0.15]), ("from=0.2", [0.35]), ("to=0.2", [0.15]), ("low=50", [0.35]),
    ("high=50", [0.15]), ("strongest=1", [0.15]), ("from=1", [])])
def test_events_are_sorted_and_filtered(client, heart, query, times):
    rows = client.get(f"/v1/models/heart/events?{query}").get_json()["events"]
    assert [row["time"] for row in rows] == pytest.approx(times)


@pytest.mark.parametrize("how", [{"query_string": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_events_come_as_csv(client, heart, how):
    answer = client.get("/v1/models/heart/events", **how)
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [float(row["frequency"]) for row in rows] == pytest.approx([40, 90])


def test_events_in_several_dimensions_have_a_column_an_axis(client, service):
    wave = WaveField.chirplets([0.1], [0.1], [1.0], [0.0], [1.0], [0.0])[0]
    plane = wave.__class__(np.zeros(2), np.eye(2), np.ones(2), np.zeros((2, 2)), 1.0, 0.0)
    service.import_model("plane", WaveField.of([plane], domain=[[0, 1], [0, 1]]))
    [row] = csv.DictReader(io.StringIO(client.get("/v1/models/plane/events?format=csv").text))
    assert float(row["wavenumber_1"]) == 1.0
    assert client.get("/v1/models/plane/events").get_json()["events"][0]["centre"] == [0.0, 0.0]


def test_values_come_as_json(client, heart, field):
    answer = evaluate(client, json={"points": POINTS.tolist()}).get_json()
    assert answer["shape"] == [33]
    assert answer["unit"] == "mV"
    assert answer["values"] == field(POINTS).tolist(), "JSON carries float64 to the last bit"


def test_values_come_as_numbers_for_numbers(client, heart, field):
    answer = evaluate(client, data=POINTS.astype("<f8").tobytes(), content_type=NUMBERS)
    assert answer.mimetype == NUMBERS
    assert np.array_equal(np.frombuffer(answer.data, "<f8"), field(POINTS))

    small = evaluate(client, data=POINTS.astype("<f4").tobytes(), content_type=NUMBERS, query_string={"dtype": "float32"})
    assert np.frombuffer(small.data, "<f4") == pytest.approx(field(POINTS.astype(np.float32).astype(float)), abs=1e-6)

    told = evaluate(client, data=POINTS.astype("<f8").tobytes(), content_type=NUMBERS, headers={"Accept": "application/json"})
    assert told.get_json()["values"] == field(POINTS).tolist()


def test_values_on_a_grid(client, heart, field):
    grid = {"grid": [{"start": 0, "stop": 0.5, "count": 11}]}
    expected = field(np.linspace(0, 0.5, 11))
    assert evaluate(client, json=grid).get_json()["values"] == pytest.approx(expected, abs=1e-12)
    as_file = evaluate(client, json=grid, headers={"Accept": "application/x-npy"})
    assert np.load(io.BytesIO(as_file.data)) == pytest.approx(expected, abs=1e-12)


def test_a_grid_in_several_dimensions_keeps_its_shape(client, service):
    service.import_model("sheet", QuasimotoWave(1))
    grid = {"grid": [{"start": -1, "stop": 1, "count": 3}, {"start": 0, "stop": 1, "count": 2}]}
    answer = client.post("/v1/models/sheet/evaluate", json=grid).get_json()
    assert answer["shape"] == [3, 2]
    points = [[x, t] for x in (-1, 0, 1) for t in (0, 1)]
    assert answer["values"] == pytest.approx(service.evaluate("sheet", points))


def test_a_grid_too_large_for_an_answer_becomes_a_job(client, heart):
    answer = evaluate(client, json={"grid": [{"start": 0, "stop": 1, "count": 10}], "background": True})
    assert answer.status_code == 202
    job = client.get(answer.headers["Location"]).get_json()
    assert job["kind"] == "evaluate"


@pytest.mark.parametrize(("body", "field_at_fault"), [
    ({"points": []}, "points"), ({"points": ["0.1"]}, "points"), ({"points": [True]}, "points"),
    ({"points": [[0.1, 0.2]]}, "points"), ({"points": [[0.1], [0.1, 0.2]]}, "points"), ({}, "points"),
    ({"points": [0.1], "grid": []}, "grid"), ({"grid": [{"start": 0, "stop": 1, "count": 0}]}, "grid"),
    ({"grid": [{"start": 0, "stop": 1, "count": 2}] * 2}, "grid"), ({"points": 7}, "points"), ({"dots": [1]}, "dots"),
    ({"points": [0.1], "background": True}, "background")])
def test_points_that_cannot_be_used_are_named(client, heart, body, field_at_fault):
    answer = evaluate(client, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["field"] == field_at_fault


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_points_that_are_not_finite_are_refused(client, heart, number):
    answer = evaluate(client, data=f'{{"points": [0.1, {number}]}}', content_type="application/json")
    assert answer.status_code == 422
    assert answer.get_json()["field"] == "points"


def test_bytes_that_are_no_points_are_refused(client, heart):
    for data in (b"", b"1234567", np.array([np.nan]).tobytes()):
        answer = evaluate(client, data=data, content_type=NUMBERS)
        assert answer.status_code == 422
        assert answer.get_json()["field"] in {"points", "body"}


def test_work_beyond_the_limit_is_refused_with_what_to_do(client, heart):
    answer = evaluate(client, json={"grid": [{"start": 0, "stop": 1, "count": 900_000_000}]})
    assert answer.status_code == 413
    assert "job" in answer.get_json()["hint"]


@pytest.mark.parametrize(("how", "beginning"), [
    ({}, b"\x89PNG"), ({"query_string": {"format": "svg"}}, b"<?xml"), ({"headers": {"Accept": "image/svg+xml"}}, b"<?xml")])
def test_a_model_is_drawn(client, heart, how, beginning):
    answer = client.get("/v1/models/heart/plot", **how)
    assert answer.status_code == 200
    assert answer.data.startswith(beginning)


def test_an_original_model_has_values_but_no_events(client, service):
    service.import_model("sheet", QuasimotoWave(4))
    assert client.get("/v1/models/sheet").get_json()["numbers"] == 14
    answer = client.get("/v1/models/sheet/events")
    assert answer.status_code == 422
    assert "no list of events" in answer.get_json()["detail"]


def test_two_models_are_compared(client, heart, service, field):
    service.import_model("other", field.take([0]))
    by_query = client.get("/v1/compare?first=heart&second=other").get_json()
    by_body = client.post("/v1/compare", json={"first": "heart", "second": "other"}).get_json()
    assert by_query == by_body
    assert by_query["difference"] > 0
    assert client.get("/v1/compare?first=heart&second=none").status_code == 404


def test_a_file_that_is_no_model_leaves_nothing_behind(client, field):
    good = to_bytes(field)
    for data in (b"", b"hello", good[:100], good[:-8], b"\x80\x04\x95" + good):
        answer = client.post("/v1/models/m", data=data, content_type=NUMBERS)
        assert answer.status_code == 422, answer.text
        assert answer.content_type == "application/problem+json"
    assert client.get("/v1/models").get_json()["items"] == []
    assert client.get("/v1/models/m").status_code == 404
