"""One of several processes that work on one store, for the tests: told what by a line of JSON, says what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from typing import Any

from parts.providers.storage.kv_postgres import KvPostgresConfig, open_kv_postgres
from parts.providers.storage.kv_redis import KvRedisConfig, open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.kv import Kv, KvBackend
from parts.runtime.secret import Secret


def opens(kind: str, config: dict[str, Any]) -> AbstractAsyncContextManager[KvBackend]:
    if "password" in config:
        config = {**config, "password": Secret(config["password"])}
    match kind:
        case "sqlite":
            return open_kv_sqlite(KvSqliteConfig(**config), instance="kv_default")
        case "redis":
            return open_kv_redis(KvRedisConfig(**config), instance="kv_default")
        case _:
            return open_kv_postgres(KvPostgresConfig(**config), instance="kv_default")


async def add(kv: Kv, mine: bytes) -> list[str]:
    """The keys that this process was the one to add."""
    return [key for key in (f"key-{number}" for number in range(20)) if await kv.add(key, mine)]


async def count(kv: Kv, _: bytes) -> list[str]:
    """Raises a counter ten times."""
    for _number in range(10):
        while True:
            was = await kv.get("counter") or b""
            step = b"%d" % (int(was or b"0") + 1)
            if await (kv.replace("counter", step, was=was) if was else kv.add("counter", step)):
                break
    return []


async def write(kv: Kv, mine: bytes) -> list[str]:
    """Writes without end, and says of each write that it is done: until somebody kills it."""
    for number in range(1_000_000):
        await kv.put(f"{mine.decode()}-{number}", b"%d" % number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    return []


async def main() -> None:
    told = json.loads(sys.stdin.readline())
    async with opens(told["kind"], told["config"]) as backend:
        work = {"add": add, "count": count, "write": write}[told["work"]]
        done = await work(backend.namespace("processes"), told["name"].encode())
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    asyncio.run(main())
