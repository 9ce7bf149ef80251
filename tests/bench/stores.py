"""What it costs to keep chat completions; a part of `nox -s bench`.

    python tests/bench/stores.py [--passes N] [--seconds S] [--instructions]

One relay that keeps in SQLite what it is asked to, with the upstream and the load of the other measurements:

    off     requests that do not ask
    asked   requests that say `"store": true`; each answer ends when its row is on the disk
    all     requests that do not say, to a server with `keep: all`, which writes them behind

Ratios are to `off`, within a pass. With --instructions they are of instructions under callgrind, which others who use
the machine do not change; a commit waits for the disk as long as ever meanwhile, so fewer rows share one than usual.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from built.servers import CACHE, free_port, stackgen
from callgrind import Counter, counted
from figures import Pass, table
from loads import BURST, PACED, STREAMS, ask
from processes import HERE, LOAD_CORE, Started, check_machine, cpu_seconds, started, upstream
from servers import Server, module
from stackgen.environment import environment_for

VARIANTS = ("off", "asked", "all")
LOADS: Mapping[str, tuple[int, str | None]] = {
    "chat_1": (1, None),
    "chat_16": (16, None),
    "chat_64": (64, None),
    "paced": (STREAMS, PACED),
    "burst": (STREAMS, BURST),
}
"""Clients, and which stream they ask for."""
PASSES, SECONDS = 5, 2.0
WARM, COUNTED = 64, 128
"""Requests, where instructions are counted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--instructions", action="store_true", help="count instructions instead of seconds")
    given = parser.parse_args()
    check_machine()
    if not given.instructions:
        os.sched_setaffinity(0, {LOAD_CORE})
    with tempfile.TemporaryDirectory() as temporary:
        text = (
            instructions(Path(temporary))
            if given.instructions
            else stores(Path(temporary), given.passes, given.seconds)
        )
    sys.stdout.write(f"\n{text}")


def stores(folder: Path, passes: int, seconds: float) -> str:
    """A table of seconds."""
    with upstream() as url, ExitStack() as stack:
        servers = prepare(url, folder)
        running = {
            name: stack.enter_context(started(server.command, server.environ, folder / f"{name}.log"))
            for name, server in servers.items()
            if name != "off"
        }
        running["off"] = running["asked"]
        for name in VARIANTS:
            ask(servers[name], running[name], 16, requests=300, store=name == "asked")
        taken: list[Pass] = []
        for number in range(passes):
            step = 1 if number % 2 == 0 else -1
            taken.append(one_pass(servers, running, seconds, VARIANTS[::step]))
            sys.stdout.write(f"pass {number + 1} of {passes}\n")
            sys.stdout.flush()
        return table([{name: each[name] for name in VARIANTS} for each in taken], "off")


def one_pass(
    servers: Mapping[str, Server], running: Mapping[str, Started], seconds: float, names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Each load on each variant once."""
    taken: dict[str, dict[str, float]] = {name: {} for name in names}
    for key, (clients, stream) in LOADS.items():
        for name in names:
            before = cpu_seconds(running[name].pid)
            done = ask(servers[name], running[name], clients, seconds=seconds, stream=stream, store=name == "asked")
            if name == "all":
                time.sleep(0.3)  # what is written behind belongs to it
            cpu = cpu_seconds(running[name].pid) - before
            taken[name][key] = cpu / done.requests * 1000 if stream is None else cpu / done.events * 1_000_000
    return taken


def instructions(folder: Path) -> str:
    """A table of thousands of instructions of a request, streams included as a whole."""
    counts: dict[str, dict[str, float]] = {}
    with upstream() as url:
        for name, server in prepare(url, folder).items():
            empty, port = folder / f"counts-{name}", free_port()
            empty.mkdir()
            command = [*server.command, "--host", "127.0.0.1", "--port", str(port)]
            with counted(command, server.environ, empty) as counter:
                counts[name] = _count(name, server, counter, port, empty / "log")
    rows = [
        f"| {key} | {' | '.join(_cell(counts, name, key) for name in VARIANTS)} |" for key in LOADS if key != "paced"
    ]
    head = f"| thousands of instructions | {' | '.join(VARIANTS)} |"
    return "\n".join([head, f"|---|{'---:|' * len(VARIANTS)}", *rows, ""])


def _count(name: str, server: Server, counter: Counter, port: int, log: Path) -> dict[str, float]:
    running = Started(0, port, 0.0, 0.0, log)
    _wait(server, running)
    found: dict[str, float] = {}
    for key, (clients, stream) in LOADS.items():
        if key == "paced":
            continue
        ask(server, running, clients, requests=WARM, stream=stream, store=name == "asked")
        time.sleep(2)
        counter.take()
        ask(server, running, clients, requests=COUNTED, stream=stream, store=name == "asked")
        time.sleep(2)
        found[key] = counter.take()[0] / COUNTED
    return found


def _wait(server: Server, running: Started) -> None:
    for _ in range(120):
        try:
            ask(server, running, 1, requests=1)
        except SystemExit:
            time.sleep(1)
        else:
            return
    raise SystemExit(running.log.read_text(errors="replace"))


def _cell(counts: Mapping[str, Mapping[str, float]], name: str, key: str) -> str:
    count = counts[name][key]
    ratio = "" if name == "off" else f" (×{count / counts['off'][key]:.2f})"
    return f"{count / 1000:,.0f}{ratio}"


def prepare(url: str, folder: Path) -> dict[str, Server]:
    """The relay, built and installed once, with the variables of each variant."""
    done = stackgen("build", "stores", "--specs", HERE / "specs", "--out", folder / "stores")
    if done.returncode:
        raise SystemExit(done.stderr)
    python = environment_for(folder / "stores", CACHE / "envs", lambda _: None)
    (folder / "asked").mkdir()
    (folder / "all").mkdir()
    known = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url, "FOLDER": str(folder / "asked")}
    off = Server(name="off", command=module(python, "stores"), environ=known, model="openai/mock-own", packages=0)
    behind = {**known, "FOLDER": str(folder / "all"), "KEEP": "all"}
    return {"off": off, "asked": replace(off, name="asked"), "all": replace(off, name="all", environ=behind)}


if __name__ == "__main__":
    main()
