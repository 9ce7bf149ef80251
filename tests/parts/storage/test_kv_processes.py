"""Several processes on one store, started together on one that is not there yet."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from kv_backends import postgres_config, redis_config
from kv_process import opens
from parts.runtime.kv_watch import changes
from parts.runtime.secret import Secret
from real_servers import Postgres, Valkey

HERE = Path(__file__).parent
PROCESSES = 4

Told = tuple[str, dict[str, Any]]


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def told(request: pytest.FixtureRequest) -> Told:
    """A new store: its kind and config, as JSON can say it."""
    kind = request.param
    new: dict[str, Callable[[], dict[str, Any]]] = {
        "sqlite": lambda: {"db_path": str(request.getfixturevalue("tmp_path") / "new" / "kv.db")},
        "redis": lambda: _new_redis(request.getfixturevalue("valkey"), request.node.name),
        "postgres": lambda: _new_postgres(request.getfixturevalue("postgres")),
    }
    return kind, new[kind]()


def _new_redis(valkey: Valkey, name: str) -> dict[str, Any]:
    plain = "".join(character for character in name if character.isalnum())
    return _plain({**asdict(redis_config(valkey)), "namespace": plain})


def _new_postgres(postgres: Postgres) -> dict[str, Any]:
    return _plain(asdict(postgres_config(postgres.database())))


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return {name: each.reveal() if isinstance(each, Secret) else each for name, each in config.items()}


def start(told: Told, work: str, name: str) -> subprocess.Popen[str]:
    """A process that opens the store, works and ends."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "kv_process.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2] / "templates")},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"kind": told[0], "config": told[1], "work": work, "name": name}) + "\n")
    process.stdin.flush()
    return process


def ended(process: subprocess.Popen[str]) -> list[str]:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return list(json.loads(said))


async def test_each_key_is_added_by_one_process(told: Told) -> None:
    running = [start(told, "add", f"process {number}") for number in range(PROCESSES)]
    won = {f"process {number}": ended(process) for number, process in enumerate(running)}
    assert sorted(key for keys in won.values() for key in keys) == sorted(f"key-{number}" for number in range(20))
    async with opens(*told) as backend:
        kept = await backend.namespace("processes").scan()
    assert sorted(kept) == sorted((key, name.encode()) for name, keys in won.items() for key in keys)


async def test_no_process_loses_a_step_of_a_counter(told: Told) -> None:
    for process in [start(told, "count", f"{number}") for number in range(PROCESSES)]:
        ended(process)
    async with opens(*told) as backend:
        assert await backend.namespace("processes").get("counter") == b"%d" % (10 * PROCESSES)


async def test_what_a_killed_process_has_returned_from_is_there(told: Told) -> None:
    process = start(told, "write", "killed")
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(30)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    last = int([line for line in said if line.endswith("\n")][-1])
    async with opens(*told) as backend:
        kept = dict(await backend.namespace("processes").scan("killed-", limit=100_000))
    assert {f"killed-{number}" for number in range(last + 1)} <= set(kept)
    # What was under way when it was killed may be there or not, and nothing beyond.
    assert len(kept) <= last + 2


async def test_what_another_process_writes_is_told(told: Told) -> None:
    async with opens(*told) as backend:
        kv = backend.namespace("processes")
        async with aclosing(changes(kv)) as feed:
            await anext(feed)
            assert await kv.scan() == []
            process = start(told, "add", "another")
            async with asyncio.timeout(60):
                await anext(feed)
            assert await kv.get("key-0") == b"another"
            await asyncio.to_thread(ended, process)
