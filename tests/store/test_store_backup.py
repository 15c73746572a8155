"""Copying a store, counting it, and sweeping up what never ended."""

import os
import time

import pytest

from dredge.errors import NotFound
from dredge.store import Store, copy_store


def fill(store, make_signal, put_model):
    for seed in range(3):
        store.put_signal(make_signal(seed))
    for name in ("a", "a", "b"):
        put_model(store, name, data=name.encode() * 10)
    store.put_file("results/j/values.npy", b"values")


def test_a_copy_holds_all_that_the_store_holds(store, tmp_path, make_signal, put_model):
    fill(store, make_signal, put_model)
    seen = []
    target = Store.open(tmp_path / "copy")

    count = copy_store(store, target, lambda done, total, key: seen.append((done, total, key)))

    assert count == len(seen) == store.usage().files
    assert seen[-1][:2] == (count, count)
    assert target.signals() == store.signals()
    assert target.models() == store.models()
    assert target.versions("a") == store.versions("a")
    assert target.usage() == store.usage()
    for record in target.signals().items:
        assert target.signal(record.id).sha256 == record.id
    assert target.model_bytes("a", 2) == b"a" * 10
    assert target.reserve_version("a", {}) == 3


def test_a_copy_that_stops_half_way_shows_nothing_half_and_can_go_on(store, tmp_path, make_signal, put_model, watch, killed):
    fill(store, make_signal, put_model)
    target = Store.open(tmp_path / "copy")
    total = store.usage().files
    for break_at in range(0, total, 3):
        with pytest.raises(killed):
            copy_store(store, watch(target, break_at))
        for record in target.signals().items:
            assert target.signal(record.id).sha256 == record.id
        for record in target.models().items:
            assert target.model_bytes(record.name, record.version)
    assert copy_store(store, target) == total
    assert target.usage() == store.usage()


def test_what_is_deleted_while_a_copy_runs_is_passed_over(store, tmp_path, make_signal, put_model):
    fill(store, make_signal, put_model)
    going = store.signals().items[0].id

    def delete(done, total, key):
        if done == 1:
            store.delete_signal(going)

    target = Store.open(tmp_path / "copy")
    copy_store(store, target, delete)
    assert going not in {record.id for record in target.signals().items}


def test_files_can_be_read_and_written_by_key(store, put_model):
    put_model(store, "m")
    key = "models/m/1/manifest.json"
    data = b"".join(store.get_raw(key))
    store.put_raw(key, data)
    assert store.model("m").version == 1
    with pytest.raises(NotFound):
        store.get_raw("models/none/1/manifest.json")


def test_usage_counts_what_exists(store, make_signal, put_model):
    assert store.usage().model_dump() == {"signals": 0, "models": 0, "versions": 0, "files": 0, "bytes": 0}
    fill(store, make_signal, put_model)
    store.reserve_version("c", {})
    usage = store.usage()
    assert (usage.signals, usage.models, usage.versions) == (3, 2, 3)
    assert usage.files == 3 * 2 + 3 * 3 + 1 + 1
    assert usage.bytes > 3 * 1600


def test_a_sweep_takes_only_what_never_ended(store, make_signal, put_model, watch, killed):
    fill(store, make_signal, put_model)
    whole = set(store.keys())
    with pytest.raises(killed):
        watch(store, 1).put_signal(make_signal(9))
    for _ in range(2):
        store.reserve_version("b", {})
    with pytest.raises(killed):
        put_model(watch(store, 1), "b", 2)
    store.reserve_version("never", {})
    store.put_checkpoint("j", b"x")

    assert store.sweep(older_than_seconds=3600) == []
    removed = store.sweep(older_than_seconds=-3600)

    # The highest claim of a model stays, so that its numbers never come twice.
    assert set(store.keys()) == whole | {"models/b/3/claim.json", "models/never/1/claim.json"}
    assert len(removed) == 1 + 2 + 1
    assert (store.reserve_version("b"), store.reserve_version("never")) == (4, 2)
    assert len(store.signals().items) == 3


def test_a_sweep_takes_drafts_of_killed_writers_from_a_folder(tmp_path, put_model):
    store = Store.open(tmp_path)
    put_model(store, "m")
    draft = tmp_path / ".unfinished" / "abc"
    draft.write_bytes(b"half")
    assert store.sweep(older_than_seconds=60) == []
    old = time.time() - 120
    os.utime(draft, (old, old))
    assert store.sweep(older_than_seconds=60) == [".unfinished/abc"]
    assert not draft.exists()
    assert store.model("m").version == 1
