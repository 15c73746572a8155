"""Recordings go in and come back out."""

import io

import numpy as np
import pytest

from dredge.signals import example


def upload(client, data, **query):
    return client.post("/v1/signals", data=data, query_string=query, content_type="application/octet-stream")


def test_a_recording_is_uploaded_as_a_body(client):
    answer = upload(client, example("ecg").read_bytes(), name="ecg.csv")
    assert answer.status_code == 201, answer.text
    record = answer.get_json()
    assert record["samples"] == 1024
    assert answer.headers["Location"] == f"/v1/signals/{record['id']}"
    assert client.get(answer.headers["Location"]).get_json() == record
    again = upload(client, example("ecg").read_bytes(), name="ecg.csv")
    assert again.get_json()["id"] == record["id"], "the same recording is the same signal"
    assert len(client.get("/v1/signals").get_json()["items"]) == 1


def test_a_recording_is_uploaded_as_a_form_as_browsers_do(client):
    part = (io.BytesIO(example("ecg").read_bytes()), "/home/someone/recordings/ecg.csv")
    answer = client.post("/v1/signals", data={"file": part}, content_type="multipart/form-data")
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["samples"] == 1024
    assert "recordings" not in answer.text, "the sender's folders are nobody's business"


def test_a_recording_is_uploaded_as_curl_does_without_being_told(client):
    answer = client.post("/v1/signals?name=ecg.csv", data=example("ecg").read_bytes(),
                         content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 201, answer.text


def test_samples_are_uploaded_as_json_and_come_back(client):
    record = client.post("/v1/signals", json={"samples": [[0, 1.5, -2], [3, 4, 5]], "sample_rate": 10, "unit": "mV",
                                              "name": "two"}).get_json()
    assert record["axes"] == [{"name": "time", "unit": "s", "size": 3, "step": 0.1, "start": 0.0}]
    assert record["unit"] == "mV"
    part = client.get(f"/v1/signals/{record['id']}/samples?start=1").get_json()
    assert part["samples"] == [[1.5, -2.0], [4.0, 5.0]]
    assert (part["start"], part["stop"]) == (1, 3)


@pytest.mark.parametrize("how", [{"query_string": {"format": "npy"}}, {"headers": {"Accept": "application/x-npy"}}])
def test_samples_come_as_npy_to_the_last_bit(client, knock, service, how):
    answer = client.get(f"/v1/signals/{knock.id}/samples", **how)
    assert answer.mimetype == "application/x-npy"
    values = np.load(io.BytesIO(answer.data), allow_pickle=False)
    assert np.array_equal(values, service.signal(knock.id).samples)


def test_the_first_digits_of_an_id_will_do(client, knock):
    assert client.get(f"/v1/signals/{knock.id[:8]}").get_json()["id"] == knock.id


def test_a_list_comes_in_pages_that_neither_repeat_nor_skip(client):
    for i in range(5):
        client.post("/v1/signals", json={"samples": [0, 1, i]})
    seen, address = [], "/v1/signals?limit=2"
    pages = 0
    while address:
        answer = client.get(address)
        page = answer.get_json()
        seen += [item["id"] for item in page["items"]]
        link = answer.headers.get("Link", "")
        assert ('rel="next"' in link) == (page["next"] is not None)
        address = link.partition(">")[0].removeprefix("<")
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 5


def test_what_a_client_already_has_is_not_sent_again(client, knock):
    for path in (f"/v1/signals/{knock.id}", f"/v1/signals/{knock.id}/samples"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert again.data == b""
        assert client.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_signal_is_deleted_once(client, knock):
    assert client.delete(f"/v1/signals/{knock.id}").status_code == 204
    assert client.get(f"/v1/signals/{knock.id}").status_code == 404
    assert client.delete(f"/v1/signals/{knock.id}").status_code == 404


def test_samples_that_are_not_there_are_refused(client, knock):
    answer = client.get(f"/v1/signals/{knock.id}/samples?start=400")
    assert answer.status_code == 422
    assert answer.get_json()["field"] == "start"
