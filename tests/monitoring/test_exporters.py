"""The exporters of Redis and nginx, as the stack runs them, export what rules and dashboards ask for."""

import os
import subprocess
import time

import pytest
from scraping import labels_of, scrape
from watching import ROOT, load, missing

from waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]
STATUS = 8081


def docker(*arguments, check=True):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=300, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def stack():
    """Run services of the stack side by side: each one further shares the network of the first."""
    if not os.environ.get("CI") and subprocess.run("docker info", shell=True, capture_output=True, check=False).returncode:
        pytest.skip("needs a Docker engine")
    services, running = load(ROOT / "docker-compose.profiles.yml")["services"], []

    def run(service, options, *command):
        beside = ["--network", f"container:{running[0]}"] if running else []
        running.append(docker("run", "-d", "--rm", *beside, *options, services[service]["image"], *command))
        return running[-1]

    yield run
    docker("rm", "-f", *reversed(running), check=False)


def told(container, port, name):
    """Labels by name, once the exporter tells of `name`."""
    address = docker("port", container, str(port)).splitlines()[0]
    return wait_until(lambda: name in (found := labels_of(scrape(f"http://{address}"))) and found, name)


def test_redis(stack):
    redis = stack("redis", ["-p", "127.0.0.1::9121"], "redis-server", "--appendonly", "yes", "--maxmemory", "1500kb")
    stack("redis-exporter", [])
    wait_until(lambda: "OOM" in docker("exec", redis, "redis-cli", "setrange", str(time.monotonic_ns()), "400000", "x",
                                       check=False), "a Redis that is full")
    assert not missing(told(redis, 9121, "redis_errors_total"), "redis_")


def test_nginx(stack, tmp_path):
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(f"pid /tmp/pid; events {{}} http {{ server {{ listen {STATUS}; stub_status; }} }}")
    nginx = stack("nginx", ["-p", "127.0.0.1::9113", "-v", f"{configuration}:/etc/nginx/nginx.conf:ro"])
    stack("nginx-exporter", [], f"--nginx.scrape-uri=http://127.0.0.1:{STATUS}/")
    assert not missing(told(nginx, 9113, "nginx_http_requests_total"), "nginx_")
