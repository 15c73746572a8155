"""Models: numbers that come once, versions that are written once."""

import hashlib
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from dredge.errors import InvalidInput, ModelNotFound, StoreUnavailable
from dredge.store import Store


def test_a_model_comes_back_as_it_was(store, put_model):
    record = put_model(
        store, "heart", signal="a" * 64, channel="II", settings={"waves": 12, "seed": 3}, seed=3, software="dredge 1",
        scores={"error": 0.5, "snr_db": float("inf"), "held_out_error": None}, job="job-1",
        report={"stages": ({"stage": "pursuit", "seconds": 0.5},), "stopped_because": "done"},
    )  # fmt: skip

    assert (record.name, record.version, record.kind, record.dimension) == ("heart", 1, "wavefield", 1)
    assert (record.waves, record.numbers, record.unit, record.seed) == (2, 13, "mV", 3)
    assert record.axes[0].model_dump() == {"name": "time", "unit": "s"}
    assert record.settings == {"waves": 12, "seed": 3}
    assert record.scores == {"error": 0.5, "snr_db": None, "held_out_error": None}
    assert record.report == {"stages": [{"stage": "pursuit", "seconds": 0.5}], "stopped_because": "done"}
    assert (record.signal, record.channel, record.job) == ("a" * 64, "II", "job-1")
    assert record.sha256 == hashlib.sha256(b"waves").hexdigest()

    assert store.model("heart") == store.model("heart", 1) == record
    assert store.model_bytes("heart", 1) == store.model_bytes("heart") == b"waves"
    assert store.versions("heart") == [record]
    assert store.models().items == [record]


def test_versions_count_up_and_the_newest_answers(store, put_model):
    records = [put_model(store, "m", data=b"v%d" % n) for n in range(11)]
    assert [record.version for record in records] == list(range(1, 12))
    assert store.model("m").version == 11  # not 9, which sorts last as text
    assert [record.version for record in store.versions("m")] == list(range(1, 12))
    assert [record.version for record in store.models().items] == [11]


def test_a_reserved_version_is_invisible_until_it_is_written(store, put_model):
    put_model(store, "m")
    assert store.reserve_version("m", {"by": "fit"}) == 2
    assert store.reserve_version("new", {}) == 1

    assert store.model("m").version == 1
    assert [record.version for record in store.versions("m")] == [1]
    assert [record.name for record in store.models().items] == ["m"]
    with pytest.raises(ModelNotFound, match="no version 2; the newest is 1"):
        store.model("m", 2)
    for ask in (store.model, store.versions, store.model_bytes, store.delete_model):
        with pytest.raises(ModelNotFound, match="no model new"):
            ask("new")

    put_model(store, "m", 2)
    assert store.model("m").version == 2


def test_the_second_write_of_a_version_gives_the_record_of_the_first(store, put_model, watch):
    first = put_model(store, "m", data=b"first", job="j")
    watched = watch(store)
    again = put_model(watched, "m", 1, data=b"second", job="j")
    assert again == first
    assert watched.files.puts == []
    assert store.model_bytes("m", 1) == b"first"


def test_two_runs_that_write_one_version_at_once_leave_one_whole_model(store, put_model):
    for turn in range(5):
        name = f"m{turn}"
        with ThreadPoolExecutor(8) as pool:
            records = list(pool.map(lambda n, name=name: put_model(store, name, 1, data=b"run %d" % n), range(8)))
        assert len({record.sha256 for record in records}) == 1
        assert hashlib.sha256(store.model_bytes(name, 1)).hexdigest() == records[0].sha256
        assert len([key for key in list(store.keys()) if key.startswith(f"models/{name}/")]) == 2


def test_no_two_threads_get_one_number(store):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: store.reserve_version("m", {"by": "thread"}), range(160)))
    assert sorted(numbers) == list(range(1, 161))


def reserve_many(place, count, results):
    results.put([Store.open(place).reserve_version("m", {"by": "process"}) for _ in range(count)])


def test_no_two_processes_get_one_number(place):
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    processes = [spawn.Process(target=reserve_many, args=(place, 20, results)) for _ in range(3)]
    for process in processes:
        process.start()
    numbers = [number for _ in processes for number in results.get(timeout=60)]
    for process in processes:
        process.join(60)
    assert sorted(numbers) == list(range(1, 61))


def test_a_deleted_version_is_gone_and_its_number_does_not_come_again(store, put_model):
    for data in (b"one", b"two", b"three"):
        put_model(store, "m", data=data)

    store.delete_model("m", 3)
    assert store.model("m").version == 2
    with pytest.raises(ModelNotFound, match="no version 3"):
        store.model_bytes("m", 3)
    with pytest.raises(ModelNotFound):
        store.delete_model("m", 3)

    assert put_model(store, "m").version == 4
    store.delete_model("m")
    assert store.models().items == []
    assert not [key for key in list(store.keys()) if "waves" in key or "manifest" in key]
    for ask in (store.model, store.versions, store.delete_model):
        with pytest.raises(ModelNotFound):
            ask("m")
    assert put_model(store, "m").version == 5


def test_one_model_never_answers_for_another_whose_name_it_starts(store, put_model):
    put_model(store, "heart-2", data=b"other")
    for name in ("heart", "heart-", "heart-22"):
        with pytest.raises(ModelNotFound):
            store.model(name)
    put_model(store, "heart", data=b"own")
    store.delete_model("heart")
    assert store.model_bytes("heart-2") == b"other"


def test_damaged_waves_are_named_and_never_given_out(store, put_model):
    record = put_model(store, "m", data=b"waves")
    (key,) = [key for key in list(store.keys()) if key.endswith(".safetensors")]
    for data in (b"waveS", b"", b"waveswaves"):
        store.files.put(key, data)
        with pytest.raises(StoreUnavailable, match="Model m, version 1, is damaged"):
            store.model_bytes("m", 1)
    store.files.delete(key)
    with pytest.raises(StoreUnavailable, match="its waves are gone"):
        store.model_bytes("m")
    assert store.model("m") == record


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"name": "m"}', b"\x80"])
def test_a_damaged_manifest_is_named_and_the_other_models_are_listed(store, put_model, text):
    for name in ("a", "m", "z"):
        put_model(store, name)
    put_model(store, "m")
    store.files.put("models/m/2/manifest.json", text)

    with pytest.raises(StoreUnavailable, match="Model m, version 2, is damaged"):
        store.model("m")
    assert [record.name for record in store.models().items] == ["a", "z"]
    assert [record.version for record in store.versions("m")] == [1]
    store.delete_model("m", 2)
    assert store.model("m").version == 1


def test_a_manifest_of_a_later_version_of_dredge_is_read(store, put_model):
    record = put_model(store, "m")
    key = "models/m/1/manifest.json"
    store.files.put(key, store.files.get(key).replace(b"{", b'{"invented_later": [1],', 1))
    assert store.model("m") == record


def test_an_empty_model_is_refused(store, put_model):
    with pytest.raises(InvalidInput) as caught:
        put_model(store, "m", 1, data=b"")
    assert caught.value.field == "data"
    assert list(store.keys()) == []


def test_foreign_files_in_the_store_are_no_models(store, put_model):
    record = put_model(store, "m")
    for key in ("models/readme.txt", "models/m/notes/manifest.json", "models/m/1/deep/manifest.json", "models/Bad/1/x"):
        store.files.put(key, b"hello")
    assert store.models().items == [record]
    assert store.versions("m") == [record]
    assert store.reserve_version("m") == 2
