"""A model is loaded once, by content, and the one unused for longest makes room."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from dredge.errors import ModelNotFound
from dredge.serving import ReadyModels


class Shelf:
    """Counts what is fetched; a fetch may be held up or broken."""

    def __init__(self):
        self.fetched = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def fetch(self, name, version):
        self.fetched.append((name, version))
        assert self.gate.wait(30)
        if self.broken:
            raise ModelNotFound(f"There is no model {name}.")
        return f"{name}:{version}".encode()


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def seen():
    return Counter()


@pytest.fixture
def ready(shelf, seen):
    return ReadyModels(shelf.fetch, 2, load=lambda data: [data.decode()], observe=lambda event: seen.update([event]))


def test_a_model_is_loaded_once_and_is_the_same_object_after(ready, shelf, seen):
    first = ready.get("a", 1, "sha-a")
    assert first == ["a:1"]
    assert ready.get("a", 1, "sha-a") is first
    assert shelf.fetched == [("a", 1)]
    assert seen == {"miss": 1, "load": 1, "hit": 1}


def test_two_names_for_the_same_content_share_one_model(ready, shelf):
    assert ready.get("a", 1, "sha") is ready.get("copy-of-a", 7, "sha")
    assert shelf.fetched == [("a", 1)]


def test_a_new_version_is_another_model(ready):
    assert ready.get("a", 1, "one") != ready.get("a", 2, "two")


def test_the_model_unused_for_longest_makes_room(ready, shelf, seen):
    ready.get("a", 1, "a")
    ready.get("b", 1, "b")
    ready.get("a", 1, "a")
    ready.get("c", 1, "c")  # b goes
    assert len(ready) == 2
    assert seen["drop"] == 1
    ready.get("a", 1, "a")
    ready.get("b", 1, "b")
    assert shelf.fetched == [("a", 1), ("b", 1), ("c", 1), ("b", 1)]


def test_sixteen_threads_that_ask_at_once_cause_one_load(ready, shelf, seen):
    shelf.gate.clear()
    together = threading.Barrier(17)

    def ask(_):
        together.wait()
        return ready.get("a", 1, "a")

    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(ask, range(16))
        together.wait()
        shelf.gate.set()
        models = list(answers)

    assert len({id(model) for model in models}) == 1
    assert shelf.fetched == [("a", 1)]
    assert seen == {"miss": 1, "load": 1, "hit": 15}


def test_one_model_that_loads_slowly_does_not_hold_up_another(ready, shelf):
    slow = Shelf()
    slow.gate.clear()
    ready = ReadyModels(
        lambda name, version: (slow if name == "slow" else shelf).fetch(name, version), 8, load=lambda data: data
    )
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ready.get, "slow", 1, "slow")
        assert ready.get("quick", 1, "quick") == b"quick:1"
        assert not waiting.done()
        slow.gate.set()
        assert waiting.result() == b"slow:1"


def test_a_load_that_fails_fails_for_all_who_wait_and_is_tried_again_after(ready, shelf, seen):
    shelf.broken = True
    for _ in range(2):
        with pytest.raises(ModelNotFound):
            ready.get("a", 1, "a")
    assert len(ready) == 0
    shelf.broken = False
    assert ready.get("a", 1, "a") == ["a:1"]
    assert len(shelf.fetched) == 3
    assert seen == {"miss": 3, "load": 1}


def test_a_model_dropped_while_it_loads_still_reaches_who_asked(shelf):
    ready = ReadyModels(shelf.fetch, 1, load=lambda data: data)
    shelf.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ready.get, name, 1, name) for name in "abc"]
        shelf.gate.set()
        assert [future.result(30) for future in asked] == [b"a:1", b"b:1", b"c:1"]
    assert len(ready) == 1


def test_clearing_forgets_all(ready, shelf):
    ready.get("a", 1, "a")
    ready.clear()
    assert len(ready) == 0
    ready.get("a", 1, "a")
    assert len(shelf.fetched) == 2
