"""What a process tells of its container, from files as both generations of control groups write them."""

import pytest

from dredge.telemetry import metrics
from dredge.telemetry.container import ContainerCollector

NETWORK = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     999      12    0    0    0     0          0         0      999      12    0    0    0     0       0          0
  eth0:    2000       9    0    0    0     0          0         0      300       3    0    0    0     0       0          0
eth1:70 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
"""
SECOND = {
    "cgroup.controllers": "cpu memory\n", "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\n",
    "memory.current": "1000\n", "memory.stat": "anon 1\ninactive_file 400\n", "memory.max": "4096\n",
    "memory.events": "low 0\noom 3\noom_kill 2\n",
}
FIRST = {
    "cpuacct/cpuacct.usage": "2500000000\n", "memory/memory.usage_in_bytes": "1000\n",
    "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 400\n", "memory/memory.limit_in_bytes": "4096\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
}
FIGURES = {
    ("dredge_container_cpu_seconds_total",): 2.5, ("dredge_container_memory_bytes",): 600,
    ("dredge_container_memory_limit_bytes",): 4096, ("dredge_container_oom_kills_total",): 2,
    ("dredge_container_network_receive_bytes_total", "eth0"): 2000,
    ("dredge_container_network_transmit_bytes_total", "eth0"): 300,
    ("dredge_container_network_receive_bytes_total", "eth1"): 70,
    ("dredge_container_network_transmit_bytes_total", "eth1"): 8,
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def told(folder):
    return {(sample.name, *sample.labels.values()): sample.value
            for family in ContainerCollector(folder / "groups", folder / "proc").collect() for sample in family.samples}


@pytest.fixture
def machine(tmp_path):
    def make(files, own=""):
        write(tmp_path / "groups", files)
        write(tmp_path / "proc", {"net/dev": NETWORK, "self/cgroup": own})
        return tmp_path
    return make


@pytest.mark.parametrize("files", [FIRST, SECOND], ids=["first", "second"])
def test_both_generations_tell_the_same(machine, files):
    assert told(machine(files)) == FIGURES


@pytest.mark.parametrize(("files", "limit"), [
    (SECOND, {"memory.max": "max\n"}),
    (FIRST, {"memory/memory.limit_in_bytes": "9223372036854771712\n"}),
], ids=["second", "first"])
def test_no_limit_is_no_figure(machine, files, limit):
    assert ("dredge_container_memory_limit_bytes",) not in told(machine(files | limit))


@pytest.mark.parametrize(("files", "own"), [
    (SECOND | {"a/b/memory.current": "77\n"}, "0::/a/b\n"),
    (FIRST | {"memory/a/b/memory.usage_in_bytes": "77\n"}, "5:cpu,cpuacct:/a/b\n4:memory:/a/b\n0::/\n"),
], ids=["second", "first"])
def test_outside_a_container_the_own_group_is_told(machine, files, own):
    assert told(machine(files, own))["dredge_container_memory_bytes",] == 77


@pytest.mark.parametrize("own", ["0::/docker/0123\n", "0::/../elsewhere\n", "4:memory:/docker/0123\n"])
def test_a_group_that_is_not_mounted_here_is_the_top_of_what_is(machine, own):
    assert told(machine(SECOND, own))["dredge_container_memory_bytes",] == 600


def test_memory_that_is_less_than_its_cache_is_none(machine):
    """The two are read at different moments."""
    assert told(machine(SECOND | {"memory.current": "100\n"}))["dredge_container_memory_bytes",] == 0


def test_where_the_kernel_tells_nothing_nothing_is_told(tmp_path):
    assert told(tmp_path) == {}


def test_a_file_that_holds_something_else_is_passed_over(machine):
    figures = told(machine({"cgroup.controllers": "", "memory.current": "\n", "memory.max": "-5\n", "cpu.stat": "busy\n"}))
    assert not [name for name, *_ in figures if "network" not in name]


def test_every_process_tells_what_it_uses():
    names = {family.name for family in metrics.REGISTRY.collect()}
    assert {"dredge_container_cpu_seconds", "dredge_container_memory_bytes"} <= names
