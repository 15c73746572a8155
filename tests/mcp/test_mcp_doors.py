"""What else the port answers: its card, health, metrics, the Open Inference Protocol; and whom it lets in."""

import asyncio

import httpx
import httpx2
import numpy as np
import pytest
import structlog
import tritonclient.http as triton
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from dredge import __version__
from dredge.errors import InvalidSetting
from dredge.mcp import run
from dredge.settings import Settings

READ_KEY, WRITE_KEY = "r" * 20, "w" * 20


@pytest.fixture(scope="module")
def guarded(listen, tmp_path_factory):
    """A server with two keys."""
    settings = Settings.load(
        dredge_data=tmp_path_factory.mktemp("guarded"),
        allowed_hosts="waves.example.org",
        dredge_api_keys=f"reader:read:{READ_KEY},writer:write:{WRITE_KEY}",
    )
    with listen(settings) as running:
        yield running


def call_with_key(server, key, tool, arguments):
    async def asking():
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
        ):
            return await client.call_tool(tool, arguments)

    return asyncio.run(asking())


def test_the_card_says_what_the_server_can(server):
    card = httpx.get(server.url).json()
    assert card["version"] == __version__
    assert card["protocol"]["revisions"] == ["2026-07-28", "2025-11-25"]
    assert "(20 parameters)" in card["capabilities"]["models"]["quasimoto_6d"]
    assert "find_events" in card["capabilities"]["tools"]


def test_health_is_honest(server, monkeypatch):
    from dredge.errors import StoreUnavailable

    for path in ("/health", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"):
        assert httpx.get(server.url + path).status_code == 200, path

    def gone():
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(server.service, "ready", gone)
    assert httpx.get(f"{server.url}/health/live").status_code == 200, "a restart would not bring the store back"
    for path in ("/health", "/health/ready", "/v2/health/ready"):
        response = httpx.get(server.url + path)
        assert response.status_code == 503, path
        assert "The store does not answer." in response.text


def test_metrics_count_calls_by_tool_and_requests_by_route(server):
    server.call("list_models")
    server.refused("describe_model", model="nobody")
    text = httpx.get(f"{server.url}/metrics").text
    assert 'dredge_mcp_calls_total{outcome="ok",tool="list_models"}' in text
    assert 'dredge_mcp_calls_total{outcome="error",tool="describe_model"}' in text
    assert 'route="/mcp"' in text
    httpx.get(f"{server.url}/no/such/page/4711")
    assert "4711" not in httpx.get(f"{server.url}/metrics").text, "addresses are endless"


def test_metrics_can_be_turned_off(listen, tmp_path):
    with listen(Settings.load(dredge_data=tmp_path, metrics_enabled=False)) as quiet:
        assert httpx.get(f"{quiet.url}/metrics").status_code == 404


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("version", ["", "1"])
def test_tritonclient_works_unchanged(server, heart, binary, version):
    times = np.linspace(0.05, 2.7, 57)
    client = triton.InferenceServerClient(server.url.removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("heart", version)
    assert not client.is_model_ready("nobody")
    assert client.get_model_metadata("heart", version)["name"] == "heart"
    points = triton.InferInput("points", [len(times), 1], "FP64")
    points.set_data_from_numpy(times[:, None], binary_data=binary)
    wanted = triton.InferRequestedOutput("values", binary_data=binary)
    values = client.infer("heart", [points], model_version=version, outputs=[wanted]).as_numpy("values")
    assert values == pytest.approx(server.service.evaluate("heart", times), abs=1e-12, rel=0)


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/v2/models/nobody/infer", b'{"inputs": []}', 404),
        ("/v2/models/heart/versions/x/infer", b'{"inputs": []}', 400),
        ("/v2/models/heart/infer", b"{", 400),
        ("/v2/models/heart/infer", b'{"inputs": []}', 400),
    ],
)
def test_the_inference_protocol_tells_errors_its_own_way(server, heart, path, content, status):
    response = httpx.post(server.url + path, content=content)
    assert response.status_code == status
    assert set(response.json()) == {"error"}


@pytest.mark.parametrize("path", ["/mcp", "/v2", "/v2/models/heart"])
@pytest.mark.parametrize("header", [None, "Bearer wrong-key-wrong-key", "Basic abc", f"Bearer{READ_KEY}"])
def test_without_a_key_nobody_comes_in(guarded, path, header):
    headers = {"Authorization": header} if header else {}
    response = httpx.get(guarded.url + path, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "key" in response.json()["error"]


def test_probes_need_no_key(guarded):
    for path in ("/", "/health", "/health/live", "/health/ready", "/metrics"):
        assert httpx.get(guarded.url + path, headers={"Host": "10.1.2.3:3002"}).status_code == 200, path


def test_a_reader_reads_and_a_writer_writes(guarded):
    samples = {"samples": [0, 1, 0, -1] * 8, "sample_rate": 8}
    assert not call_with_key(guarded, READ_KEY, "list_signals", {}).is_error
    assert not call_with_key(guarded, READ_KEY, "lift", {**samples, "waves": 1}).is_error

    for tool, arguments in [
        ("import_signal", samples),
        ("lift", {**samples, "waves": 1, "save_as": "x"}),
        ("delete_model", {"model": "x"}),
        ("cancel_job", {"job": "x"}),
    ]:
        refused = call_with_key(guarded, READ_KEY, tool, arguments)
        assert refused.is_error
        assert "'reader' does not have the scope 'write'" in refused.content[0].text
    assert not call_with_key(guarded, WRITE_KEY, "import_signal", samples).is_error


def test_the_original_body_asks_for_scopes_too(guarded):
    body = {"operation": "load_model", "params": {"model_type": "quasimoto_1d"}}
    answers = [
        httpx.post(f"{guarded.url}/mcp", json=body, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (READ_KEY, WRITE_KEY)
    ]
    assert answers == [403, 200]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example.com"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://evil.example.com"}, 403),
        ({"Host": "waves.example.org"}, 200),
        ({"Host": "waves.example.org:8080", "Origin": "https://waves.example.org:8080"}, 200),
        ({"Host": "localhost:3002", "Origin": "http://localhost:6274"}, 200),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        {"operation": "list_capabilities"},
    ],
    ids=["protocol", "original"],
)
def test_host_and_origin_are_checked(guarded, headers, status, body):
    response = httpx.post(
        f"{guarded.url}/mcp",
        json=body,
        headers={
            "Authorization": f"Bearer {READ_KEY}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
            **headers,
        },
    )
    assert response.status_code == status, response.text


def test_writes_leave_an_audit_line(server, knock):
    with structlog.testing.capture_logs() as lines:
        server.call("lift", samples=knock, sample_rate=512, waves=1, save_as="audited")
        server.call("delete_model", model="audited")
        server.call("list_models")
        server.original("load_model", model_type="quasimoto_1d")
    written = [line for line in lines if line["event"] == "write"]
    assert [line["action"] for line in written] == ["lift", "delete_model", "original load_model"]
    assert {line["caller"] for line in written} == {"local"}
    assert {line["outcome"] for line in written} == {"ok"}
    assert written[1]["model"] == "audited"
    assert not any("samples" in line for line in written)


def test_an_open_door_is_not_opened(tmp_path):
    with pytest.raises(InvalidSetting, match="can be reached from other machines"):
        run(Settings.load(dredge_data=tmp_path, dredge_host="0.0.0.0"))
