"""Models held ready: loaded once, known by content, least recently used out first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal

from dredge.waves import from_bytes

ModelEvent = Literal["hit", "miss", "load", "drop"]


class ReadyModels:
    """Keeps up to `capacity` models in memory. Safe to use from many threads.

    `fetch(name, version)` gives the safetensors bytes of a version, `load` makes a model of them. `observe`
    is told of each hit, miss, load that succeeded, and model that was dropped to make room.
    """

    def __init__(
        self,
        fetch: Callable[[str, int], bytes],
        capacity: int,
        *,
        load: Callable[[bytes], Any] = from_bytes,
        observe: Callable[[ModelEvent], None] | None = None,
    ) -> None:
        self._fetch = fetch
        self._load = load
        self._capacity = max(1, capacity)
        self._observe = observe or (lambda _: None)
        self._models: OrderedDict[str, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, version: int, sha: str) -> Any:
        """The model whose file has the hash `sha`.

        Threads that ask while it loads wait for that one load; when it fails all of them get its error, and
        the next to ask tries again.
        """
        with self._lock:
            held = self._models.get(sha)
            mine: Future[Any] = held or Future()
            self._models[sha] = mine
            self._models.move_to_end(sha)
            dropped = self._make_room()
        self._observe("miss" if held is None else "hit")
        for _ in range(dropped):
            self._observe("drop")
        if held is None:
            self._fill(mine, name, version, sha)
        return mine.result()

    def __len__(self) -> int:
        """How many models are ready."""
        with self._lock:
            return sum(future.done() for future in self._models.values())

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._models.clear()

    def _fill(self, future: Future[Any], name: str, version: int, sha: str) -> None:
        try:
            model = self._load(self._fetch(name, version))
        except BaseException as error:
            with self._lock:
                if self._models.get(sha) is future:
                    del self._models[sha]
            future.set_exception(error)
        else:
            future.set_result(model)
            self._observe("load")

    def _make_room(self) -> int:
        dropped = 0
        while len(self._models) > self._capacity:
            self._models.popitem(last=False)
            dropped += 1
        return dropped
