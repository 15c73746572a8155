"""What `dredge bench` measures."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import numpy as np

from dredge.errors import Unavailable

CLIENTS = (1, 16)
POINTS = (1, 256, 4096)


def measure_process(seconds: float) -> list[dict[str, Any]]:
    """Evaluation in this process, float32, fresh points each time."""
    import torch

    from dredge.waves import WaveField, evaluate

    rng = np.random.default_rng(0)
    rows = []
    for waves, points in ((16, 1024), (64, 65_536), (1024, 4096)):
        field = WaveField.chirplets(rng.uniform(0, 1, waves), rng.uniform(0.02, 0.2, waves), rng.uniform(0, 300, waves),
                                    rng.uniform(-100, 100, waves), rng.normal(size=waves), rng.normal(size=waves))
        field = field.to(dtype=torch.float32)
        count, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            evaluate(field, torch.rand(points))
            count += 1
        rows.append({"waves": waves, "points": points, "evaluations/s": count / elapsed,
                     "ns per point × wave": 1e9 * elapsed / (count * waves * points)})
    return rows


def measure_server(url: str, model: str, seconds: float) -> list[dict[str, Any]]:
    """Requests to a running server with fresh points each time. Raises Unavailable when it does not answer."""
    try:
        record = httpx.get(f"{url}/v1/models/{model}", timeout=10)
        record.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer for the model {model}: {error}.", hint="Is DREDGE up there?") from None
    return [_measure(url, model, clients, points, seconds) for clients in CLIENTS for points in POINTS]


def _measure(url: str, model: str, clients: int, points: int, seconds: float) -> dict[str, Any]:
    times: list[float] = []
    failures: list[str] = []
    stop = time.perf_counter() + seconds

    def ask(seed: int) -> None:
        rng = np.random.default_rng(seed)
        with httpx.Client(timeout=30) as client:
            while (began := time.perf_counter()) < stop:
                answer = client.post(f"{url}/v1/models/{model}/evaluate", content=rng.uniform(0, 2, points).tobytes(),
                                     headers={"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"})
                if answer.is_success:
                    times.append(time.perf_counter() - began)
                else:
                    failures.append(str(answer.status_code))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p99 = (1000 * float(np.quantile(times, q)) for q in (0.5, 0.99)) if times else (None, None)
    return {"clients": clients, "points": points, "requests/s": len(times) / seconds, "p50 ms": p50, "p99 ms": p99,
            "failed": len(failures)}
