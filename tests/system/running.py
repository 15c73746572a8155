"""A whole DREDGE on free ports, started as a user starts it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from waiting import answers, free_ports, wait_until


@dataclass
class Dredge:
    """A running `dredge up`."""

    process: subprocess.Popen
    data: Path
    environment: dict[str, str]
    server: str
    mcp: str
    metrics: str
    log: Path

    @property
    def doors(self):
        return [f"{self.server}/health", f"{self.mcp}/health", f"{self.metrics}/metrics"]

    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def run(self, *arguments, check=True):
        """Run `dredge ARGUMENTS` against the same data."""
        done = subprocess.run([sys.executable, "-m", "dredge", *map(str, arguments)], env=self.environment,
                              capture_output=True, text=True, timeout=120, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    def stop(self, with_signal=signal.SIGINT):
        family = self.children() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            self.process.wait(60)
        return family


def start(data, log, **settings):
    server, mcp, metrics = free_ports(3)
    environment = {
        **os.environ, "DREDGE_DATA": str(data), "DREDGE_PORT": str(server), "MCP_PORT": str(mcp),
        "METRICS_PORT": str(metrics), "OMP_NUM_THREADS": "1", "JOB_LEASE": "3", **settings,
    }
    process = subprocess.Popen([sys.executable, "-m", "dredge", "up"], env=environment, stdout=log.open("ab"),
                               stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    return Dredge(process, data, environment, *(f"http://127.0.0.1:{port}" for port in (server, mcp, metrics)), log)


def wait_for_example(dredge):
    def there():
        assert dredge.process.poll() is None, dredge.log.read_text()
        return answers(f"{dredge.server}/v1/models/example-ecg") and all(map(answers, dredge.doors))

    wait_until(there, "four doors and the example", 90)
