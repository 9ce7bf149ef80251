"""Processes of a measurement: each on a processor of its own, and what they have taken of it. Linux only.

The server under test has processor SERVER_CORE to itself, load and upstream share LOAD_CORE.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from built.servers import clean_environ, free_port

SERVER_CORE, LOAD_CORE = 0, 1
HERE = Path(__file__).parent
_POLL_SECONDS = 0.003
_START_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answers. wall, cpu: seconds from its start to its first 200, of the clock and of its processor."""

    pid: int
    port: int
    wall: float
    cpu: float
    log: Path


def check_machine() -> None:
    """Ends with a sentence where nothing can be measured here."""
    if not sys.platform.startswith("linux") or shutil.which("taskset") is None:
        raise SystemExit("measuring needs Linux with taskset (package util-linux): processes are bound to processors")
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise SystemExit(f"measuring needs two processors, {SERVER_CORE} and {LOAD_CORE}")


def on_core(core: int, command: Sequence[str | Path]) -> list[str]:
    """The command bound to that processor; as it is where there is none, which `check_machine` tells of."""
    bound = hasattr(os, "sched_getaffinity") and {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0)
    return [*(("taskset", "-c", str(core)) if bound else ()), *map(str, command)]


@contextmanager
def started(
    command: Sequence[str | Path], environ: Mapping[str, str], log: Path, ready: str = "/v1/models"
) -> Iterator[Started]:
    """A server on SERVER_CORE, from its first 200 of `ready` until it is stopped. `--port` is added to its command."""
    port = free_port()
    with log.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            on_core(SERVER_CORE, [*command, "--host", "127.0.0.1", "--port", str(port)]),
            env=clean_environ(environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{ready}", log)
        wall = time.perf_counter() - begun
        yield Started(process.pid, port, wall, cpu_seconds(process.pid), log)
    finally:
        stop(process)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.perf_counter() + _START_SECONDS
    while process.poll() is None and time.perf_counter() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=_START_SECONDS):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_POLL_SECONDS)
    raise SystemExit(f"{process.args!r} did not come up:\n{log.read_text(errors='replace')[-4000:]}")


@contextmanager
def upstream() -> Iterator[str]:
    """The mock upstream on LOAD_CORE; the URL under which its API is."""
    port = free_port()
    process = subprocess.Popen(on_core(LOAD_CORE, [sys.executable, HERE / "upstream.py", str(port)]))
    url = f"http://127.0.0.1:{port}/v1"
    try:
        _wait(process, f"{url}/models", Path(os.devnull))
        yield url
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in task.read_text().split()]
    return [pid, *(each for child in children for each in tree(child))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants, living or waited for."""
    return sum(_living(each) + _waited_for(each) for each in tree(pid))


def _living(pid: int) -> float:
    # The clock of another process, as clock_getcpuclockid(3) numbers it: nanoseconds, where /proc has ticks of 10 ms.
    return time.clock_gettime((~pid << 3) | 2)


def _waited_for(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / _TICKS


def memory(pid: int) -> float:
    """MiB that a process and its descendants hold."""
    found = (re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{each}/status").read_text()) for each in tree(pid))
    return sum(int(each[1]) for each in found if each) / 1024


def queued_seconds(pid: int) -> float:
    """For how long the living threads of a process and its descendants were ready to run while others did."""
    # The second number of a thread's schedstat, in nanoseconds (proc(5) has it under its kernel's own documentation).
    queued = (each for one in tree(pid) for each in Path(f"/proc/{one}/task").glob("*/schedstat"))
    return sum(int(each.read_text().split()[1]) for each in queued) / 1e9
