"""The whole stack: one way in over TLS, everything watched."""

import asyncio
import ssl

import httpx
import pytest
from compose import docker
from mcp import Client

import dredge as library
from waiting import wait_until


@pytest.fixture
def full(stack):
    return stack("full", SERVER_REPLICAS="2", WORKER_REPLICAS="2").up()


@pytest.fixture
def certificate(full, tmp_path):
    path = tmp_path / "tls.crt"
    path.write_text(docker("exec", "dredge-nginx", "cat", "/etc/nginx/tls/tls.crt"))
    return path


def test_the_whole_stack(full, certificate):
    """One start for all that is asked of it, since a start takes longer than the questions."""
    assert not full.unwell()
    key = full.key()
    trusting = ssl.create_default_context(cafile=certificate)
    with httpx.Client(base_url=full.url("NGINX_HTTPS_PORT", "https"), verify=trusting, timeout=60,
                      headers={"Authorization": f"Bearer {key}"}) as web:
        a_recording_is_lifted_over_tls(web)
        the_proxy_keeps_what_is_for_inside(full, web)
        requests_reach_all_servers(web)
    an_agent_lifts_over_tls(full, trusting, key)
    prometheus_sees_every_part(full)
    without_a_key_nothing_is_told(full)


def a_recording_is_lifted_over_tls(web):
    signal = web.post("/v1/signals", content=library.example("ecg").read_bytes(), params={"name": "ecg.csv"},
                      headers={"Content-Type": "text/csv"}).raise_for_status().json()["id"]
    job = web.post("/v1/fits", json={"signal": signal, "waves": 12, "model": "heart"}).raise_for_status().json()["id"]
    with web.stream("GET", f"/v1/jobs/{job}/events") as events:
        told = [line for line in events.iter_lines() if line.startswith("data:")]
    assert '"state":"done"' in told[-1]
    assert web.get("/v1/models/heart").json()["scores"]["snr_db"] >= 20


def the_proxy_keeps_what_is_for_inside(full, web):
    assert web.get("/metrics").status_code == 404
    plain = httpx.get(full.url("NGINX_HTTP_PORT") + "/v1/models")
    assert plain.status_code == 308
    assert plain.headers["location"] == f"https://localhost:{full.ports['NGINX_HTTPS_PORT']}/v1/models"
    answer = web.get("/health", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["strict-transport-security"]
    assert "mine-1" in full.logs("nginx")
    burst = [web.post("/v1/fits", json={}).status_code for _ in range(120)]
    assert 429 in burst
    assert set(burst) <= {422, 429}


def requests_reach_all_servers(web):
    def reached():
        web.get("/health")
        lines = docker("logs", "--tail", "200", "dredge-nginx").splitlines()
        return {line.split('"upstream":"')[1].split('"')[0] for line in lines if '"uri":"/health"' in line}

    wait_until(lambda: len({one for one in reached() if one}) >= 3, "answers of all three servers")


def an_agent_lifts_over_tls(full, trusting, key):
    async def ask():
        from mcp.client.streamable_http import streamable_http_client

        async with httpx.AsyncClient(verify=trusting, timeout=60, headers={"Authorization": f"Bearer {key}"}) as web:
            url = full.url("NGINX_HTTPS_PORT", "https") + "/mcp"
            async with Client(streamable_http_client(url, http_client=web)) as client:
                return await client.call_tool("lift", {"samples": [0, 1, 0, -1] * 8, "sample_rate": 8})

    answer = asyncio.run(ask())
    assert not answer.is_error, answer.content


def prometheus_sees_every_part(full):
    def targets():
        told = httpx.get(full.url("PROMETHEUS_PORT") + "/api/v1/targets").json()["data"]["activeTargets"]
        return [(target["labels"]["job"], target["health"]) for target in told]

    expected = sorted(["dredge-server"] * 3 + ["dredge-worker"] * 2 + ["metrics-exporter", "nginx-exporter", "prometheus",
                                                                      "quasimoto-mcp", "redis-exporter"])
    wait_until(lambda: sorted(job for job, _ in targets()) == expected and {health for _, health in targets()} == {"up"},
               "every target")
    rules = httpx.get(full.url("PROMETHEUS_PORT") + "/api/v1/rules").json()["data"]["groups"]
    assert rules
    assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}


def without_a_key_nothing_is_told(full):
    assert httpx.get(full.url("DREDGE_PORT") + "/v1/models").status_code == 401
    assert httpx.post(full.url("MCP_PORT") + "/mcp", json={}).status_code == 401
