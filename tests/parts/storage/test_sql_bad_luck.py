"""Bad luck of a SQL database: full disks, kills, many processes at once, schemas from elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parts.runtime.errors import SettingsError, Unavailable
from parts.runtime.sql import Sql
from real_servers import Postgres
from sql_backends import WORDS, create, names, opened, put, sqlite_at
from sql_processes import ROWS, TASKS, Where, ended, started
from sqlalchemy import create_engine, delete, select, text


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """A new database of each kind, as `sql_backends.opened` takes it."""
    if request.param == "sqlite":
        return {"path": str(tmp_path / "sql.db")}
    postgres: Postgres = request.getfixturevalue("postgres")
    return asdict(postgres.database())


# ── many processes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_database_is_locked_where_four_processes_of_eight_tasks_write(where: Where, tmp_path: Path) -> None:
    processes = [started("writes", where, str(number), tmp_path / "said") for number in range(4)]
    assert ended(*processes) == [0, 0, 0, 0]
    assert len(found(where)) == 4 * TASKS * ROWS


def test_replicas_that_migrate_at_once_run_each_step_once(where: Where, tmp_path: Path) -> None:
    said = tmp_path / "said"
    processes = [started("migrates", where, str(number), said) for number in range(4)]
    assert ended(*processes) == [0, 0, 0, 0]
    assert [line.split()[0] for line in said.read_text().splitlines()] == ["first", "second", "third"]
    assert found(where) == {"second": 2}


def test_a_replica_killed_within_a_migration_leaves_it_to_the_next(where: Where, tmp_path: Path) -> None:
    assert ended(started("dies", where, "dead", tmp_path / "said")) == [-signal.SIGKILL]
    assert ended(started("migrates", where, "next", tmp_path / "said")) == [0]
    assert found(where) == {"second": 2}


def test_what_was_acknowledged_survives_kill_minus_9(where: Where, tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.touch()
    for who in ("first", "second"):
        process = started("tells", where, who, said)
        while said.read_text().count(who) < 30:
            assert process.is_alive()
            process.join(0.01)
        process.kill()
        process.join()
        acknowledged = set(said.read_text().splitlines())
        kept = set(found(where))
        assert acknowledged <= kept
    assert len(kept - acknowledged) <= 2, "and besides only what was under way"


async def test_a_schema_from_the_future_ends_the_start(where: Where) -> None:
    async with opened(where) as sql:
        await sql.prepare("words", [create, lambda _: None, lambda _: None])
    async with opened(where) as sql:
        with pytest.raises(SettingsError) as told:
            await sql.prepare("words", [create])
    assert str(told.value) == (
        "storage.sql_default: the schema of 'words' there is version 3, made by a newer server; this one knows "
        "versions up to 1. Start the newer server, or name another database, or restore a backup from before"
    )


def found(where: Where) -> dict[str, int]:
    """The rows that are there."""

    async def asks() -> dict[str, int]:
        async with opened(where) as sql, sql.reading() as connection:
            return dict((await connection.execute(select(WORDS))).all())

    return asyncio.run(asks())


# ── full disks ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB of one's own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("nobody may mount a file system here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leaves no byte; the file to remove."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass
    return filler


async def full_then_free(sql: Sql, disk: Path) -> None:
    """What is written while the disk is full is refused, and what was there stays; then it works again."""
    await sql.prepare("words", [create])
    await put(sql, "before")
    filler = fill(disk)
    refused = []
    for number in range(200):
        rows = [{"id": f"{number}-{row}-{'x' * 150}", "number": row} for row in range(200)]
        try:
            async with sql.writing() as connection:
                await connection.execute(WORDS.insert(), rows)
        except Unavailable as error:
            refused.append((error.code, "disk" in error.message))
            if len(refused) == 3:
                break
    assert refused == [("storage_unavailable", True)] * 3
    assert "before" in await names(sql)
    filler.unlink()
    await put(sql, "after")
    found = await names(sql)
    assert {"before", "after"} <= set(found)
    assert (len(found) - 2) % 200 == 0, "a transaction is there whole or not at all"


async def test_a_full_disk_under_sqlite(small_disk: Path) -> None:
    async with sqlite_at(small_disk / "sql.db") as sql:
        await full_then_free(sql, small_disk)


async def test_a_full_disk_under_postgres(small_disk: Path, postgres: Postgres) -> None:
    database = postgres.database()
    space = small_disk / "space"
    space.mkdir()
    for folder in (space, *space.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    if (owner := postgres.folder.joinpath("data").stat().st_uid) != os.geteuid():
        os.chown(space, owner, -1)
    postgres.run(
        "psql", "--quiet", "--dbname", database.name, "--command", f"CREATE TABLESPACE small LOCATION '{space}'"
    )
    told = "ALTER DATABASE {} SET default_tablespace = small"
    postgres.run("psql", "--quiet", "--dbname", database.name, "--command", told.format(database.name))
    try:
        async with opened(asdict(database)) as sql:
            await full_then_free(sql, small_disk)
    finally:
        postgres.run("dropdb", "--force", database.name)
        postgres.run("psql", "--quiet", "--dbname", "postgres", "--command", "DROP TABLESPACE small")


async def test_a_file_that_may_not_grow_is_told_as_a_full_disk(tmp_path: Path) -> None:
    async with sqlite_at(tmp_path / "sql.db") as sql:
        await sql.prepare("words", [create])
        async with sql.writing() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count=8")
        with pytest.raises(Unavailable, match="the database sql_default is not available: the disk is full"):
            async with sql.writing() as connection:
                await connection.execute(WORDS.insert(), [{"id": "x" * 100 + str(each)} for each in range(1000)])
        assert await names(sql) == []
        async with sql.writing() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        await put(sql, "after")


async def test_where_a_new_file_lies_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for _ in range(2):
        async with sqlite_at(tmp_path / "new" / "sql.db") as sql:
            await sql.prepare("words", [create])
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("sql_default")]
    assert told == [f"sql_default: made {tmp_path}/new/sql.db", "sql_default: made the tables of words"]


# ── what clients say ────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=30)
@given(
    said=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60), max_size=8)
)
def test_whatever_is_said_comes_back_and_changes_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, said: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "said.db"

    async def scenario() -> None:
        async with sqlite_at(path) as sql:
            await sql.prepare("words", [create])
            async with sql.writing() as connection:
                await connection.execute(delete(WORDS))
                for number, each in enumerate(said):
                    insert = sql.insert(WORDS).values(id=each, number=number)
                    await connection.execute(
                        insert.on_conflict_do_update(index_elements=["id"], set_={"number": number})
                    )
            async with sql.reading() as connection:
                for each in said:
                    exact = select(WORDS.c.id).where(WORDS.c.id == each)
                    assert (await connection.scalars(exact)).all() == [each]
            assert await names(sql) == sorted(set(said))

    asyncio.run(scenario())


# ── SQLite's file ───────────────────────────────────────────────────────────────────────────────────────────────────


async def refused(path: str) -> str:
    with pytest.raises(SettingsError) as told:
        async with sqlite_at(Path(path)):
            pass
    return str(told.value)


async def test_a_path_that_cannot_be_a_database_is_told_at_start(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is not a database, it is a text that is long enough to be looked at." * 30)
    says = f"storage.sql_default.db_path: {tmp_path}/"
    assert await refused(f"{tmp_path}/text") == f"{says}text cannot be a database: file is not a database"
    assert await refused(f"{tmp_path}") == f"{says[:-1]} cannot be a database: Is a directory"
    assert await refused(f"{tmp_path}/text/sql.db") == (
        f"{says}text/sql.db cannot be a database: {tmp_path}/text is no folder"
    )
    assert "what is in memory is not kept; name a file" in await refused(":memory:")


async def test_a_file_that_is_opened_twice_is_still_shared_with_other_processes(tmp_path: Path) -> None:
    write = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute(sys.argv[2])"
    path = tmp_path / "sql.db"
    async with sqlite_at(path) as sql:
        await sql.prepare("words", [create])
        await put(sql, "one")
        async with sqlite_at(path):
            for word in ("two", "three"):
                statement = f"INSERT INTO words (id) VALUES ('{word}')"
                await asyncio.to_thread(subprocess.run, (sys.executable, "-c", write, path, statement), check=True)
                assert word in await names(sql)


async def test_what_clients_say_is_for_the_server_alone(tmp_path: Path) -> None:
    async with sqlite_at(tmp_path / "sql.db") as sql:
        await sql.prepare("words", [create])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"sql.db": 0o600, "sql.db-wal": 0o600, "sql.db-shm": 0o600}


async def test_a_commit_is_on_the_disk_and_not_only_in_the_systems_memory(tmp_path: Path) -> None:
    async with sqlite_at(tmp_path / "sql.db") as sql:
        for block in (sql.reading, sql.writing):
            async with block() as connection:
                asked = ("journal_mode", "synchronous", "foreign_keys")
                said = [(await connection.exec_driver_sql(f"PRAGMA {each}")).scalar() for each in asked]
                assert said == ["wal", 2, 1]


async def test_a_writer_outside_is_waited_for_and_then_told_of(tmp_path: Path) -> None:
    path = tmp_path / "sql.db"
    outside = create_engine(f"sqlite:///{path}")
    async with sqlite_at(path, busy_seconds=0.2) as sql:
        await sql.prepare("words", [create])
        with outside.connect() as connection:
            connection.execute(text("INSERT INTO words (id) VALUES ('outside')"))
            for _ in range(2):
                with pytest.raises(Unavailable, match="others keep it busy"):
                    await put(sql, "inside")
            assert await names(sql) == [], "who reads is not held up"
            connection.commit()
        await put(sql, "inside")
        assert await names(sql) == ["inside", "outside"]
    outside.dispose()


async def test_a_turn_to_write_that_does_not_come_is_told(tmp_path: Path) -> None:
    async with sqlite_at(tmp_path / "sql.db", busy_seconds=0.2) as sql:
        await sql.prepare("words", [create])
        async with sql.writing():
            with pytest.raises(Unavailable, match="others keep it busy"):
                await put(sql, "second")
        await put(sql, "third")


async def test_a_pool_of_readers_that_is_exhausted_is_told(tmp_path: Path) -> None:
    async with sqlite_at(tmp_path / "sql.db", busy_seconds=0.2, pool_size=1) as sql:
        await sql.prepare("words", [create])
        async with sql.reading():
            with pytest.raises(Unavailable, match="all connections to it are in use"):
                await names(sql)
        assert await names(sql) == []


async def test_a_fault_is_logged_once_and_its_end_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with sqlite_at(tmp_path / "sql.db", busy_seconds=0.1) as sql:
        await sql.prepare("words", [create])
        async with sql.writing():
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await put(sql, "other")
        await put(sql, "after")
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == [
        "the database sql_default is not available: others keep it busy",
        "the database sql_default is available again",
    ]


# ── clients that leave ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_writers_that_are_cancelled_at_whatever_moment_hold_up_nobody(tmp_path: Path) -> None:
    """Also with a statement that was not read to its end, which SQLite keeps a closed connection alive for."""

    async def write() -> None:
        while True:
            async with sql.writing() as connection:
                await connection.execute(WORDS.insert().values(id=f"{next(numbers)}", number=0))
                await connection.execute(select(WORDS))

    numbers = count()
    async with sqlite_at(tmp_path / "sql.db", busy_seconds=2.0) as sql:
        await sql.prepare("words", [create])
        for number in range(100):
            writer = asyncio.create_task(write())
            await asyncio.sleep(number / 20_000)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await put(sql, f"after {number}")
        assert len(await names(sql)) >= 100
