"""Signals: written once, read back exactly, never read when they are not what was written."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from dredge.errors import DredgeError, InvalidInput, SignalNotFound, StoreUnavailable
from dredge.signals import Axis, Signal


def test_a_signal_comes_back_as_it_was(store, make_signal):
    signal = make_signal(start_time="2024-05-01T12:00:00Z", provenance={"file": "a.csv", "rows": np.int64(3)})

    record = store.put_signal(signal)

    assert record.id == signal.sha256
    assert (record.name, record.unit, record.channels) == ("recording", "mV", ("a", "b"))
    assert record.axes[0].model_dump() == {"name": "time", "unit": "s", "size": 100, "step": 0.002, "start": 1.5}
    assert record.samples == 200
    assert record.start_time == "2024-05-01T12:00:00Z"
    assert record.provenance == {"file": "a.csv", "rows": 3}
    assert timedelta(0) <= datetime.now(UTC) - record.created < timedelta(minutes=1)

    back = store.signal(record.id)
    np.testing.assert_array_equal(back.samples, signal.samples)
    assert (back.axes, back.channels, back.unit, back.name) == (signal.axes, signal.channels, signal.unit, signal.name)
    assert back.sha256 == signal.sha256
    assert store.signal_record(record.id) == record
    assert store.signals().items == [record]


def test_a_volume_over_time_comes_back_too(store):
    samples = np.random.default_rng(1).standard_normal((1, 3, 4, 5))
    axes = (Axis("time", "s", 3, 1), Axis("y", "mm", 4, 0.5, -1), Axis("x", "mm", 5, 0.25))
    record = store.put_signal(Signal(samples, axes))
    np.testing.assert_array_equal(store.signal(record.id).samples, samples)


def test_a_recording_larger_than_a_piece_comes_back(store, make_signal):
    signal = make_signal(size=700_000, channels=("only",))  # 5.6 MB
    record = store.put_signal(signal)
    assert store.signal(record.id).sha256 == signal.sha256


def test_the_same_signal_twice_gives_the_same_record_and_no_second_write(store, make_signal, watch):
    first = store.put_signal(make_signal(name="first"))

    watched = watch(store)
    again = watched.put_signal(make_signal(name="second"))

    assert again == first
    assert again.name == "first"
    assert watched.files.puts == []
    assert store.usage().signals == 1


def test_the_start_of_an_id_will_do_when_it_is_unique(store, make_signal):
    record = store.put_signal(make_signal())
    assert store.signal_record(record.id[:8]) == record
    assert store.signal_record(record.id[:20].upper()) == record
    assert store.signal(record.id[:8]).sha256 == record.id

    # Given another signal whose id starts the same
    other = record.id[:10] + "".join("0" if digit != "0" else "1" for digit in record.id[10:])
    text = json.loads(store.files.get(f"signals/{record.id}/manifest.json")) | {"id": other}
    store.files.put(f"signals/{other}/manifest.json", json.dumps(text).encode())
    with pytest.raises(InvalidInput, match="2 signals") as caught:
        store.signal_record(record.id[:8])
    assert caught.value.field == "signal"
    assert store.signal_record(record.id[:11]) == record


def test_a_signal_that_is_not_there_is_not_found(store):
    for ask in (store.signal, store.signal_record, store.delete_signal):
        for name in ("0" * 64, "0" * 8):
            with pytest.raises(SignalNotFound, match=name):
                ask(name)


def test_a_deleted_signal_is_gone_and_may_come_again(store, make_signal):
    record = store.put_signal(make_signal())
    store.delete_signal(record.id[:12])
    assert store.signals().items == []
    assert list(store.keys()) == []
    with pytest.raises(SignalNotFound):
        store.signal(record.id)
    assert store.put_signal(make_signal()).id == record.id
    assert store.signal(record.id).samples.shape == (2, 100)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:-8] + np.float64("nan").tobytes(),
        lambda data: b"PK\x03\x04" + data[4:],
        lambda data: data.replace(b"<f8", b"|O8"),
        lambda data: data.replace(b"(2, 100)", b"(9, 100)"),
        lambda data: b"\x93NUMPY\x01\x00\xff\xff",
        lambda data: b"\x93NUMPY\x01\x00\x10\x00{'descr': __import",
    ],
)
def test_damaged_samples_are_named_and_never_given_out(store, make_signal, damage):
    record = store.put_signal(make_signal())
    key = f"signals/{record.id}/samples.npy"
    store.files.put(key, damage(store.files.get(key)))
    with pytest.raises(StoreUnavailable, match=f"{record.id[:12]} is damaged"):
        store.signal(record.id)


def test_a_pickle_in_place_of_samples_is_not_run(store, make_signal, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trap"), "w"))

    record = store.put_signal(make_signal())
    np.save(tmp_path / "trap.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    store.files.put(f"signals/{record.id}/samples.npy", (tmp_path / "trap.npy").read_bytes())
    with pytest.raises(StoreUnavailable):
        store.signal(record.id)
    assert not (tmp_path / "trap").exists()


def test_samples_that_are_gone_are_reported_and_an_upload_mends_them(store, make_signal):
    record = store.put_signal(make_signal())
    store.files.delete(f"signals/{record.id}/samples.npy")
    with pytest.raises(StoreUnavailable, match="samples are gone"):
        store.signal(record.id)

    assert store.put_signal(make_signal()) == record
    assert store.signal(record.id).sha256 == record.id


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"id": 5}', b"{}"])
def test_a_damaged_manifest_is_named_and_the_other_signals_are_listed(store, make_signal, text):
    records = [store.put_signal(make_signal(seed)) for seed in range(3)]
    store.files.put(f"signals/{records[1].id}/manifest.json", text)

    with pytest.raises(DredgeError, match=records[1].id[:12]):
        store.signal(records[1].id)
    assert {item.id for item in store.signals().items} == {records[0].id, records[2].id}
    assert store.put_signal(make_signal(1)).id == records[1].id
    assert len(store.signals().items) == 3


def test_foreign_files_in_the_store_are_no_signals(store, make_signal):
    record = store.put_signal(make_signal())
    for key in ("signals/readme.txt", "signals/x/y", f"signals/{'0' * 64}/other", "elsewhere/file"):
        store.files.put(key, b"hello")
    assert store.signals().items == [record]
