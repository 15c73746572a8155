"""Memory of GPUs, told only by a process that uses them."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from dredge.telemetry.gpu import GpuCollector


def told():
    return {tuple(sample.labels.values()): sample.value for family in GpuCollector().collect() for sample in family.samples}


def cuda(**more):
    return SimpleNamespace(cuda=SimpleNamespace(**{"is_initialized": lambda: True, "device_count": lambda: 2,
                                                   "mem_get_info": lambda device: (30 - device, 100)} | more))


def test_used_and_total_memory_of_each_device(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", cuda())
    assert told() == {("0", "used"): 70, ("0", "total"): 100, ("1", "used"): 71, ("1", "total"): 100}


def test_a_process_that_has_not_used_a_gpu_does_not_start_to(monkeypatch):
    def refuse(*_):
        raise AssertionError("this starts CUDA")

    monkeypatch.setitem(sys.modules, "torch", cuda(is_initialized=lambda: False, device_count=refuse, mem_get_info=refuse))
    assert told() == {}


def fail(_):
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


@pytest.mark.parametrize("torch", [cuda(mem_get_info=fail), SimpleNamespace()], ids=["failed", "still loading"])
def test_a_gpu_that_does_not_answer_fails_no_scrape(torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert told() == {}


def test_torch_is_not_loaded_for_it():
    program = ("import sys; from dredge.telemetry.gpu import GpuCollector; list(GpuCollector().collect());"
               "assert 'torch' not in sys.modules")
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.gpu
def test_a_real_device_tells_more_once_something_is_on_it():
    import torch

    torch.zeros(1, device="cuda")
    before = told()["0", "used"]
    kept = torch.zeros(1 << 28, dtype=torch.uint8, device="cuda")
    assert told()["0", "used"] >= before + kept.numel()
    assert told()["0", "total"] == torch.cuda.get_device_properties(0).total_memory
