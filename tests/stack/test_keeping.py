"""What was accepted is kept: over down and up, over the death of any container, and through a backup."""

import subprocess

import httpx
import pytest
from compose import ROOT, docker

import dredge as library
from waiting import wait_until


class Caller:
    """Somebody with a key."""

    def __init__(self, running):
        self.http = httpx.Client(base_url=running.url("DREDGE_PORT"), timeout=30,
                                 headers={"Authorization": f"Bearer {running.key()}"})

    def import_ecg(self):
        answer = self.http.post("/v1/signals", content=library.example("ecg").read_bytes(), params={"name": "ecg.csv"},
                                headers={"Content-Type": "text/csv"})
        return answer.raise_for_status().json()["id"]

    def fit(self, signal, waves=12, **more):
        return self.http.post("/v1/fits", json={"signal": signal, "waves": waves, **more}).raise_for_status().json()["id"]

    def state(self, job):
        try:
            answer = self.http.get(f"/v1/jobs/{job}")
        except httpx.HTTPError:
            return "unreachable"
        return answer.json()["state"] if answer.is_success else f"status {answer.status_code}"


def test_jobs_and_models_outlive_down_and_up(stack):
    running = stack("cpu", "workers").up()
    caller = Caller(running)
    done = caller.fit(caller.import_ecg(), 2, model="heart")
    wait_until(lambda: caller.state(done) == "done", "the fit")
    docker("stop", "-t", "1", "dredge-dredge-worker-1")  # so that the next one is still waiting
    waiting = caller.fit(caller.import_ecg(), 3, model="later")

    running.down()
    running.up()

    caller = Caller(running)
    assert caller.state(done) == "done"
    assert caller.http.get("/v1/models/heart").json()["waves"] == 2
    wait_until(lambda: caller.state(waiting) == "done", "the fit that waited")


@pytest.mark.parametrize("victim", ["dredge-flask", "dredge-redis", "dredge-dredge-worker-1"])
def test_the_death_of_a_container_loses_no_job_and_the_stack_heals(stack, victim):
    running = stack("cpu", "workers").up()
    caller = Caller(running)
    signal = caller.import_ecg()
    jobs = [caller.fit(signal, 6 + number, model=f"model-{number}") for number in range(3)]
    wait_until(lambda: "running" in map(caller.state, jobs), "a running fit")

    # What the kernel does when memory runs out: the first process is gone, and nothing was told.
    subprocess.run(["docker", "exec", victim, "sh", "-c", "kill -9 -1"], capture_output=True, check=False)
    docker("kill", victim, check=False)
    docker("start", victim, check=False)  # `docker kill` counts as a stop by hand; a crash is restarted by the policy

    wait_until(lambda: not running.unwell(), "a healthy stack", 90)
    wait_until(lambda: {caller.state(job) for job in jobs} == {"done"}, "the end of all fits", 120)
    assert [len(caller.http.get(f"/v1/models/model-{n}/versions").json()["items"]) for n in range(3)] == [1, 1, 1]


def test_a_backup_brings_everything_back_after_all_was_wiped(stack, tmp_path):
    running = stack("cpu").up()
    caller = Caller(running)
    job = caller.fit(caller.import_ecg(), 2, model="heart")
    wait_until(lambda: caller.state(job) == "done", "the fit")
    kept = caller.http.get("/v1/models/heart/waves.safetensors").content

    def make(target):
        done = subprocess.run(["make", target, f"FILE={tmp_path}/backup.tar"], cwd=ROOT, env=running.environment,
                              capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "wrote" in make("backup")
    running.down("-v")
    assert "restored" in make("restore")
    running.up()

    caller = Caller(running)
    assert caller.http.get("/v1/models/heart/waves.safetensors").content == kept
    assert caller.state(job) == "done"


def test_a_restore_into_running_containers_is_refused(stack, tmp_path):
    running = stack("proxy").up()
    (tmp_path / "backup.tar").write_bytes(b"")
    done = subprocess.run(["make", "restore", f"FILE={tmp_path}/backup.tar"], cwd=ROOT, env=running.environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "stop them first" in done.stderr
