"""What a server costs beside relays written by hand, and what builds cost: `nox -s bench`.

    python tests/bench/bench.py [--only gateway,raw-relay,…] [--parts builds,starts,loads,stores] [--passes N] [--quick]

`--only` takes alternatives too, other clients and servers under one relay: `servers.ALTERNATIVES` names them. A run of
everything writes its tables to RESULTS.md beside this file; any other only prints them. Nothing else should run
meanwhile: the last row says how far that was so. The server has one processor for itself, load (`load.py`) and
upstream (`upstream.py`) share another. In each pass each server is started once, and gets each load once for
SECONDS; (×N) is the median over passes of the ratio to the base within a pass (`figures.py`). CPU is user and system
time of all the server's processes. What it costs to keep chat completions is told by `stores.py`.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import builds
import loads
import starts
import stores
from figures import Pass, table
from processes import HERE, LOAD_CORE, check_machine, upstream
from servers import ALTERNATIVES, BASE, NAMES, prepare, some_of

PARTS = ("builds", "starts", "loads", "stores")
PASSES, SECONDS = 5, 2.0
RUNS = 5
RESULTS = HERE / "RESULTS.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    servers = (*NAMES, *ALTERNATIVES)
    parser.add_argument("--only", type=some_of(servers), default=NAMES, help=f"servers, of {', '.join(servers)}")
    parser.add_argument("--parts", type=some_of(PARTS), default=PARTS, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--passes", type=int, default=PASSES, help=f"how often all is measured, {PASSES} by default")
    parser.add_argument("--quick", action="store_true", help="one short pass, to see that it works")
    given = parser.parse_args()
    passes, seconds, runs = (1, 0.5, 1) if given.quick else (given.passes, SECONDS, RUNS)
    check_machine()
    # What measures must not run where the servers do.
    os.sched_setaffinity(0, {LOAD_CORE})
    sections = [f"{_machine()}. Passes: {passes}, of {seconds:g} s a load.\n"]
    with tempfile.TemporaryDirectory() as temporary:
        if "starts" in given.parts or "loads" in given.parts:
            taken = measure(given.only, given.parts, Path(temporary), passes, seconds)
            sections.append(table(taken, BASE if BASE in given.only else given.only[0]))
        if "stores" in given.parts:
            sections.append(stores.stores(Path(temporary), passes, seconds))
        if "builds" in given.parts:
            sections.append(builds.builds(Path(temporary), runs))
    text = "\n".join(sections)
    sys.stdout.write(f"\n{text}")
    if not given.quick and (given.only, given.parts) == (NAMES, PARTS):
        RESULTS.write_text(f"# What `nox -s bench` measured last\n\nHow: `bench.py`. {text}")


def measure(names: Sequence[str], parts: Sequence[str], folder: Path, passes: int, seconds: float) -> list[Pass]:
    """So many passes over these servers."""
    with upstream() as url:
        servers = [prepare(name, url, folder) for name in names]
        sizes = {server.name: starts.size(server, folder) for server in servers}
        done: list[Pass] = []
        with loads.live(servers if "loads" in parts else [], folder) as running:
            for number in range(passes):
                # There and back, so that nobody always comes first.
                step = 1 if number % 2 == 0 else -1
                taken = {name: dict(size) for name, size in sizes.items()}
                if "starts" in parts:
                    for server in servers[::step]:
                        taken[server.name] |= starts.start(server, folder)
                for name, figures in loads.one_pass(running[::step], seconds).items():
                    taken[name] |= figures
                done.append(taken)
                sys.stdout.write(f"pass {number + 1} of {passes}\n")
                sys.stdout.flush()
    return done


def _machine() -> str:
    """Of which kind this machine is, without saying which."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kind = model[1].strip() if model else platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} processors ({kind}), Linux {platform.release().partition('-')[0]}, {python}"


if __name__ == "__main__":
    main()
