"""A process may end between any two writes: nothing half-written is seen, and doing it again completes it."""

import os
import signal as signals
import subprocess
import sys
import time

import pytest

from dredge.errors import ModelNotFound, SignalNotFound
from dredge.store import Store


@pytest.mark.parametrize("break_at", [0, 1])
def test_a_signal_half_written_is_not_there_and_a_second_try_completes_it(store, make_signal, watch, killed, break_at):
    signal = make_signal()
    with pytest.raises(killed):
        watch(store, break_at).put_signal(signal)

    assert store.signals().items == []
    assert store.usage().signals == 0
    for name in (signal.sha256, signal.sha256[:8]):
        with pytest.raises(SignalNotFound):
            store.signal(name)

    record = store.put_signal(signal)
    assert store.signal(record.id).sha256 == signal.sha256


@pytest.mark.parametrize("break_at", [0, 1])
def test_a_model_half_written_is_not_there_and_a_second_try_completes_it(store, put_model, watch, killed, break_at):
    put_model(store, "m", data=b"old")
    version = store.reserve_version("m", {})
    with pytest.raises(killed):
        put_model(watch(store, break_at), "m", version, data=b"first try")

    assert store.model("m").version == 1
    assert [record.version for record in store.models().items] == [1]
    with pytest.raises(ModelNotFound):
        store.model_bytes("m", version)

    # When the job runs again and its waves come out different in the last digit
    record = put_model(store, "m", version, data=b"second try")
    assert store.model("m") == record
    assert store.model_bytes("m") == b"second try"


def test_a_claim_that_fails_takes_no_number(store, watch, killed):
    with pytest.raises(killed):
        watch(store, 0).reserve_version("m", {})
    assert store.reserve_version("m", {}) == 1


def test_a_killed_delete_leaves_nothing_visible(store, make_signal, put_model, monkeypatch, killed):
    record = store.put_signal(make_signal())
    put_model(store, "m")
    delete = store.files.delete

    def delete_one(key):
        delete(key)
        raise killed

    monkeypatch.setattr(store.files, "delete", delete_one)
    with pytest.raises(killed):
        store.delete_signal(record.id)
    with pytest.raises(killed):
        store.delete_model("m")
    monkeypatch.undo()

    assert store.signals().items == []
    assert store.models().items == []
    assert store.put_signal(make_signal()).id == record.id
    assert put_model(store, "m").version == 2


WRITER = """
import sys
import numpy as np
from dredge.signals import Axis, Signal
from dredge.store import Store

store = Store.open(sys.argv[1])
seed = 0
while True:
    samples = np.random.default_rng(seed).standard_normal((1, 200_000))
    store.put_signal(Signal(samples, (Axis("time", "s", 200_000, 1.0),)))
    version = store.reserve_version("m", {})
    store.put_model("m", version, samples.tobytes(), kind="wavefield", dimension=1, waves=1, numbers=7)
    print(seed, flush=True)
    seed += 1
"""


def test_a_writer_that_is_killed_leaves_whole_objects_only(tmp_path):
    for turn in range(3):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2 + turn):
            assert process.stdout.readline()
        os.kill(process.pid, signals.SIGKILL)
        process.communicate()

        store = Store.open(tmp_path)
        for record in store.signals(limit=500).items:
            assert store.signal(record.id).sha256 == record.id
        assert store.signals().items
        for record in store.versions("m"):
            assert len(store.model_bytes("m", record.version)) == 1_600_000

    store.sweep(older_than_seconds=-60)
    assert not list((tmp_path / ".unfinished").iterdir())


def test_a_child_of_a_process_that_used_the_folder_can_use_it(tmp_path, make_signal):
    """Workers fork one child a job."""
    store = Store.open(tmp_path)
    record = store.put_signal(make_signal(0))

    child = os.fork()
    if child == 0:
        try:
            store.put_signal(make_signal(1))
            os._exit(0 if store.signal(record.id).sha256 == record.id else 1)
        except BaseException:
            os._exit(2)

    deadline = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < deadline, "the child waits for ever"
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert len(store.signals().items) == 2


def test_a_child_of_a_process_that_used_a_bucket_is_told_so_at_once(bucket):
    store = Store.open(bucket)
    store.check()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            store.check()
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read().startswith("StoreUnavailable: The bucket was used before this process was forked")
    os.waitpid(child, 0)


OPENED_THEN_FORKED = """
import os, sys
from dredge.store import Store

store = Store.open(sys.argv[1])  # as a worker does, before it forks one child a job
for _ in range(2):
    child = os.fork()
    if child == 0:
        os._exit(store.reserve_version("m", {}))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_children_can_use_a_bucket_that_their_parent_only_opened(bucket):
    done = subprocess.run(
        [sys.executable, "-c", OPENED_THEN_FORKED, bucket], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["1", "2"]
