"""A Ray cluster of two nodes on this machine, that no server of ours has started.

with ray_cluster(python, folder) as cluster:
    cluster.second.kill(); cluster.second.start()
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from .servers import free_port

START_SECONDS = 60.0
STOP_SECONDS = 20.0
CPUS = 2

_STARTED = "Ray runtime started"


@dataclass
class Node:
    """`ray start`, in the foreground, with all that it starts. command: how."""

    command: list[str]
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    seen: set[psutil.Process] = field(default_factory=set)

    def start(self) -> None:
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command, env=dict(self.environ), stdout=output, stderr=subprocess.STDOUT, cwd=self.log.parent
            )
        deadline = time.monotonic() + START_SECONDS
        while _STARTED not in self.log.read_text(errors="replace"):
            alive = self.process.poll() is None and time.monotonic() < deadline
            assert alive, f"the node did not come up:\n{self.log.read_text(errors='replace')[-4000:]}"
            time.sleep(0.1)
        self.processes()

    def processes(self) -> set[psutil.Process]:
        """Those that run, the first one aside."""
        if self.process is None or self.process.poll() is not None:
            return set()
        found = set(psutil.Process(self.process.pid).children(recursive=True))
        self.seen |= found
        return found

    def tasks(self) -> list[psutil.Process]:
        """What runs tasks of others, at work or waiting for more."""
        found = []
        for process in self.processes():
            try:
                if process.name().startswith(("ray::run_lines", "ray::IDLE")):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def kill(self) -> None:
        """All of it at once, as if the machine had lost its power."""
        assert self.process is not None
        for each in (psutil.Process(self.process.pid), *self.processes()):
            try:
                each.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self.process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Nothing that it started is left."""
        self.processes()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        _, left = psutil.wait_procs(self.seen, timeout=STOP_SECONDS)
        for each in left:
            each.kill()
        assert not left, f"Ray left {left}"


@dataclass(frozen=True)
class RayCluster:
    """address: of its head; client: of its Ray Client server. environ: what lets a process in."""

    address: str
    client: str
    environ: Mapping[str, str]
    head: Node
    second: Node


@contextmanager
def ray_cluster(python: Path, folder: Path) -> Iterator[RayCluster]:
    """python: of an environment that has Ray. folder: with a short name, since sockets are in it."""
    port, client = free_port(), free_port()
    # A token of its own, which every node and every driver needs, as in a cluster that others could reach.
    told = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **told}
    at_head = ["--head", f"--port={port}", f"--ray-client-server-port={client}", "--include-dashboard=false"]
    head = Node(_command(python, *at_head, f"--temp-dir={folder}/ray"), environ, folder / "head.log")
    second = Node(_command(python, f"--address=127.0.0.1:{port}"), environ, folder / "second.log")
    try:
        head.start()
        second.start()
        yield RayCluster(f"127.0.0.1:{port}", f"ray://127.0.0.1:{client}", told, head, second)
    finally:
        try:
            second.stop()
        finally:
            head.stop()


def _command(python: Path, *arguments: str) -> list[str]:
    ports = ["--min-worker-port=0", "--max-worker-port=0", f"--dashboard-agent-listen-port={free_port()}"]
    size = [f"--num-cpus={CPUS}", "--object-store-memory=80000000"]
    return [str(python), "-m", "ray.scripts.scripts", "start", "--block", *arguments, *ports, *size]
