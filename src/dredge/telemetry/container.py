"""What a container uses, as the kernel tells the processes in it: no Docker socket and no agent on the host is needed.

Both generations of control groups are read. Outside a container the figures are those of the process's own group.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

NO_LIMIT = 1 << 60  # what the first generation says where there is none is about 2^63


class ContainerCollector(Collector):
    """Processor time, memory, its limit, processes killed for want of memory, and network. Tells what it finds."""

    def __init__(self, groups: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> None:
        self._groups = groups
        self._proc = proc

    def describe(self) -> Iterator[Any]:
        """Nothing before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Any]:
        """The metrics, one family at a time."""
        second = (self._groups / "cgroup.controllers").exists()
        seconds, used, limit, kills = self._second() if second else self._first()
        if seconds is not None:
            yield CounterMetricFamily("dredge_container_cpu_seconds", "Processor time of the container", value=seconds)
        if used is not None:
            yield GaugeMetricFamily("dredge_container_memory_bytes", "Memory that the container needs, without file cache "
                                    "that can go", value=used)
        if limit is not None and limit < NO_LIMIT:
            yield GaugeMetricFamily("dredge_container_memory_limit_bytes", "Memory that the container may use", value=limit)
        if kills is not None:
            yield CounterMetricFamily("dredge_container_oom_kills", "Processes killed for want of memory", value=kills)
        yield from self._network()

    def _second(self) -> tuple[float | None, int | None, int | None, int | None]:
        group = self._group("")
        micro = _entry(group / "cpu.stat", "usage_usec")
        return (None if micro is None else micro / 1e6,
                _less(_number(group / "memory.current"), _entry(group / "memory.stat", "inactive_file")),
                _number(group / "memory.max"), _entry(group / "memory.events", "oom_kill"))

    def _first(self) -> tuple[float | None, int | None, int | None, int | None]:
        memory = self._group("memory")
        nano = _number(self._group("cpuacct") / "cpuacct.usage")
        return (None if nano is None else nano / 1e9,
                _less(_number(memory / "memory.usage_in_bytes"), _entry(memory / "memory.stat", "total_inactive_file")),
                _number(memory / "memory.limit_in_bytes"), _entry(memory / "memory.oom_control", "oom_kill"))

    def _group(self, controller: str) -> Path:
        """The folder of our own group; in a container that is usually the top of what is mounted."""
        top = self._groups / controller
        for line in _lines(self._proc / "self/cgroup"):
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(",") and ".." not in path and (own := top / path.strip("/")).is_dir():
                return own
        return top

    def _network(self) -> Iterator[CounterMetricFamily]:
        received = CounterMetricFamily("dredge_container_network_receive_bytes", "Bytes received", labels=["interface"])
        sent = CounterMetricFamily("dredge_container_network_transmit_bytes", "Bytes sent", labels=["interface"])
        for line in _lines(self._proc / "net/dev")[2:]:  # two lines of headings
            name, _, rest = line.partition(":")
            numbers = rest.split()
            if name.strip() != "lo" and len(numbers) > 8:
                received.add_metric([name.strip()], int(numbers[0]))
                sent.add_metric([name.strip()], int(numbers[8]))
        yield from (received, sent)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    """The number a file holds; None where there is no such file, or no limit ("max")."""
    [text, *_] = _lines(path) or [""]
    return int(text) if text.isdigit() else None


def _entry(path: Path, name: str) -> int | None:
    """The number behind a name in a file of names and numbers."""
    return next((int(words[1]) for line in _lines(path) if (words := line.split())[:1] == [name]), None)


def _less(used: int | None, cache: int | None) -> int | None:
    return None if used is None else max(0, used - (cache or 0))
