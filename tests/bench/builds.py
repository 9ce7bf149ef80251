"""What `stackgen build` costs (the budget is 2 s of CPU), and a start of what it has built, of any distribution."""

from __future__ import annotations

import resource
import statistics
from pathlib import Path

from built.servers import stackgen
from processes import memory, started
from servers import built, module
from starts import modules

DISTRIBUTIONS = ("gateway", "nvidia", "starter")
# Nothing is asked of a model here, so nothing has to be at that address.
ENVIRON = {"NVIDIA_API_KEY": "none", "NVIDIA_BASE_URL": "http://127.0.0.1:9/v1"}
READY = "/v1/health"


def builds(folder: Path, runs: int) -> str:
    """A table in Markdown, medians of so many runs."""
    columns = (
        "distribution",
        "build CPU, s",
        "start to the first 200, s",
        "modules imported",
        "memory after start, MiB",
    )
    rows = [columns, ("---", *("---:" for _ in columns[1:])), *(_row(name, folder, runs) for name in DISTRIBUTIONS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(name: str, folder: Path, runs: int) -> tuple[str, ...]:
    seconds = statistics.median(build_seconds(name, folder / name) for _ in range(runs))
    command = module(built(name, folder), name)
    log = folder / f"{name}.log"
    # First, as it also compiles all that is imported.
    imported = modules(command, ENVIRON, log, READY)
    starts = [_start(command, log) for _ in range(runs)]
    wall, held = (statistics.median(column) for column in zip(*starts, strict=True))
    return name, f"{seconds:.2f}", f"{wall:.2f}", str(imported), f"{held:.0f}"


def build_seconds(name: str, folder: Path) -> float:
    """CPU seconds of one build, Python's own start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = stackgen("build", name, "--out", folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _start(command: list[str | Path], log: Path) -> tuple[float, float]:
    with started(command, ENVIRON, log, READY) as running:
        return running.wall, memory(running.pid)
