"""Other processes that use a database: forks of one that has imported what they need, so that they start at once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Literal

from parts.runtime.sql import Migration, Sql
from sql_backends import WORDS, create, names, opened, put
from sqlalchemy import Connection

Task = Literal["writes", "tells", "migrates", "dies"]
Where = Mapping[str, object]
Say = Callable[[str], None]

_FORKS = multiprocessing.get_context("forkserver")
# What takes long to import; pytest, since each process imports the main module of this one again.
_SLOW = (
    "pytest",
    "aiosqlite",
    "asyncpg",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
)
_FORKS.set_forkserver_preload([*_SLOW, "sqlalchemy.ext.asyncio"])

TASKS, ROWS = 8, 4


def started(task: Task, where: Where, who: str, said: Path) -> ForkServerProcess:
    """A process that does one of the tasks below. said: the file to which it appends a line at a time."""
    process = _FORKS.Process(target=_run, args=(task, dict(where), who, str(said)))
    process.start()
    return process


def ended(*processes: ForkServerProcess) -> list[int | None]:
    """Their exit codes."""
    for each in processes:
        each.join(120)
    return [each.exitcode for each in processes]


def _run(task: Task, where: Where, who: str, said: str) -> None:
    descriptor = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def say(line: str) -> None:
        os.write(descriptor, f"{line}\n".encode())

    async def main() -> None:
        async with opened(where) as sql:
            if task == "writes":
                await _write(sql, who)
            elif task == "tells":
                await _tell(sql, who, say)
            else:
                await sql.prepare("words", _steps(who, say, dies=task == "dies"))

    asyncio.run(main())


async def _write(sql: Sql, who: str) -> None:
    """Many tasks that write and read their rows, one transaction each."""

    async def one(task: int) -> None:
        for row in range(ROWS):
            await put(sql, f"{who}-{task}-{row}")
            assert f"{who}-{task}-{row}" in await names(sql)

    await sql.prepare("words", [create])
    await asyncio.gather(*(one(task) for task in range(TASKS)))


async def _tell(sql: Sql, who: str, say: Say) -> None:
    """Writes for ever, and says of each row that it is written, once it is."""
    await sql.prepare("words", [create])
    number = 0
    while True:
        await put(sql, f"{who}-{number}")
        say(f"{who}-{number}")
        number += 1


def _steps(who: str, say: Say, *, dies: bool) -> list[Migration]:
    """Three steps, of which each says that it has run. dies: within the second."""

    def first(connection: Connection) -> None:
        create(connection)
        say(f"first by {who}")

    def second(connection: Connection) -> None:
        connection.execute(WORDS.insert().values(id="second", number=1))
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        say(f"second by {who}")

    def third(connection: Connection) -> None:
        connection.execute(WORDS.update().values(number=WORDS.c.number + 1))
        say(f"third by {who}")

    return [first, second, third]
