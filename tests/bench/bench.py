"""How long builds and starts take: `nox -s bench`, or `nox -s bench -- gateway`.

For each distribution: CPU seconds of `stackgen build` (the budget is 2), and of the built server in an environment of
its own the seconds from its start to the first answer, the modules it imported and the memory it holds. Times and
memory are medians of several runs.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from built.servers import CACHE, clean_environ, free_port, running, stackgen
from stackgen.environment import environment_for

RUNS = 5
DISTRIBUTIONS = ("gateway", "nvidia", "starter")
ENVIRON = {"NVIDIA_API_KEY": "none", "NVIDIA_BASE_URL": "http://127.0.0.1:9/v1"}


def main(names: list[str]) -> None:
    columns = ("distribution", "build CPU s", "start s", "modules", "memory MiB")
    sys.stdout.write(" ".join(f"{column:>14}" for column in columns) + "\n")
    for name in names or DISTRIBUTIONS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            builds = [build_seconds(name, folder) for _ in range(RUNS)]
            python = environment_for(folder, CACHE / "envs", lambda _: None)
            starts = [start(python, name, Path(temporary)) for _ in range(RUNS)]
        seconds, memory = (statistics.median(column) for column in zip(*starts, strict=True))
        figures = (f"{statistics.median(builds):.2f}", f"{seconds:.2f}", str(modules(python, name)), f"{memory:.0f}")
        sys.stdout.write(" ".join(f"{figure:>14}" for figure in (name, *figures)) + "\n")


def build_seconds(name: str, folder: Path) -> float:
    """CPU seconds of one build, Python's own start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = stackgen("build", name, "--out", folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start(python: Path, name: str, home: Path) -> tuple[float, float]:
    """Seconds from the start of the process to its first answer, and the MiB it then holds."""
    port = free_port()
    command = [python, "-P", "-m", module(name), "--host", "127.0.0.1", "--port", str(port)]
    begun = time.perf_counter()
    environ = clean_environ(ENVIRON)
    with running(command, port=port, ready="/v1/health", environ=environ, log=home / "log") as server:
        seconds = time.perf_counter() - begun
        with urllib.request.urlopen(f"{server.url}/v1/models", timeout=10):
            pass
        return seconds, resident(server.process.pid)


def resident(pid: int) -> float:
    """MiB of a process's memory; 0 where the system does not tell as Linux does."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def modules(python: Path, name: str) -> int:
    """How many modules the server imports to serve."""
    code = f"import sys, {module(name)}.__main__, {module(name)}.app, {module(name)}.wiring; print(len(sys.modules))"
    done = subprocess.run([python, "-P", "-c", code], env={**os.environ}, capture_output=True, text=True, check=True)
    return int(done.stdout)


def module(name: str) -> str:
    return f"{name.replace('-', '_')}_stack"


if __name__ == "__main__":
    main(sys.argv[1:])
