"""What models that clients register cost: a chat, a start, a registration, and a change that another process makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path

from .load import Connection, ask_all, chat, connect, connect_all
from .rounds import in_turns, table
from .servers import Gateway, gateway

BUSY = 16
CHATS = 2000
CHANGES = 10
CHANGE_SECONDS = 0.4
"""Between two changes: more than between two looks at the store, so that each is seen by itself."""


def registration(model: str) -> bytes:
    body = json.dumps({"model_id": model, "provider_id": "p0", "provider_model_id": "m1", "metadata": {"note": "kept"}})
    head = "POST /v1/models HTTP/1.1\r\nHost: us\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def registry(home: Path, service: int, many: int) -> None:
    """Two servers over each store, of few models and of many: what one registers, the other sees."""
    counts = {"no store": None, "10 kept": 10, f"{many:,} kept": many}
    with ExitStack() as stack:
        servers: dict[str, Gateway] = {}
        writers: dict[str, Connection] = {}
        for name, count in counts.items():
            store = None if count is None else home / f"{count}.db"
            if count is not None:
                writer = stack.enter_context(gateway(home, f"writer-{count}", service, store=store))
                connections = await connect_all(writer.port, 64)
                await ask_all(connections, [registration(f"r{number}") for number in range(count)], count)
                writers[name] = await connect(writer.port)
            servers[name] = stack.enter_context(gateway(home, f"reader-{count or 0}", service, store=store))
        opened = {name: await connect_all(server.port, BUSY) for name, server in servers.items()}

        def chats(name: str) -> Callable[[], Coroutine[None, None, float]]:
            async def measure() -> float:
                before = servers[name].cpu()
                model = "p0/m1" if counts[name] is None else "r9"
                await ask_all(opened[name], [chat(model)], CHATS)
                return (servers[name].cpu() - before) / CHATS

            return measure

        found = await in_turns({name: chats(name) for name in servers})
        first = next(iter(servers.values()))
        rows = []
        for name, server in servers.items():
            rest = await _cpu_of(server, None)
            seen = await _cpu_of(server, writers.get(name))
            rows.append(
                (
                    name,
                    (
                        f"{found[name].figure * 1e6:.0f}",
                        f"{found[name].ratio:.2f}",
                        f"{server.start_memory - first.start_memory:+.1f}",
                        f"{server.start_cpu - first.start_cpu:+.2f}",
                        f"{rest / CHANGES / CHANGE_SECONDS * 100:.2f}",
                        f"{(seen - rest) / CHANGES * 1e3:.1f}" if name in writers else "",
                    ),
                )
            )
        columns = ("CPU µs per chat", "ratio", "MiB more", "CPU s to start", "% of CPU at rest", "ms per change")
        table("registry", columns, rows)


async def _cpu_of(server: Gateway, writer: Connection | None) -> float:
    """Seconds of processor time while somebody else makes CHANGES changes, or nobody any."""
    before = server.cpu()
    for number in range(CHANGES):
        if writer is not None:
            await writer.ask(registration(f"change-{number}"))
        await asyncio.sleep(CHANGE_SECONDS)
    return server.cpu() - before
