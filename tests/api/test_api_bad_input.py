"""Whatever is sent: a sentence that names the field, no stack trace, nothing half-written."""

import io
import pickle
import struct
import wave
import zipfile

import numpy as np
import pytest

NUMBERS = "application/octet-stream"


class Loaded:
    """What a pickle must never get to do."""

    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/dredge-was-here",)


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def claiming(count):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({count},)}}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"\0" * 64


def truncated_wav():
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 1000)
    return buffer.getvalue()[:30]


def zip_bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w", force_zip64=True) as file:
        header = claiming(500_000_000)[:-64]
        file.write(header)
        for _ in range(64):
            file.write(bytes(2**20))
    return buffer.getvalue()


FILES = {
    "empty": (b"", "e.csv"),
    "text as numbers": (b"time,value\n0,1\n1,banana\n", "t.csv"),
    "one sample": (b"value\n1\n", "o.csv"),
    "NaN": (npy(np.array([1.0, np.nan, 2.0])), "n.npy"),
    "infinity": (npy(np.array([1.0, np.inf, 2.0])), "i.npy"),
    "billion claimed": (claiming(10**9), "c.npy"),
    "wrong shape": (npy(np.zeros((2, 3, 4, 5, 6, 7))), "w.npy"),
    "pickled": (npy(np.array([Loaded()], dtype=object), allow_pickle=True), "p.npy"),
    "pickle": (pickle.dumps([1, 2, 3]), "p.npy"),
    "truncated WAV": (truncated_wav(), "t.wav"),
    "zip bomb": (zip_bomb(), "b.npz"),
    "noise": (bytes(range(256)) * 4, "noise.bin"),
}


def assert_refused(answer, *statuses):
    assert answer.status_code in statuses, answer.text
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["detail"].endswith((".", "?"))
    assert problem.get("field")
    for trace in ("Traceback", "File \"", "site-packages", "/tmp/"):
        assert trace not in answer.text
    return problem


def assert_nothing_is_kept(client):
    assert client.get("/v1/signals").get_json()["items"] == []
    assert client.get("/v1/models").get_json()["items"] == []
    assert client.get("/v1/jobs").get_json()["items"] == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_refused(client, name):
    data, file_name = FILES[name]
    answer = client.post("/v1/signals", data=data, query_string={"name": file_name}, content_type=NUMBERS)
    assert_refused(answer, 422, 413)
    assert_nothing_is_kept(client)


@pytest.mark.parametrize(("body", "field"), [
    ({"samples": ["1", "2", "3"]}, "samples"), ({"samples": "123"}, "samples"), ({"samples": []}, "samples"),
    ({"samples": [1.0]}, "samples"), ({"samples": [[[1.0, 2.0]]]}, "samples"), ({"samples": [[1, 2], [3]]}, "samples"),
    ({"samples": [True, False]}, "samples"), ({"samples": [1, None]}, "samples"), ({"samples": {}}, "samples"),
    ({"samples": None}, "samples"), ({"samples": [1, 2, 3], "sample_rate": 0}, "sample_rate"),
    ({"samples": [1, 2, 3], "sample_rate": -8}, "sample_rate"), ({"samples": [1, 2, 3], "sample_rate": "8"}, "sample_rate"),
    ({"samples": [1, 2, 3], "unit": "bananas"}, "unit"), ({"samples": [1, 2, 3], "unit": 5}, "unit"),
    ({"samples": [1, 2, 3], "rate": 5}, "rate"), ([1, 2, 3], "body"), ("text", "body"), (0, "body")])
@pytest.mark.parametrize("path", ["/v1/signals", "/lift"])
def test_samples_that_cannot_be_used_are_named(client, path, body, field):
    problem = assert_refused(client.post(path, json=body), 422)
    assert problem["field"] == field
    assert_nothing_is_kept(client)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
@pytest.mark.parametrize("path", ["/v1/signals", "/lift"])
def test_numbers_that_are_not_finite_are_found(client, path, number):
    body = f'{{"samples": [0, 1, {number}, 2]}}'
    problem = assert_refused(client.post(path, data=body, content_type="application/json"), 422)
    assert problem["field"] == "samples"
    assert "2" in problem["detail"], "it says where"
    assert_nothing_is_kept(client)


@pytest.mark.parametrize("body", ["", "{", "[1, 2", "{'samples': [1]}", "\xff\xfe", "[" * 10_000, '{"samples": [1,2]} x'])
def test_a_body_that_is_not_json_is_a_bad_request(client, body):
    answer = client.post("/lift", data=body.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 400
    assert "not JSON" in answer.get_json()["detail"]


@pytest.mark.parametrize("body", [{}, {"samples": [1, 2, 3], "insight_text": "both"}])
def test_a_lift_takes_one_of_samples_and_text(client, body):
    assert assert_refused(client.post("/lift", json=body), 422)["field"] == "samples"


@pytest.mark.parametrize("text", ["", "a", 7, ["a"], None])
def test_texts_that_cannot_be_lifted(client, text):
    answer = client.post("/lift", json={"insight_text": text})
    assert_refused(answer, 422)


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b", "/etc", "Ü", "", "a" * 101, ".hidden", "a\\b", "a\0b", "CON "])
def test_names_that_would_leave_the_store_are_refused(client, name):
    problem = assert_refused(client.post("/lift", json={"samples": [0, 1, 0, -1] * 8, "save_as": name}), 422)
    assert problem["field"] == "save_as"
    assert_nothing_is_kept(client)


@pytest.mark.parametrize("name", ["..%2f..%2fetc", "%2e%2e", "a%00b", "A", "%ff", "a%5cb", "~"])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_names_in_addresses_lead_nowhere(client, name, method):
    answer = client.open(f"/v1/models/{name}", method=method, data=b"x" if method == "PUT" else None)
    assert answer.status_code in {404, 422}
    assert answer.content_type == "application/problem+json"
    assert_nothing_is_kept(client)


@pytest.mark.parametrize("name", ["../../../tmp/evil.csv", "C:\\evil.csv", "a\0.csv", "\u202ecsv.exe"])
def test_file_names_lead_nowhere(client, name):
    answer = client.post("/v1/signals", data=b"value\n1\n2\n3\n", query_string={"name": name, "format": "csv"},
                         content_type=NUMBERS)
    assert answer.status_code in {201, 422}
    assert "tmp" not in answer.text


@pytest.mark.parametrize(("query", "field"), [
    ({"sample_rate": "0"}, "sample_rate"), ({"sample_rate": "nan"}, "sample_rate"), ({"sample_rate": "fast"}, "sample_rate"),
    ({"unit": "bananas"}, "unit"), ({"format": "docx"}, "format"), ({"gaps": "ignore"}, "gaps"), ({"chanels": "a"}, "chanels"),
    ({"channels": "nobody"}, "channels"), ({"start_time": "yesterday"}, "start_time")])
def test_what_is_said_beside_a_file_is_checked(client, query, field):
    answer = client.post("/v1/signals", data=b"value\n1\n2\n3\n", query_string={"name": "v.csv", **query}, content_type=NUMBERS)
    assert assert_refused(answer, 422)["field"] == field
    assert_nothing_is_kept(client)


@pytest.mark.parametrize(("path", "at_fault"), [
    ("/v1/signals?limit=0", "limit"), ("/v1/signals?limit=many", "limit"), ("/v1/signals?limit=1" + "0" * 5000, "limit"),
    ("/v1/models?cursor=nonsense", "cursor"), ("/v1/jobs?cursor=nonsense", "cursor"), ("/v1/jobs?state=lost", "state"),
    ("/v1/models/heart?version=0", "version"), ("/v1/models/heart?version=1.5", "version"),
    ("/v1/models/heart/events?sort=colour", "sort"), ("/v1/models/heart/events?from=nan", "from"),
    ("/v1/models/heart/events?strongest=0", "strongest"), ("/v1/models/heart/plot?format=gif", "format"),
    ("/v1/compare?first=heart", "second"), ("/v1/signals/xyz", "signal")])
def test_parameters_that_cannot_be_used_are_named(client, heart, path, at_fault):
    assert assert_refused(client.get(path), 422)["field"] == at_fault


def test_another_media_type_is_told(client):
    answer = client.post("/lift", data="samples=1", content_type="text/plain")
    assert answer.status_code == 415
    assert "application/json" in answer.get_json()["detail"]


def test_a_form_without_a_file_is_told(client):
    answer = client.post("/v1/signals", data={"other": "x"}, content_type="multipart/form-data")
    assert assert_refused(answer, 422)["field"] == "file"
