"""A client of a DREDGE server.

    client = dredge.Client("http://localhost:3001")
    signal = client.import_signal("ecg.csv")
    model = client.fit(signal["id"], waves=12, model="heart")
    client.events("heart"), client.evaluate("heart", [0.1, 0.2])

What the server refuses raises the same errors of `dredge.errors` as the library does in this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import numpy as np
import numpy.typing as npt

from dredge import errors

Record = dict[str, Any]
Progress = Callable[[Record], None]
Values = npt.NDArray[np.float64]

ENDED = {"done", "failed", "cancelled"}
NUMBERS = "application/octet-stream"
POLL = 0.5  # seconds, where the server cannot stream
TRIES = 5


class Client:
    """Everything that a server does, as methods. Records are dictionaries, as in the server's OpenAPI document."""

    def __init__(
        self, url: str = "http://127.0.0.1:3001", key: str | None = None, *, timeout: float = 60.0
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> Record:
        """How the server is. Raises Unavailable naming the part that does not answer."""
        return self._get("/health")

    # Signals

    def import_signal(
        self,
        source: str | Path | bytes,
        *,
        name: str | None = None,
        format: str | None = None,
        sample_rate: float | None = None,
        unit: str | None = None,
        channels: Sequence[str] | None = None,
        start_time: str | None = None,
        gaps: str = "refuse",
    ) -> Record:
        """Upload a recording, a path or its bytes, and answer its record."""
        given = {
            "name": name,
            "format": format,
            "sample_rate": sample_rate,
            "unit": unit,
            "start_time": start_time,
            "gaps": gaps,
            "channels": ",".join(channels) if channels else None,
        }
        if isinstance(source, bytes):
            return self._upload("POST", "/v1/signals", source, given)
        path = Path(source)
        with path.open("rb") as file:
            return self._upload("POST", "/v1/signals", file, {**given, "name": name or path.name})

    def import_samples(
        self, samples: Any, *, sample_rate: float = 1.0, unit: str = "1", name: str = "signal"
    ) -> Record:
        """Keep samples that are already numbers, [N] or [channels, N], and answer their record."""
        body = {
            "samples": np.asarray(samples).tolist(),
            "sample_rate": sample_rate,
            "unit": unit,
            "name": name,
        }
        return self._post("/v1/signals", body)

    def signal(self, id: str) -> Record:
        """The record of a signal."""
        return self._get(f"/v1/signals/{_part(id)}")

    def signals(self) -> Iterator[Record]:
        """Every signal."""
        return self._all("/v1/signals")

    def samples(self, id: str, *, start: int = 0, stop: int | None = None) -> Values:
        """Samples of a signal, float64 [channels, axes…]."""
        import io

        response = self._request(
            "GET",
            f"/v1/signals/{_part(id)}/samples",
            params=_given({"start": start, "stop": stop, "format": "npy"}),
        )
        values: Values = np.load(io.BytesIO(response.content), allow_pickle=False)
        return values

    def delete_signal(self, id: str) -> None:
        """Forget a signal."""
        self._request("DELETE", f"/v1/signals/{_part(id)}")

    # Fitting

    def lift(
        self,
        samples: Any = None,
        *,
        text: str | None = None,
        sample_rate: float = 1.0,
        unit: str = "1",
        save_as: str | None = None,
        **options: Any,
    ) -> Record:
        """Turn samples or a text into waves at once. Options are those of `fit`."""
        body = {
            "samples": None if samples is None else np.asarray(samples).tolist(),
            "insight_text": text,
            "sample_rate": sample_rate,
            "unit": unit,
            "save_as": save_as,
            **options,
        }
        return self._post("/lift", _given(body))

    def submit_fit(
        self, signal: str, *, model: str | None = None, channel: str | int = 0, **options: Any
    ) -> Record:
        """Start a fit and answer its job. Options: waves, numbers, target_error, seconds, seed, edge, hold_out."""
        return self._post(
            "/v1/fits", _given({"signal": signal, "model": model, "channel": channel, **options})
        )

    def fit(
        self,
        signal: str,
        *,
        model: str | None = None,
        channel: str | int = 0,
        progress: Progress | None = None,
        **options: Any,
    ) -> Record:
        """Fit a stored signal and wait for the model's record. `progress` gets the job each time it changes.

        Raises Cancelled when someone cancels the job, and Stopped when it fails.
        """
        job = self.wait(
            self.submit_fit(signal, model=model, channel=channel, **options)["id"], progress=progress
        )
        return self.model(job["result"]["model"], job["result"]["version"])

    def estimate_fit(self, signal: str, **options: Any) -> Record:
        """What a fit would cost."""
        return self._post("/v1/fits/estimate", _given({"signal": signal, **options}))

    # Jobs

    def job(self, id: str) -> Record:
        """A job as it stands."""
        return self._get(f"/v1/jobs/{_part(id)}")

    def jobs(self, state: str | None = None) -> Iterator[Record]:
        """Every job, newest first."""
        return self._all("/v1/jobs", state=state)

    def cancel(self, id: str) -> Record:
        """Cancel a job. Raises Conflict when it has ended."""
        return self._post(f"/v1/jobs/{_part(id)}/cancel", None)

    def wait(self, id: str, *, progress: Progress | None = None, timeout: float | None = None) -> Record:
        """The job once it is done. Raises Cancelled, TimeLimitReached after `timeout` seconds, Stopped if it fails."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for job in self._follow(id):
            if progress is not None:
                progress(job)
            if job["state"] == "done":
                return job
            if job["state"] == "cancelled":
                raise errors.Cancelled(f"The job {id} was cancelled.")
            if job["state"] == "failed":
                raise errors.Stopped(f"The job {id} failed: {job['reason'] or 'the server gives no reason'}")
            if deadline is not None and time.monotonic() > deadline:
                break
        raise errors.TimeLimitReached(f"The job {id} did not end within {timeout:g} s; it goes on.")

    # Models

    def model(self, name: str, version: int | None = None) -> Record:
        """The record of a model, the newest version when none is named."""
        return self._get(_model(name), version=version)

    def models(self) -> Iterator[Record]:
        """Every model at its newest version."""
        return self._all("/v1/models")

    def versions(self, name: str) -> list[Record]:
        """All versions of a model, oldest first."""
        items: list[Record] = self._get(f"{_model(name)}/versions")["items"]
        return items

    def load(self, name: str, version: int | None = None) -> Any:
        """The model itself, in this process."""
        from dredge.waves import from_bytes

        return from_bytes(
            self._request(
                "GET", f"{_model(name)}/waves.safetensors", params=_given({"version": version})
            ).content
        )

    def import_model(self, name: str, model: Any) -> Record:
        """Keep a model that was made here, as the next version under `name`."""
        from dredge.waves import to_bytes

        return self._upload("POST", _model(name), model if isinstance(model, bytes) else to_bytes(model), {})

    def events(self, name: str, version: int | None = None, **filters: Any) -> list[Record]:
        """The waves of a model as rows.

        Filters: sort, descending, start and stop of their centres, low and high frequency, strongest.
        """
        query = {
            "from" if key == "start" else "to" if key == "stop" else key: value
            for key, value in filters.items()
        }
        rows: list[Record] = self._get(f"{_model(name)}/events", version=version, **query)["events"]
        return rows

    def evaluate(self, name: str, points: Any, version: int | None = None) -> Values:
        """Values of a model at points, [N] from [N] or [N, coordinates], to the last bit."""
        data = np.ascontiguousarray(points, dtype="<f8").tobytes()
        response = self._request(
            "POST",
            f"{_model(name)}/evaluate",
            params=_given({"version": version}),
            content=data,
            headers={"Content-Type": NUMBERS, "Accept": NUMBERS},
        )
        return np.frombuffer(response.content, "<f8").astype(np.float64)

    def evaluate_grid(
        self, name: str, grid: Sequence[tuple[float, float, int]], version: int | None = None
    ) -> Values:
        """Values on a regular grid of (start, stop, count) an axis, [count of axis 1, …]."""
        axes = [{"start": float(start), "stop": float(stop), "count": count} for start, stop, count in grid]
        response = self._request(
            "POST",
            f"{_model(name)}/evaluate",
            params=_given({"version": version}),
            json={"grid": axes},
            headers={"Accept": NUMBERS},
        )
        return (
            np.frombuffer(response.content, "<f8").astype(np.float64).reshape([count for _, _, count in grid])
        )

    def compare(
        self, first: str, second: str, *, first_version: int | None = None, second_version: int | None = None
    ) -> Record:
        """Two models side by side."""
        return self._get(
            "/v1/compare",
            first=first,
            second=second,
            first_version=first_version,
            second_version=second_version,
        )

    def plot(self, name: str, version: int | None = None, *, format: str = "png") -> bytes:
        """A picture of a model, as PNG or SVG."""
        return self._request(
            "GET", f"{_model(name)}/plot", params=_given({"version": version, "format": format})
        ).content

    def delete_model(self, name: str, version: int | None = None) -> None:
        """Forget a model, or one version of it."""
        self._request("DELETE", _model(name), params=_given({"version": version}))

    # Requests

    def _get(self, path: str, **query: Any) -> Record:
        record: Record = self._request("GET", path, params=_given(query)).json()
        return record

    def _post(self, path: str, body: Any) -> Record:
        record: Record = self._request("POST", path, json=body).json()
        return record

    def _upload(self, method: str, path: str, content: Any, query: Mapping[str, Any]) -> Record:
        record: Record = self._request(
            method, path, params=_given(query), content=content, headers={"Content-Type": NUMBERS}
        ).json()
        return record

    def _all(self, path: str, **query: Any) -> Iterator[Record]:
        cursor = None
        while True:
            page = self._get(path, cursor=cursor, limit=200, **query)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise errors.Unavailable(
                f"The server at {self._http.base_url} does not answer: {error}.",
                hint="Is it running? `dredge up` starts it.",
            ) from error
        if response.is_error:
            raise error_of(response)
        return response

    def _follow(self, id: str) -> Iterator[Record]:
        """The job each time it changes, over as many connections as that takes."""
        failures = 0
        while True:
            try:
                for job in self._events(id):
                    failures = 0
                    yield job
                    if job["state"] in ENDED:
                        return
            except (httpx.TransportError, errors.Busy) as error:
                failures += 1
                if failures > TRIES:
                    raise errors.Unavailable(f"The server does not answer any more: {error}.") from error
            time.sleep(POLL)

    def _events(self, id: str) -> Iterator[Record]:
        import json

        with self._http.stream(
            "GET", f"/v1/jobs/{_part(id)}/events", timeout=httpx.Timeout(10, read=60)
        ) as response:
            if response.is_error:
                response.read()
                raise error_of(response)
            event = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: ") and event in {"progress", "end"}:
                    yield json.loads(line.removeprefix("data: "))


def error_of(response: httpx.Response) -> errors.DredgeError:
    """The error that a problem document tells of."""
    try:
        problem = response.json()
        code = str(problem["type"]).rpartition(":")[2]
        message, field, hint = str(problem["detail"]), problem.get("field"), problem.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _of_status(response.status_code)(
            f"The server answered {response.status_code} {response.reason_phrase}."
        )
    kind = _kinds().get(code, _of_status(response.status_code))
    if issubclass(kind, errors.Busy):
        return kind(message, retry_after=_seconds(response.headers.get("Retry-After")), hint=hint)
    return kind(message, field=field, hint=hint)


def _kinds() -> dict[str, type[errors.DredgeError]]:
    found, waiting = {}, [errors.DredgeError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found


def _of_status(status: int) -> type[errors.DredgeError]:
    known: dict[int, type[errors.DredgeError]] = {
        400: errors.InvalidInput,
        401: errors.NotAuthenticated,
        403: errors.NotAllowed,
        404: errors.NotFound,
        409: errors.Conflict,
        413: errors.TooLarge,
        415: errors.InvalidInput,
        422: errors.InvalidInput,
        429: errors.Busy,
        502: errors.Unavailable,
        503: errors.Unavailable,
        504: errors.Unavailable,
    }
    return known.get(status, errors.DredgeError)


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 1.0


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _part(text: str) -> str:
    return quote(text, safe="")


def _model(name: str) -> str:
    return f"/v1/models/{_part(name)}"
