"""What it costs to keep a row in SQL: a transaction for each, and one for all that wait together (`GroupWriter`).

PYTHONPATH=templates:tests/parts/storage python tests/bench/sql_writes.py

A row is a chat completion of 3 KiB. CPU is this process' alone: a PostgreSQL server's own is not in it. Each line is
measured in turns with the others; the median of the rounds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import uvloop
from parts.runtime.group_writer import Bounds, group_writer
from parts.runtime.ids import new_id
from parts.runtime.sql import Sql
from real_servers import running_postgres
from sql_backends import postgres_at, sqlite_at
from sqlalchemy import Column, Integer, MetaData, String, Table, Text

ROWS = Table(
    "completions",
    MetaData(),
    Column("id", String(64), primary_key=True),
    Column("owner", String(200), index=True),
    Column("created", Integer, index=True),
    Column("body", Text, nullable=False),
)
BODY = "x" * 3000
ROUNDS, NUMBER = 5, 1600

Row = dict[str, object]
Keep = Callable[[Row], Awaitable[None]]


def row() -> Row:
    return {"id": new_id("chatcmpl"), "owner": None, "created": 1, "body": BODY}


async def measured(keep: Keep, last: Keep, clients: int) -> tuple[float, float]:
    """(CPU seconds, seconds) of a row, where so many clients keep one after the other, until `last` returns."""

    async def client() -> None:
        for _ in range(NUMBER // clients):
            await keep(row())

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    await last(row())
    return (time.process_time() - cpu) / NUMBER, (time.perf_counter() - began) / NUMBER


async def measure(name: str, opens: Callable[[], AbstractAsyncContextManager[Sql]]) -> None:
    async with opens() as sql:
        await sql.prepare("completions", [ROWS.create])

        statement = ROWS.insert()

        async def write(rows: Sequence[Row]) -> None:
            await sql.write_all(statement, rows)

        async def alone(one: Row) -> None:
            async with sql.writing() as connection:
                await connection.execute(statement, one)

        async with group_writer(write, name="completions", bounds=Bounds(gather_seconds=0.05)) as writer:

            async def behind(one: Row) -> None:
                writer.later(one)
                await asyncio.sleep(0)

            lines = {
                "a transaction each, 16 clients": (alone, 16),
                "together, 1 client": (writer.keep, 1),
                "together, 16 clients": (writer.keep, 16),
                "together, 64 clients": (writer.keep, 64),
                "behind, 16 clients": (behind, 16),
            }
            found: dict[str, list[tuple[float, float]]] = {line: [] for line in lines}
            for _ in range(ROUNDS):
                for line, (keep, clients) in lines.items():
                    # What is written behind is written before what is kept after it.
                    found[line].append(await measured(keep, writer.keep, clients))
    for line, figures in found.items():
        cpu, wall = (statistics.median(each) for each in zip(*figures, strict=True))
        sys.stdout.write(f"{name:12} {line:32} {cpu * 1e6:8.0f} µs CPU  {wall * 1e6:8.0f} µs\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sql.db"
        uvloop.run(measure("SQLite", lambda: sqlite_at(path)))
    with running_postgres({}) as server:
        database = server.database()
        uvloop.run(measure("PostgreSQL", lambda: postgres_at(database)))


if __name__ == "__main__":
    main()
