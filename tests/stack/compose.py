"""The container stack as an operator runs it: docker-compose in the root of the project, with ports that are free."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from waiting import free_ports

ROOT = Path(__file__).parents[2]
PORTS = ("DREDGE_PORT", "MCP_PORT", "REDIS_PORT", "NGINX_HTTP_PORT", "NGINX_HTTPS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT",
         "METRICS_PORT", "ALERTMANAGER_PORT")
PROFILES = ("cpu", "gpu", "full", "workers", "monitoring", "proxy")
# Where the index of CUDA builds cannot be reached, any build of torch shows that the image starts.
GPU_TORCH = os.environ.get("STACK_GPU_TORCH", "torch==2.13.0")


@cache
def engine_missing():
    """Why no stack can run here; None when it can."""
    for command in (["docker", "info"], ["docker-compose", "version"]):
        try:
            if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode:
                return f"needs a Docker engine with compose v2 ({' '.join(command)} failed)"
        except FileNotFoundError:
            return f"needs a Docker engine with compose v2 (there is no {command[0]})"
    return None


def docker(*arguments, check=True, **options):
    """Run docker; gives what it printed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=900, check=False,
                          env={**os.environ, "DOCKER_BUILDKIT": "1"}, cwd=ROOT, **options)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


class Stack:
    """The containers of one or more profiles."""

    def __init__(self, *profiles, **settings):
        self.profiles = profiles
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.environment = {**os.environ, "DOCKER_BUILDKIT": "1", **{name: str(port) for name, port in self.ports.items()},
                            "WORKER_REPLICAS": "1", **settings}

    def compose(self, *arguments, profiles=None, check=True, **options):
        """Run docker-compose with the profiles of this stack."""
        chosen = [word for name in profiles or self.profiles for word in ("--profile", name)]
        done = subprocess.run(["docker-compose", *chosen, *arguments], capture_output=True, text=True, timeout=600, check=False,
                              env=self.environment, cwd=ROOT, **options)
        assert not check or done.returncode == 0, f"{done.stderr}\n{self.logs() if 'up' in arguments else ''}"
        return done

    def up(self, *more):
        """Start everything and wait until it is healthy."""
        self.compose("up", "-d", "--wait", "--no-build", "--quiet-pull", *more)
        return self

    def down(self, *more):
        """Stop everything; with -v, forget it."""
        self.compose("down", "--remove-orphans", "-t", "20", *more, profiles=PROFILES)

    def logs(self, *services):
        """What containers wrote."""
        return self.compose("logs", "--no-color", *services, profiles=PROFILES, check=False).stdout

    def containers(self):
        """Name -> service, state and health of each container."""
        told = self.compose("ps", "-a", "--format", "json", profiles=PROFILES).stdout
        rows = json.loads(told) if told.startswith("[") else [json.loads(line) for line in told.splitlines()]
        return {row["Name"]: (row["Service"], row["State"], row["Health"]) for row in rows}

    def unwell(self):
        """Containers that do not run, or are not healthy where they have a check; the one that prepares is done by then."""
        return {name: (state, health) for name, (service, state, health) in self.containers().items()
                if service != "prepare" and (state != "running" or health not in ("healthy", ""))}

    def url(self, setting, scheme="http"):
        """Address of a published port."""
        return f"{scheme}://localhost:{self.ports[setting]}"

    def key(self):
        """The API key that was made."""
        shown = self.compose("run", "--rm", "-T", "prepare", "secrets", "/secrets", "--show").stdout
        return shown.partition("API key")[2].split()[0]
