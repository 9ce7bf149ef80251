"""Batches whose processes are killed, hang or share them, and whose database goes away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from batch_process import LEASE_SECONDS, Life
from batch_stand_ins import FolderFiles, Upstream, asks, caller, chat_line, open_batches, put, until
from parts.providers.batches.jobs.leases import LeaseLost, Leases
from parts.providers.batches.jobs.ledger import ledger
from parts.providers.batches.jobs.results import Result, Tokens
from parts.providers.batches.jobs.tables import BATCHES, MIGRATIONS
from parts.providers.batches.jobs.worker import MOST_TAKEOVERS
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.runtime.errors import Unavailable
from parts.runtime.secret import Secret
from parts.runtime.sql import Sql
from real_servers import Postgres
from sqlalchemy import select, text, update
from test_batches import rows

KILLS = 20


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def life(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Life]]:
    lives: list[Life] = []

    def make(lines: int, name: str = "life", **more: Any) -> Life:
        (tmp_path / name).mkdir()
        if request.param == "postgres":
            made = request.getfixturevalue("postgres").database()
            told = {"host": made.host, "port": made.port, "db": made.name, "user": made.user}
            (tmp_path / name / "postgres").write_text(json.dumps({**told, "password": made.password}))
        lives.append(Life(tmp_path / name, lines, **more))
        return lives[-1]

    yield make
    for each in lives:
        each.end()


def undisturbed(life: Callable[..., Life], lines: int) -> list[dict[str, Any]]:
    """What the output file says where nothing happened."""
    quiet = life(lines, "quiet")
    quiet.start(pause=0.0).join(60)
    ((batch, output),) = quiet.results()
    assert (batch.status, len(output)) == ("completed", lines)
    return output


@pytest.mark.slow
def test_a_batch_that_is_killed_at_20_random_points_ends_as_an_undisturbed_one(life: Callable[..., Life]) -> None:
    whole = undisturbed(life, 300)
    seed = os.environ.get("SEED", str(random.randrange(10**9)))
    print(f"SEED={seed}")  # noqa: T201  # shown where it fails
    killed, chance = life(300), random.Random(seed)
    asked_at_kill: dict[str, int] = {}
    for point in sorted(chance.sample(range(-10, 295), KILLS)):
        process = killed.start()
        if point < 0:
            process.join(chance.uniform(0, LEASE_SECONDS))
        killed.wait(lambda point=point: len(killed.durable()) >= point)
        process.join(chance.uniform(0, 0.02))
        process.kill()
        process.join()
        asked, durable = killed.upstream.asked(), killed.durable()
        for custom_id, times in asked_at_kill.items():
            assert asked[custom_id] == times, f"{custom_id} was durable, and was run again"
        asked_at_kill = {custom_id: asked[custom_id] for custom_id in durable}
    assert len(asked_at_kill) > 200, "the kills came while it ran"
    killed.start(pause=0.0).join(60)
    ((batch, output),) = killed.results()
    assert (batch.status, batch.request_counts.completed, batch.request_counts.failed) == ("completed", 300, 0)
    assert output == whole
    asked = killed.upstream.asked()
    assert all(asked[custom_id] == times for custom_id, times in asked_at_kill.items())
    # What runs twice at most is what was under way, four lines for each kill.
    assert sum(asked.values()) <= 300 + KILLS * 4
    assert killed.left() == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("die", "count"),
    [
        ("before a transaction", 1),
        ("before the commit while validating", 2),
        ("after the commit while validating", 2),
        ("after the commit while validating", 3),
        ("before the commit while in_progress", 1),
        ("after the commit while in_progress", 1),
        ("before the commit while in_progress", 3),
        ("after the commit while in_progress", 3),
        ("before a file is made", 1),
        ("after a file is made", 1),
        ("before the commit while finalizing", 1),
        ("after the commit while finalizing", 1),
        ("before the commit while finalizing", 2),
        ("after the commit while finalizing", 3),
        ("after the commit while finalizing", 4),
        ("before the commit while finalizing", 5),
        ("after the commit while finalizing", 7),
    ],
)
def test_a_batch_that_is_killed_at_this_very_moment_goes_on(life: Callable[..., Life], die: str, count: int) -> None:
    killed = life(20)
    process = killed.start(die=die, count=count)
    process.join(60)
    durable, asked = killed.durable(), killed.upstream.asked()
    over = die == "after the commit while finalizing" and count == 7
    if not over:
        assert process.exitcode == -signal.SIGKILL, "there is no such moment"
    killed.start().join(60)
    ((batch, output),) = killed.results()
    assert (batch.status, batch.request_counts.completed) == ("completed", 20)
    assert [line["custom_id"] for line in output] == [f"0-{n:04}" for n in range(20)]
    assert len(killed.outputs()) == 1, "no file of the one before is left over"
    again = killed.upstream.asked()
    assert all(again[custom_id] == asked[custom_id] for custom_id in durable)
    assert killed.left() == [0, 0]


def test_a_batch_whose_holder_hangs_is_taken_over_and_nothing_of_the_old_one_is_written(
    life: Callable[..., Life],
) -> None:
    shared = life(120)
    first = shared.start(pause=0.02)
    shared.wait(lambda: len(shared.durable()) >= 20)
    hang(shared, first.pid)
    asked, durable = shared.upstream.asked(), shared.durable()
    second = shared.start(pause=0.02)
    shared.wait(lambda: shared.completed() >= len(durable) + 20)
    os.kill(first.pid, signal.SIGCONT)
    second.join(60)
    first.join(60)
    assert (first.exitcode, second.exitcode) == (0, 0)
    ((batch, output),) = shared.results()
    assert (batch.status, batch.request_counts.completed) == ("completed", 120)
    assert [line["custom_id"] for line in output] == [f"0-{n:04}" for n in range(120)]
    again = shared.upstream.asked()
    assert all(again[custom_id] == asked[custom_id] == 1 for custom_id in durable)
    # The four that were under way when it hung.
    assert sum(again.values()) <= 120 + 4
    assert len(shared.outputs()) == 1


def hang(life: Life, pid: int) -> None:
    """Stops a process, though not while it writes to SQLite: all others would wait for that, by SQLite's nature."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        if life.can_be_written():
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.003)


def test_a_batch_that_ends_its_process_each_time_fails_and_keeps_what_was_answered(life: Callable[..., Life]) -> None:
    killed, runs = life(8), 0
    while (process := killed.start(deadly="0-0005", width=1, lease_seconds=0.2)) is not None:
        runs += 1
        process.join(30)
        if process.exitcode == 0:
            break
        assert (process.exitcode, runs <= MOST_TAKEOVERS + 1) == (-signal.SIGKILL, True)
    ((batch, output),) = killed.results()
    assert runs == MOST_TAKEOVERS + 2, "the first one, all that took over, and the one that found it to be enough"
    assert killed.upstream.asked() == {**{f"0-{n:04}": 1 for n in range(5)}, "0-0005": MOST_TAKEOVERS + 1}
    assert (batch.status, batch.failed_at is not None) == ("failed", True)
    assert batch.errors is not None
    (error,) = batch.errors.data
    assert (error.code, error.line) == ("batch_ended_its_process", None)
    assert f"ended {MOST_TAKEOVERS + 1} times" in error.message
    assert (batch.request_counts.completed, batch.request_counts.failed, batch.request_counts.total) == (5, 0, 8)
    assert [line["custom_id"] for line in output] == [f"0-{n:04}" for n in range(5)]
    not_run = killed.files.content(batch.error_file_id)
    assert [(line["custom_id"], line["error"]["code"]) for line in not_run] == [
        (f"0-{n:04}", "batch_failed") for n in range(5, 8)
    ]
    assert killed.left() == [0, 0]


@pytest.mark.slow
def test_a_batch_that_finishes_a_line_between_is_taken_over_as_often_as_need_be(life: Callable[..., Life]) -> None:
    killed = life(MOST_TAKEOVERS + 3)
    for number in range(MOST_TAKEOVERS + 3):
        process = killed.start(deadly=f"0-{number:04}", width=1, lease_seconds=0.2)
        process.join(30)
        assert process.exitcode == -signal.SIGKILL
    killed.start().join(30)
    ((batch, output),) = killed.results()
    assert (batch.status, len(output)) == ("completed", MOST_TAKEOVERS + 3)


async def test_a_server_that_stops_and_starts_again_takes_nothing_over(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 10
    file = await put(files, [chat_line("q")])
    for round in range(MOST_TAKEOVERS + 3):
        async with open_batches(sql, files, upstream) as batches:
            made = await batches.create_batch(asks(file, idempotency_key="one"), caller())
            assert (await until(batches, made.id, "in_progress")).status == "in_progress"
            async with asyncio.timeout(30):
                while sum(upstream.asked().values()) <= round:
                    await asyncio.sleep(0.01)
    upstream.pause = 0
    async with open_batches(sql, files, upstream) as batches:
        assert (await until(batches, made.id)).status == "completed"


async def test_tables_of_a_server_before_get_what_they_lack(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    """As the first form of the tables was, and with a batch in them."""
    await sql.prepare("batches", MIGRATIONS[:1])
    async with sql.writing() as connection:
        await connection.execute(text("ALTER TABLE batches DROP COLUMN takeovers"))
    async with open_batches(sql, files, upstream) as batches:
        made = await batches.create_batch(asks(await put(files, [chat_line("q")])), caller())
        assert (await until(batches, made.id)).status == "completed"
    async with sql.reading() as connection:
        assert await connection.scalar(select(BATCHES.c.takeovers)) == 0


async def test_a_former_holder_cannot_write_a_result(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    upstream.pause = 10
    async with open_batches(sql, files, upstream) as batches:
        made = await batches.create_batch(asks(await put(files, [chat_line("q")])), caller())
        await until(batches, made.id, "in_progress")
    leases = Leases(sql, 30)
    former = await leases.claim("run")
    assert former is not None
    assert await leases.claim("run") is None, "nobody else gets it"
    async with sql.writing() as connection:
        await connection.execute(update(BATCHES).values(lease_until=0.0))
    assert await leases.claim("run") is not None
    with pytest.raises(LeaseLost):
        async with ledger(former) as keep:
            await keep(Result(1, True, b"{}", Tokens()))
    with pytest.raises(LeaseLost):
        await former.renew()
    await former.release()
    assert await rows(sql) == (1, 0)
    assert await leases.claim("run") is None, "what the former one released was not its own"


async def test_a_result_whose_commit_was_not_answered_is_counted_once(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    """The database commits, and is away before it says so."""
    unsure = Away(sql)
    unsure.lose_answers = 3
    async with open_batches(unsure, files, upstream, max_concurrent_requests_per_batch=1) as batches:
        made = await batches.create_batch(asks(await put(files, [chat_line(f"q{n}") for n in range(5)])), caller())
        done = await until(batches, made.id)
    assert unsure.lose_answers == 0
    assert (done.status, done.request_counts.completed) == ("completed", 5)
    assert upstream.asked() == {f"q{n}": 1 for n in range(5)}


async def test_a_database_that_is_away_for_a_while_holds_up_a_batch_and_loses_nothing(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 0.01
    away = Away(sql)
    async with open_batches(away, files, upstream, lease_seconds=0.3, max_concurrent_requests_per_batch=3) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(60)])
        made = await batches.create_batch(asks(file), caller())
        await until(batches, made.id, when=lambda batch: batch.request_counts.completed >= 10)
        away.gone = True
        await asyncio.sleep(0.5)
        asked = sum(upstream.asked().values())
        await asyncio.sleep(0.5)
        assert sum(upstream.asked().values()) == asked, "nothing is begun that cannot be kept"
        away.gone = False
        done = await until(batches, made.id)
    assert (done.status, done.request_counts.completed) == ("completed", 60)
    assert upstream.asked() == {f"q{n}": 1 for n in range(60)}


def test_processes_share_batches_and_run_each_line_once(life: Callable[..., Life]) -> None:
    shared = life(25, how_many=8)
    workers = [shared.start(pause=0.01, lease_seconds=10.0) for _ in range(3)]
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    for n, (batch, output) in enumerate(shared.results()):
        assert (batch.status, batch.request_counts.completed) == ("completed", 25)
        assert [line["custom_id"] for line in output] == [f"{n}-{m:04}" for m in range(25)]
    assert set(shared.upstream.asked().values()) == {1}
    assert len(shared.upstream.asked()) == 200
    assert len(shared.upstream.processes()) == 3, "all of them had a share"


@pytest.mark.slow
def test_5000_lines_take_no_more_memory_than_500(life: Callable[..., Life]) -> None:
    """With 20 MB of requests, and more of answers, in the larger one."""
    kib = []
    for lines in (500, 5000):
        batch = life(lines, f"{lines}", long=4000)
        batch.start(pause=0.0, width=10, lease_seconds=10.0).join(240)
        ((done, output),) = batch.results()
        assert (done.status, len(output)) == ("completed", lines)
        kib.append(int((batch.folder / "kib").read_text()))
    assert kib[1] - kib[0] < 8 * 1024


@pytest.mark.slow
async def test_a_postgresql_that_is_restarted_holds_up_a_batch_and_loses_nothing(
    postgres: Postgres, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 0.02
    made = postgres.database()
    config = SqlPostgresConfig(
        host=made.host, port=made.port, db=made.name, user=made.user, password=Secret(made.password)
    )
    async with (
        open_sql_postgres(config, instance="sql_default") as sql,
        open_batches(sql, files, upstream, lease_seconds=1.0, max_concurrent_requests_per_batch=3) as batches,
    ):
        batch = await batches.create_batch(asks(await put(files, [chat_line(f"q{n}") for n in range(90)])), caller())
        await until(batches, batch.id, when=lambda batch: batch.request_counts.completed >= 20)
        await asyncio.to_thread(postgres.stop)
        try:
            await asyncio.sleep(2)
        finally:
            await asyncio.to_thread(postgres.start)
        while True:
            with contextlib.suppress(Unavailable):
                done = await until(batches, batch.id)
                break
            await asyncio.sleep(0.1)
    assert (done.status, done.request_counts.completed) == ("completed", 90)
    assert upstream.asked() == {f"q{n}": 1 for n in range(90)}


async def test_a_server_that_stops_leaves_its_batch_to_others_at_once(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 0.02
    async with open_batches(sql, files, upstream, lease_seconds=3600) as batches:
        made = await batches.create_batch(asks(await put(files, [chat_line(f"q{n}") for n in range(60)])), caller())
        await until(batches, made.id, when=lambda batch: batch.request_counts.completed >= 20)
    async with open_batches(sql, files, upstream, lease_seconds=3600) as batches:
        done = await until(batches, made.id)
    assert (done.status, done.request_counts.completed) == ("completed", 60)
    assert sum(upstream.asked().values()) <= 60 + 10


class Away:
    """A database that can go away. Stands for one that is restarted or cannot be reached.

    lose_answers: so many transactions of a running batch are committed, and fail all the same.
    """

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self.dialect = sql.dialect
        self.prepare = sql.prepare
        self.insert = sql.insert
        self.gone = False
        self.lose_answers = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        self._ask()
        async with self._sql.reading() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        self._ask()
        async with self._sql.writing() as connection:
            watched = Watched(connection)
            yield watched
            self._ask()
        if self.lose_answers and watched.results:
            self.lose_answers -= 1
            raise Unavailable("the database was gone before it answered", code="storage_unavailable")

    def _ask(self) -> None:
        if self.gone:
            raise Unavailable("the database is away", code="storage_unavailable")


class Watched:
    """A connection that remembers whether results were written."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.results = False

    async def execute(self, statement: Any, *rest: Any) -> Any:
        self.results |= str(statement).startswith("INSERT INTO batch_results")
        return await self._connection.execute(statement, *rest)
