"""How many instructions the built gateway takes: `nox -s instructions`, which CI runs; seconds would say nothing there.

    nox -s instructions [-- --update | --of NAME,…]

    start    from exec to the first 200 of /v1/models, and what is prepared just after it
    chat     one chat completion
    stream   one stream of 51 events, each of them a read of its own
    burst    one stream whose events come all at once

Counted under valgrind against the mock upstream, one connection, with PYTHONHASHSEED=0. It fails where one has grown
by more than 10 % over `instructions.toml`; `--update` accepts the counts of the Python that runs it. A version of
Python without a record is told of, and passes: `records.py` says why. `--of` counts any servers that `bench.py` knows,
and compares nothing.

What the server does in idleness is counted first and taken off, and the rest is a median of SAMPLES, so that neither a
slow machine nor a collection of garbage shows. Three runs on a shared machine were apart, from smallest to largest, by
0.0 % for start, 0.5 % for chat, 0.5 % for stream, 1.2 % for burst; one beside two busy loops on both processors was off
by 0.0, -1.3, -3.0 and -0.1 %. For scale: 300 calls of `len` more for each event are 9 % of stream. It takes a minute.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import records
from blocking import Client
from built.servers import free_port
from callgrind import Counter, counted, is_here
from processes import HERE, started, upstream
from servers import ALTERNATIVES, NAMES, Server, prepare, some_of
from upstream import EVENTS

RECORDS = HERE / "instructions.toml"
SAMPLES = 7
CHATS, BURSTS = 10, 4
"""In one sample; of streams one, whose wait is most of its time."""

# 30 ms between events are enough for a server that valgrind makes fifty times slower to be done with each.
PACED = "-paced-30"
# As models are; and what lasts longer than 20 ms is watched by the server, which would depend on the machine here.
LATE = "-late-60"
_PREPARED_SECONDS, _IDLE_SECONDS = 2.0, 3.0
_TRIES = 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what is counted to instructions.toml")
    parser.add_argument("--of", type=some_of((*NAMES, *ALTERNATIVES)), help="count these, and compare nothing")
    given = parser.parse_args()
    if not is_here():
        sys.stderr.write("counting instructions needs valgrind (Debian: apt-get install valgrind)\n")
        return 3
    if given.of is not None:
        for name in given.of:
            each = (f"{figure} {count:,}" for figure, count in measure(name).items())
            sys.stdout.write(f"{name}: {', '.join(each)}\n")
            sys.stdout.flush()
        return 0
    python, known = records.this_python(), records.read(RECORDS)
    now, before = measure("gateway"), known.get(python, {})
    for name, count in now.items():
        change = f"{count / before[name] - 1:+8.1%}" if name in before else ""
        sys.stdout.write(f"{name:8}{count:>16,}{change}\n")
    if given.update:
        records.write(RECORDS, {**known, python: now})
    elif not before:
        versions = ", ".join(known) or "no version"
        sys.stdout.write(
            f"not compared: {RECORDS.name} has {versions} of Python, this is {python}; {records.ACCEPT} adds it\n"
        )
    elif told := records.grown(before, now):
        sys.stderr.write("\n".join([*told, f"{records.ACCEPT} accepts this, if it is worth it.\n"]))
        return 1
    return 0


def measure(name: str) -> dict[str, int]:
    """Each figure of a server by its name."""
    with tempfile.TemporaryDirectory() as temporary, upstream() as url:
        folder = Path(temporary)
        server = prepare(name, url, folder)
        # It compiles what is imported, so that the start that counts is one as on every day but the first.
        with started(server.command, server.environ, folder / "log"):
            pass
        port, counts = free_port(), folder / "counts"
        counts.mkdir()
        command = [*server.command, "--host", "127.0.0.1", "--port", str(port)]
        with counted(command, server.environ, counts) as counter, Client(port) as client:
            return _count(server, counter, client)


def _count(server: Server, counter: Counter, client: Client) -> dict[str, int]:
    client.get("/v1/models")
    time.sleep(_PREPARED_SECONDS)
    start, _ = counter.take()
    time.sleep(_IDLE_SECONDS)
    count, seconds = counter.take()
    idle = count / seconds

    def once(work: Callable[[], int], times: int, chunks: int | None = None) -> int:
        return _median(counter, idle, work, times, chunks)

    return {
        "start": start,
        "chat": once(lambda: client.chat(server.model + LATE, stream=False), CHATS),
        "stream": once(lambda: client.chat(server.model + PACED, stream=True), 1, EVENTS),
        "burst": once(lambda: client.chat(server.model + LATE, stream=True), BURSTS),
    }


def _median(counter: Counter, idle: float, work: Callable[[], int], times: int, chunks: int | None) -> int:
    """Instructions of doing the work once.

    idle: instructions per second without work. chunks: in how many an answer must have come to count: where events
    have met, because the machine had more to do, a stream was less work.
    """
    for _ in range(2 * times):
        work()
    counter.take()
    samples: list[float] = []
    for _ in range(SAMPLES * _TRIES):
        came = [work() for _ in range(times)]
        count, seconds = counter.take()
        if chunks is None or came == [chunks] * times:
            samples.append((count - idle * seconds) / times)
        if len(samples) == SAMPLES:
            return round(statistics.median(samples))
    raise SystemExit("events that come 30 ms apart met each other time and again: the machine is too busy to count")


if __name__ == "__main__":
    sys.exit(main())
