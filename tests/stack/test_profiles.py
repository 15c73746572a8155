"""Every profile comes up healthy by itself, from nothing and with no .env."""

import time

import httpx
import pytest
from compose import ROOT, docker

EXPECTED = {
    "cpu": {"dredge-flask", "dredge-redis"},
    "workers": {"dredge-redis", "dredge-dredge-worker-1"},
    "monitoring": {"dredge-metrics", "dredge-prometheus", "dredge-grafana"},
    "proxy": {"dredge-nginx"},
}


def test_the_plain_file_is_the_profiles_file():
    assert (ROOT / "docker-compose.yml").samefile(ROOT / "docker-compose.profiles.yml")


@pytest.mark.parametrize("profile", EXPECTED)
def test_a_profile_comes_up_by_itself(stack, profile):
    running = stack(profile).up()
    assert {name for name, (service, *_) in running.containers().items() if service != "prepare"} == EXPECTED[profile]
    assert not running.unwell()


def test_the_cpu_profile_is_up_in_twenty_seconds_and_light(stack):
    began = time.monotonic()
    running = stack("cpu").up()
    assert time.monotonic() - began < 20
    assert httpx.get(running.url("DREDGE_PORT") + "/health").json()["status"] == "ok"
    used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", "dredge-flask", "dredge-redis")
    units = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}
    total = sum(float(amount[:-3]) * units[amount[-3:]] for amount in (line.split(" /")[0] for line in used.splitlines()))
    assert total < 700


def test_the_gpu_profile_asks_for_a_gpu_and_the_others_do_not(stack):
    made = stack("gpu")
    for profile in ("gpu", "full", "cpu"):
        config = made.compose("config", profiles=[profile]).stdout
        assert ("driver: nvidia" in config) == (profile == "gpu"), profile


def test_workers_are_scaled(stack):
    running = stack("workers", WORKER_REPLICAS="2").up()
    workers = [name for name, (service, *_) in running.containers().items() if service == "dredge-worker"]
    assert len(workers) == 2
    running.up("--scale", "dredge-worker=1")
    workers = [name for name, (service, *_) in running.containers().items() if service == "dredge-worker"]
    assert len(workers) == 1


ABOUT = ("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.PidsLimit}} "
         "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.Config.User}}")


def test_every_container_is_confined(stack):
    running = stack("cpu", "workers", "monitoring", "proxy").up()
    for name in running.containers():
        read_only, dropped, options, pids, memory, cpus, user = docker("inspect", "-f", ABOUT, name).split()
        assert (read_only, dropped, options) == ("true", "[ALL]", "[no-new-privileges:true]"), name
        assert int(pids) > 0 and int(memory) > 0 and int(cpus) > 0, name
        assert user not in ("", "root", "0"), name


def test_nothing_is_published_beyond_this_machine(stack):
    running = stack("cpu", "proxy").up()
    for name in running.containers():
        for line in docker("port", name).splitlines():
            assert line.split("-> ")[1].startswith("127.0.0.1:"), (name, line)
