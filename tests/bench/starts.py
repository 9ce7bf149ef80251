"""What a start costs, what is imported by then, and the memory held then and after a while of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from loads import ask
from processes import memory, started
from servers import Server

CHATS = 2000


def start(server: Server, folder: Path) -> dict[str, float]:
    """One start. The modules of Python and packages are compiled by an earlier one."""
    with started(server.command, server.environ, folder / f"{server.name}.log") as running:
        figures = {"start": running.wall, "start_cpu": running.cpu, "memory_start": memory(running.pid)}
        ask(server, running, 16, requests=CHATS)
        figures["memory_later"] = memory(running.pid)
    return figures


def size(server: Server, folder: Path) -> dict[str, float]:
    """What does not vary: packages, and modules as the budgets of distributions count them."""
    return {
        "packages": server.packages,
        "modules": modules(server.command, server.environ, folder / f"{server.name}.log"),
    }


def modules(command: Sequence[str | Path], environ: Mapping[str, str], log: Path, ready: str = "/v1/models") -> int:
    """How many modules a server has imported when it has answered for the first time."""
    with started(command, {**environ, "PYTHONPROFILEIMPORTTIME": "1"}, log, ready):
        pass
    lines = [line for line in log.read_text().splitlines() if line.startswith("import time:")]
    return len({line.rpartition("|")[2].strip() for line in lines[1:]})
