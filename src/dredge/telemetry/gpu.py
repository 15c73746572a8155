"""Memory of the GPUs that this process works on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class GpuCollector(Collector):
    """Tells nothing until the process itself has used a GPU.

    To load torch or to start CUDA for a scrape would cost seconds and memory, and a process that has started CUDA can fork
    no children that use it: a worker would lose its GPU to its own metrics.
    """

    def describe(self) -> Iterator[Any]:
        """Nothing before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Any]:
        """Used and total memory of each device, by whichever process."""
        family = GaugeMetricFamily("dredge_gpu_memory_bytes", "Memory of a GPU", labels=["device", "kind"])
        try:
            cuda = sys.modules["torch"].cuda
            for device in range(cuda.device_count() if cuda.is_initialized() else 0):
                free, total = cuda.mem_get_info(device)
                family.add_metric([str(device), "used"], total - free)
                family.add_metric([str(device), "total"], total)
        except (KeyError, AttributeError, RuntimeError):  # not loaded, still loading, or the GPU has failed
            return
        if family.samples:
            yield family
