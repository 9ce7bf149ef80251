"""What calls of the key-value backends cost, over real servers.

PYTHONPATH=templates:tests/parts/storage python tests/bench/kv_calls.py

A value is 1 KiB. CPU is this process' alone: a server's own is not in it. Each line is measured in turns with the
others; the median of the rounds. PostgreSQL and Valkey wait for the disk before they answer, as SQLite does.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import count
from pathlib import Path

import uvloop
from kv_backends import postgres_config, redis_config
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.kv import KvBackend
from real_servers import Valkey, free_port, running_postgres

VALUE = b"x" * 1024
ROUNDS, NUMBER = 5, 320

Call = Callable[[], Awaitable[object]]


async def measured(call: Call, clients: int) -> tuple[float, float]:
    """(CPU seconds, seconds) of a call, where so many clients call one after the other."""

    async def client() -> None:
        for _ in range(NUMBER // clients):
            await call()

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    return (time.process_time() - cpu) / NUMBER, (time.perf_counter() - began) / NUMBER


async def measure(name: str, opens: Callable[[], AbstractAsyncContextManager[KvBackend]]) -> None:
    numbers = count()
    async with opens() as backend:
        kv = backend.namespace("bench")
        for number in range(1000):
            await kv.put(f"kept/{number}", VALUE)
        lines: dict[str, tuple[Call, int]] = {
            "put, 1 client": (lambda: kv.put(f"{next(numbers) % 1000}", VALUE), 1),
            "put, 32 clients": (lambda: kv.put(f"{next(numbers) % 1000}", VALUE), 32),
            "get": (lambda: kv.get(f"kept/{next(numbers) % 1000}"), 1),
            "revision": (kv.revision, 1),
            "scan of 100": (lambda: kv.scan("kept/", limit=100), 1),
        }
        found: dict[str, list[tuple[float, float]]] = {line: [] for line in lines}
        for _ in range(ROUNDS):
            for line, (call, clients) in lines.items():
                found[line].append(await measured(call, clients))
    for line, figures in found.items():
        cpu, wall = (statistics.median(each) for each in zip(*figures, strict=True))
        sys.stdout.write(f"{name:12} {line:20} {cpu * 1e6:8.0f} µs CPU  {wall * 1e6:8.0f} µs\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "kv.db")
        uvloop.run(measure("SQLite", lambda: open_kv_sqlite(KvSqliteConfig(db_path=path), instance="kv_default")))
        valkey = Valkey(Path(folder), free_port())
        valkey.start()
        try:
            config = replace(redis_config(valkey), start_seconds=10.0)
            uvloop.run(measure("Valkey", lambda: open_kv_redis(config, instance="kv_default")))
        finally:
            valkey.stop()
    with running_postgres({}) as server:
        database = postgres_config(server.database())
        uvloop.run(measure("PostgreSQL", lambda: open_kv_postgres(database, instance="kv_default")))


if __name__ == "__main__":
    main()
