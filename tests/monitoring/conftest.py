"""A whole DREDGE that has done something of everything, so that every series is there."""

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from mcp import Client
from scraping import labels_of, scrape

sys.path.append(str(Path(__file__).parents[1] / "system"))

from running import start, wait_for_example

import dredge as library
from dredge.cli.certificate import Keeper
from dredge.telemetry.gpu import GpuCollector
from waiting import free_ports, wait_until


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Name -> labels of all that the processes of DREDGE export."""
    folder = tmp_path_factory.mktemp("exported")
    [port] = free_ports(1)
    dredge = start(folder / "data", folder / "log", WORKER_PORT=str(port))
    processes = [dredge.server, dredge.mcp, dredge.metrics, f"http://127.0.0.1:{port}"]
    try:
        wait_for_example(dredge)
        scrape(dredge.metrics)  # fits are counted from the first scrape on
        _use(dredge)
        wait_until(lambda: any(one.name == "dredge_fit_seconds_count" and float(one.value) for one in scrape(dredge.metrics)),
                   "the fit in the exporter")
        yield labels_of([*_gpu(), *_certificate(folder / "tls"), *(sample for url in processes for sample in scrape(url))])
    finally:
        dredge.stop()


def _use(dredge):
    signal = httpx.post(f"{dredge.server}/v1/signals", content=library.example("ecg").read_bytes(),
                        params={"name": "ecg", "format": "csv"}).raise_for_status().json()["id"]
    job = httpx.post(f"{dredge.server}/v1/fits", json={"signal": signal, "waves": 1, "model": "one"}).raise_for_status().json()
    wait_until(lambda: httpx.get(f"{dredge.server}/v1/jobs/{job['id']}").json()["state"] == "done", "the fit", 120)

    async def call():
        async with Client(f"{dredge.mcp}/mcp") as client:
            for _ in range(2):
                await client.call_tool("evaluate", {"model": "one", "points": [0.5]})

    asyncio.run(call())


def _certificate(folder):
    """What the process tells that keeps the certificate of nginx."""
    keeper = Keeper(folder)
    keeper.look()
    return [sample for family in keeper.collect() for sample in family.samples]


def _gpu():
    """What a process tells that uses a GPU: the collector itself, before a device that is a stand-in."""
    device = SimpleNamespace(is_initialized=lambda: True, device_count=lambda: 1, mem_get_info=lambda _: (1, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", SimpleNamespace(cuda=device))
        return [sample for family in GpuCollector().collect() for sample in family.samples]
