"""A process that works on batches, to be stopped, hung and killed: what one worker of a server is to the batches.

life = Life(folder, lines=100)
life.start(); life.process.kill(); …
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import resource
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from batch_stand_ins import FolderFiles, Upstream, asks, caller, chat_line, open_batches, put, until
from parts.contracts.batches.responses import Batch
from parts.providers.batches.jobs.leases import Lease
from parts.providers.batches.jobs.service import BatchesService
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.errors import Unavailable
from parts.runtime.secret import Secret
from parts.runtime.sql import Sql
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

LEASE_SECONDS = 0.4
KEPT = ("batch_requests", "batch_results")

PRELOADED = (
    "aiosqlite",
    "asyncpg",
    "parts.providers.batches.jobs.worker",
    "parts.providers.storage.sql.postgres",
    "parts.providers.storage.sql.sqlite",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
)

# Its children come from a process that has imported all this already, and runs nothing.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["batch_process", *PRELOADED])


@dataclass(frozen=True)
class Work:
    """What a process does: makes these batches, where nobody has made them, and works until all are over.

    batches: by idempotency key, the input file of each. pause: seconds that a call takes. width: calls at once.
    die: at which moment it kills itself, and the how manyeth, "" for never. deadly: a question that ends the
    process, as soon as it is asked.
    """

    folder: Path
    batches: dict[str, str]
    pause: float = 0.004
    width: int = 4
    die: str = ""
    count: int = 1
    deadly: str = ""
    lease_seconds: float = LEASE_SECONDS


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[Sql]:
    """The PostgreSQL that the folder names, or else a SQLite file in it."""
    if (named := folder / "postgres").exists():
        told = json.loads(named.read_text())
        config = SqlPostgresConfig(**{**told, "password": Secret(told["password"])}, pool_size=2, statement_seconds=2.0)
        async with open_sql_postgres(config, instance="sql_default") as sql:
            yield sql
    else:
        async with open_sql_sqlite(SqlSqliteConfig(db_path=str(folder / "db")), instance="sql_default") as sql:
            yield sql


def run(work: Work) -> None:
    """The process."""
    asyncio.run(_run(work))


async def _run(work: Work) -> None:
    files, upstream = FolderFiles(work.folder / "files"), Upstream(work.folder / "calls", pause=work.pause)
    _arm(work, files)
    upstream.refuse = lambda question: os.kill(os.getpid(), signal.SIGKILL) if question == work.deadly else None
    config = {"lease_seconds": work.lease_seconds, "max_concurrent_requests_per_batch": work.width}
    async with database(work.folder) as sql, open_batches(sql, files, upstream, **config) as batches:
        made = [
            await batches.create_batch(asks(file, idempotency_key=key), caller()) for key, file in work.batches.items()
        ]
        for batch in made:
            await _until_over(batches, batch.id)
    (work.folder / "kib").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


async def _until_over(batches: BatchesService, id: str) -> None:
    while True:
        # Who hung within a transaction has lost its connection.
        with suppress(Unavailable):
            await until(batches, id)
            return


def _arm(work: Work, files: FolderFiles) -> None:
    """Has this process kill itself at a certain moment."""
    seen = 0

    def pass_by(moment: str) -> None:
        nonlocal seen
        seen += moment == work.die
        if moment == work.die and seen == work.count:
            os.kill(os.getpid(), signal.SIGKILL)

    writing, create_file = Lease.writing, files.create_file

    @asynccontextmanager
    async def watched_writing(self: Lease) -> AsyncIterator[tuple[Any, str]]:
        pass_by("before a transaction")
        async with writing(self) as (connection, status):
            yield connection, status
            pass_by(f"before the commit while {status}")
        pass_by(f"after the commit while {status}")

    async def watched_create_file(request: Any, ctx: Any) -> Any:
        pass_by("before a file is made")
        made = await create_file(request, ctx)
        pass_by("after a file is made")
        return made

    Lease.writing = watched_writing  # type: ignore[method-assign]
    files.create_file = watched_create_file  # type: ignore[method-assign]


def _have_a_server() -> None:
    """Starts the process that the others come from, which does not look for modules where this one does by itself."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@dataclass
class Life:
    """Batches and the processes that work on them. folder: of everything. lines: of each; how_many batches; long:
    characters of a line, beside.
    """

    folder: Path
    lines: int
    files: FolderFiles = field(init=False)
    upstream: Upstream = field(init=False)
    processes: list[BaseProcess] = field(default_factory=list)
    batches: dict[str, str] = field(init=False)
    how_many: int = 1
    long: int = 0

    def __post_init__(self) -> None:
        self.files = FolderFiles(self.folder / "files")
        self.upstream = Upstream(self.folder / "calls")
        self.batches = {
            f"batch {n}": asyncio.run(
                put(self.files, (chat_line(f"{n}-{m:04}", long=self.long) for m in range(self.lines)))
            )
            for n in range(self.how_many)
        }

    def start(self, **more: Any) -> BaseProcess:
        _have_a_server()
        process = CONTEXT.Process(target=run, args=(Work(self.folder, self.batches, **more),))
        process.start()
        self.processes.append(process)
        return process

    def end(self) -> None:
        """Whatever is left of its processes."""
        for process in self.processes:
            process.kill()
            process.join()

    def query(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """What stands in the database at one moment, to whoever looks from outside; nothing where there is no table."""

        async def read() -> list[list[tuple[Any, ...]]]:
            async with database(self.folder) as sql:
                try:
                    async with sql.reading() as connection:
                        return [[tuple(row) for row in await connection.execute(text(each))] for each in statements]
                except (OperationalError, ProgrammingError):
                    return [[] for _ in statements]

        return asyncio.run(read())

    def can_be_written(self) -> bool:
        """Whether nobody is in the midst of writing to SQLite."""
        if not (self.folder / "db").exists():
            return True
        with closing(sqlite3.connect(self.folder / "db", timeout=0.2, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
        return True

    def completed(self) -> int:
        """How many requests the batches count, which they still do when they are over."""
        ((counted,),) = self.query("SELECT coalesce(sum(completed), 0) FROM batches")[0] or [(0,)]
        return int(counted)

    def left(self) -> list[int]:
        """How many lines and results are kept."""
        return [rows[0][0] for rows in self.query(*(f"SELECT count(*) FROM {name}" for name in KEPT))]

    def durable(self) -> set[str]:
        """The requests that have a result; the batches' counts say the same."""
        done, counted = self.query(
            "SELECT custom_id FROM batch_results r JOIN batch_requests q ON q.batch = r.batch AND q.line = r.line",
            "SELECT count(*), sum(completed + failed) FROM batches WHERE status = 'in_progress'",
        )
        found = {custom_id.decode().strip('"') for (custom_id,) in done}
        if counted and counted[0][0] == self.how_many:
            assert counted[0][1] == len(found), "the counts are those of the rows"
        return found

    def wait(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(0.005)

    def results(self) -> list[tuple[Batch, list[dict[str, Any]]]]:
        """Each batch that is over, and what its output file says, without what differs from run to run."""

        async def read() -> list[tuple[Batch, list[dict[str, Any]]]]:
            async with database(self.folder) as sql, open_batches(sql, self.files, self.upstream) as batches:
                found = []
                for key, file in self.batches.items():
                    made = await batches.create_batch(asks(file, idempotency_key=key), caller())
                    assert made.status in ("completed", "cancelled", "expired", "failed"), made
                    output = self.files.content(made.output_file_id)
                    for line in output:
                        del line["id"], line["response"]["request_id"]
                    found.append((made, output))
                return found

        return asyncio.run(read())

    def outputs(self) -> list[Path]:
        """The files that batches made."""
        return [path for path in self.files.folder.glob("*.json") if "batch_output" in path.read_text()]
