"""What servers cost under load. All are up, one at a time is asked, in turn: slow drifts of a machine hit all alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from load import Load
from processes import HERE, LOAD_CORE, Started, cpu_seconds, on_core, queued_seconds, started
from servers import Server

STREAMS = 16
CLIENTS = (1, 16, 64)
BURST, PACED = "", "-paced-5"
"""What follows the name of the upstream's model."""
Live = Sequence[tuple[Server, Started]]


def ask(
    server: Server,
    running: Started,
    connections: int,
    *,
    seconds: float | None = None,
    requests: int | None = None,
    stream: str | None = None,
    store: bool = False,
) -> Load:
    """Load on LOAD_CORE, to its end. stream: BURST or PACED; None for whole answers. store: asks to be kept."""
    options = ["--stream"] if stream is not None else []
    options += ["--store"] if store else []
    options += ["--seconds", str(seconds)] if seconds is not None else []
    options += ["--requests", str(requests)] if requests is not None else []
    model = server.model + (stream or "")
    command: list[str | Path] = [sys.executable, HERE / "load.py", str(running.port), model, str(connections), *options]
    done = subprocess.run(on_core(LOAD_CORE, command), capture_output=True, text=True, check=False)
    if done.returncode:
        said = running.log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{server.name} under load: {done.stderr.strip()}\n{said}")
    return Load(**json.loads(done.stdout))


@contextmanager
def live(servers: Sequence[Server], folder: Path) -> Iterator[Live]:
    """All of them, warm."""
    with ExitStack() as stack:
        running = []
        for server in servers:
            each = stack.enter_context(started(server.command, server.environ, folder / f"{server.name}.log"))
            running.append((server, each))
            ask(server, each, 16, requests=300)
            ask(server, each, 4, requests=20, stream=BURST)
        yield running


def one_pass(servers: Live, seconds: float) -> Mapping[str, dict[str, float]]:
    """Each load on each server once, each for so many seconds."""
    taken: dict[str, dict[str, float]] = {server.name: {} for server, _ in servers}
    queued: dict[str, list[float]] = {server.name: [] for server, _ in servers}
    for key in (*(f"chat_{clients}" for clients in CLIENTS), "paced", "burst"):
        for server, running in servers:
            figures, share = _sample(key, server, running, seconds)
            taken[server.name] |= figures
            queued[server.name].append(share)
    return {name: {**figures, "queued": statistics.mean(queued[name])} for name, figures in taken.items()}


def _sample(key: str, server: Server, running: Started, seconds: float) -> tuple[dict[str, float], float]:
    """The figures of one load, and the percentage of its time for which the server waited for its processor."""
    waited, cpu, clock = queued_seconds(running.pid), cpu_seconds(running.pid), time.perf_counter()
    if key.startswith("chat_"):
        load = ask(server, running, int(key.removeprefix("chat_")), seconds=seconds)
    else:
        load = ask(server, running, STREAMS, seconds=seconds, stream=PACED if key == "paced" else BURST)
    cpu = cpu_seconds(running.pid) - cpu
    queued = (queued_seconds(running.pid) - waited) / (time.perf_counter() - clock) * 100
    if key.startswith("chat_"):
        return {key: cpu / load.requests * 1000}, queued
    figures = {key: cpu / load.events * 1_000_000}
    if key == "paced":
        figures["first_chunk"] = load.first_chunk_ms
    return figures, queued
