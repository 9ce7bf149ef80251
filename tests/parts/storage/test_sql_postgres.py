"""PostgreSQL that is away, refuses, is exhausted, or must be trusted first."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest
import trustme
from parts.runtime.errors import SettingsError, Unavailable
from parts.runtime.faults import Formatter
from parts.runtime.secret import Secret
from real_servers import HOST, PASSWORD, Database, Postgres, free_port
from sql_backends import create, names, postgres_at, postgres_config, put
from sqlalchemy import text
from tls_front import tls_front


@pytest.fixture
def database(postgres: Postgres) -> Database:
    return postgres.database()


@pytest.fixture(autouse=True)
def _no_secret_is_told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever goes wrong in these tests: the log does not have the password."""
    caplog.set_level(logging.DEBUG)
    yield
    formatter = Formatter()
    told = "".join(formatter.format(record) for record in caplog.records)
    assert PASSWORD not in told
    assert "wrong-password" not in told


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error with all that it was raised from, and within."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def refused(database: Database, **more: object) -> str:
    """What a start with other settings says."""
    with pytest.raises((SettingsError, Unavailable)) as told:
        async with postgres_at(database, **{"start_seconds": 0.3, **more}):
            pass
    for each in chain(told.value):
        assert PASSWORD not in repr(each)
        assert "wrong-password" not in repr(each)
    return f"{type(told.value).__name__}: {told.value}"


# ── a start that cannot be ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_start_says_what_is_wrong_with_the_settings(database: Database) -> None:
    at = f"storage.sql_default: PostgreSQL at {HOST} port {database.port}"
    assert await refused(database, password=Secret("wrong-password")) == (
        f"SettingsError: {at} refuses the password of the user 'tester'"
    )
    assert await refused(database, password=None) == (
        f"SettingsError: {at} refuses the password of the user 'tester'; there is no password in the settings"
    )
    assert await refused(database, db="nowhere") == (
        f"SettingsError: {at} has no database 'nowhere'; create it, or name another as `db`"
    )
    assert await refused(database, ssl_mode="require") == (
        f"SettingsError: {at} has no TLS; turn it on there, or set ssl_mode to prefer"
    )


async def test_a_start_without_a_server_ends_after_a_while(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    at = f"PostgreSQL at {HOST} port {port}"
    assert await refused(database, port=port) == (
        f"Unavailable: storage.sql_default: {at} cannot be reached: connection refused, and was waited for 0.3 s"
    )
    assert f"sql_default: {at} cannot be reached: connection refused; it is waited for, 0 s more at most" in caplog.text


async def test_a_start_without_the_host_ends_after_a_while(database: Database) -> None:
    assert "PostgreSQL at nowhere.invalid port 5432 cannot be reached: the host is not known" in await refused(
        database, host="nowhere.invalid", port=5432
    )


async def test_a_start_before_a_server_that_says_nothing_ends_after_a_while(database: Database) -> None:
    with closing(socket()) as silent:
        silent.bind((HOST, 0))
        silent.listen()
        port = silent.getsockname()[1]
        said = await refused(database, port=port, connect_seconds=0.1)
    assert f"PostgreSQL at {HOST} port {port} does not answer within 0.1 s, and was waited for" in said


async def test_a_start_waits_for_a_server_that_comes_later(postgres: Postgres, database: Database) -> None:
    postgres.stop()

    async def comes() -> None:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(postgres.start)

    coming = asyncio.create_task(comes())
    async with postgres_at(database) as sql:
        await sql.prepare("words", [create])
        assert await names(sql) == []
    await coming


async def test_who_may_not_create_tables_is_told(postgres: Postgres, database: Database) -> None:
    sql = "CREATE ROLE guest LOGIN PASSWORD 'guest-password'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    postgres.run("psql", "--quiet", "--dbname", database.name, "--command", sql)
    async with postgres_at(database, user="guest", password=Secret("guest-password")) as guest:
        with pytest.raises(SettingsError) as told:
            await guest.prepare("words", [create])
    assert str(told.value) == (
        f"storage.sql_default: the user 'guest' in the database '{database.name}' may not create tables; grant it"
    )


async def test_nothing_but_the_settings_says_who_one_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", database.password)
    assert "refuses the password" in await refused(database, password=None)


# ── a server that goes away ─────────────────────────────────────────────────────────────────────────────────────────


async def unavailable(call: Callable[[], Awaitable[object]]) -> str:
    with pytest.raises(Unavailable) as told:
        await call()
    assert (told.value.status, told.value.code, told.value.retry_after) == (503, "storage_unavailable", 5.0)
    for word in (HOST, PASSWORD, "tester", "asyncpg"):
        assert word not in told.value.message, "clients learn nothing of the network behind"
    return told.value.message


async def test_a_database_that_is_gone_for_a_minute_is_used_again_when_it_is_back(
    postgres: Postgres, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with postgres_at(database, pool_size=3) as sql:
        await sql.prepare("words", [create])
        # Several connections, so that several are broken afterwards.
        await asyncio.gather(*(put(sql, f"before {number}") for number in range(3)))
        postgres.stop()
        try:
            for _ in range(3):
                for call in (lambda: put(sql, "lost"), lambda: names(sql)):
                    assert "the database sql_default is not available: " in await unavailable(call)
        finally:
            postgres.start()
        await asyncio.gather(*(put(sql, f"after {number}") for number in range(3)))
        assert await names(sql) == [f"{when} {number}" for when in ("after", "before") for number in range(3)]
    said = [record.getMessage() for record in caplog.records if record.name.endswith("outage")]
    assert said[-1] == "the database sql_default is available again"
    assert len(said) <= 4, "a line for each cause, not for each request"


async def test_a_database_that_goes_within_a_transaction_leaves_nothing_of_it(
    postgres: Postgres, database: Database
) -> None:
    async with postgres_at(database) as sql:
        await sql.prepare("words", [create])

        async def half() -> None:
            async with sql.writing() as connection:
                await connection.execute(text("INSERT INTO words (id) VALUES ('half')"))
                postgres.stop()
                try:
                    await connection.execute(text("INSERT INTO words (id) VALUES ('other half')"))
                finally:
                    postgres.start()

        assert "its connection was lost" in await unavailable(half)
        assert await names(sql) == []


async def test_who_goes_on_with_a_lost_connection_is_told_again(postgres: Postgres, database: Database) -> None:
    async with postgres_at(database) as sql:
        await sql.prepare("words", [create])

        async def stubborn() -> None:
            async with sql.writing() as connection:
                postgres.stop()
                try:
                    await unavailable(lambda: connection.execute(text("SELECT 1")))
                finally:
                    postgres.start()

        assert "its connection was lost" in await unavailable(stubborn)
        await put(sql, "after")


async def test_connections_that_the_server_has_closed_are_replaced_unnoticed(
    postgres: Postgres, database: Database
) -> None:
    async with postgres_at(database) as sql:
        await sql.prepare("words", [create])
        await asyncio.gather(*(put(sql, f"{number}") for number in range(4)))
        kill = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database.name}'"
        said = await asyncio.to_thread(postgres.run, "psql", "--tuples-only", "--dbname", "postgres", "--command", kill)
        assert int(said) > 1
        await asyncio.sleep(0.1)
        await asyncio.gather(*(put(sql, f"again {number}") for number in range(4)))
        assert len(await names(sql)) == 8


async def test_connections_that_have_gone_silent_are_replaced_unnoticed(database: Database) -> None:
    """As behind a firewall that forgets connections: nobody says that they are closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    async with tls_front(database, context) as front:
        told = {"port": front.port, "ssl_mode": "disable", "connect_seconds": 2.0}
        async with postgres_at(database, **told) as sql:
            await sql.prepare("words", [create])
            await put(sql, "before")
            front.silence()
            await asyncio.sleep(1.1)
            await put(sql, "after")
            assert await names(sql) == ["after", "before"]


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_connection_pool_that_is_exhausted_is_told_and_recovers(database: Database) -> None:
    async with postgres_at(database, pool_size=1, max_overflow=1, pool_seconds=0.1) as sql:
        await sql.prepare("words", [create])
        async with sql.writing(), sql.reading():
            for call in (lambda: put(sql, "third"), lambda: names(sql)):
                assert await unavailable(call) == (
                    "the database sql_default is not available: all connections to it are in use"
                )
        await put(sql, "after")


async def test_a_server_without_connections_left_is_told_and_recovers(postgres: Postgres, database: Database) -> None:
    limit = "ALTER ROLE few CONNECTION LIMIT 1"
    role = "CREATE ROLE few LOGIN PASSWORD 'few-password'; GRANT ALL ON SCHEMA public TO few; " + limit
    postgres.run("psql", "--quiet", "--dbname", database.name, "--command", role)
    async with postgres_at(database, user="few", password=Secret("few-password")) as sql:
        await sql.prepare("words", [create])
        async with sql.writing() as connection:
            await connection.execute(text("SELECT 1"))
            assert "it has no connection left" in await unavailable(lambda: names(sql))
        assert await names(sql) == []


async def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    async with postgres_at(database, statement_seconds=1.0, pool_size=1, max_overflow=0) as sql:

        async def sleeps() -> None:
            async with sql.reading() as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))

        for _ in range(2):
            assert "a statement took too long" in await unavailable(sleeps)
        async with sql.reading() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_migration_may_take_longer_than_a_statement(database: Database) -> None:
    async with postgres_at(database, statement_seconds=0.2) as sql:
        await sql.prepare("slow", [lambda connection: connection.execute(text("SELECT pg_sleep(0.6)")) and None])


async def test_writers_that_wait_for_each_other_are_told_apart(database: Database) -> None:
    async with postgres_at(database) as sql:
        await sql.prepare("words", [create])
        for name in "ab":
            await put(sql, name)
        both = asyncio.Barrier(2)

        async def crosses(first: str, second: str) -> None:
            async with sql.writing() as connection:
                for number, name in enumerate((first, second)):
                    await connection.execute(text("UPDATE words SET number = 1 WHERE id = :name"), {"name": name})
                    if number == 0:
                        await both.wait()

        outcomes = await asyncio.gather(crosses("a", "b"), crosses("b", "a"), return_exceptions=True)
        (error,) = [each for each in outcomes if each is not None]
        assert isinstance(error, Unavailable)
        assert "others keep it busy" in error.message


async def test_a_copy_that_takes_no_writes_is_told(postgres: Postgres, database: Database) -> None:
    async with postgres_at(database) as sql:
        await sql.prepare("words", [create])
    told = f"ALTER DATABASE {database.name} SET default_transaction_read_only = on"
    postgres.run("psql", "--quiet", "--dbname", database.name, "--command", told)
    async with postgres_at(database) as copy:
        assert await names(copy) == []
        assert "it takes no writes" in await unavailable(lambda: put(copy, "a"))


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return ca


def certified(ca: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("mode", ["allow", "prefer", "require", "verify-ca", "verify-full"])
async def test_tls_is_spoken_as_the_mode_says(
    mode: str, database: Database, authority: trustme.CA, tmp_path: Path
) -> None:
    more = {"ca_cert_path": str(tmp_path / "ca.pem")} if mode.startswith("verify") else {}
    async with tls_front(database, certified(authority, HOST)) as front:
        async with postgres_at(database, port=front.port, ssl_mode=mode, **more) as sql:
            await sql.prepare("words", [create])
            await put(sql, "a")
            assert await names(sql) == ["a"]
        assert (front.tls > 0, front.plain > 0) == ((False, True) if mode == "allow" else (True, False))


async def test_a_certificate_that_does_not_hold_is_refused(
    database: Database, authority: trustme.CA, tmp_path: Path
) -> None:
    file = {"ca_cert_path": str(tmp_path / "ca.pem")}
    async with tls_front(database, certified(trustme.CA(), HOST)) as strange:
        for mode in ("require", "verify-ca", "verify-full"):
            said = await refused(database, port=strange.port, ssl_mode=mode, **file)
            assert "SettingsError: storage.sql_default: the certificate of PostgreSQL" in said, mode
        for mode in ("verify-ca", "verify-full"):
            assert "does not hold" in await refused(database, port=strange.port, ssl_mode=mode)
        async with postgres_at(database, port=strange.port, ssl_mode="require"):
            assert strange.tls
    async with tls_front(database, certified(authority, "other.example")) as other:
        said = await refused(database, port=other.port, ssl_mode="verify-full", **file)
        assert "does not hold: IP address mismatch" in said
        async with postgres_at(database, port=other.port, ssl_mode="verify-ca", **file):
            assert other.tls


async def test_authorities_that_cannot_be_used_are_told(database: Database, tmp_path: Path) -> None:
    text_file = tmp_path / "text"
    text_file.write_text("no certificate")
    for mode, path, why in (
        ("verify-full", tmp_path / "none", f"{tmp_path}/none cannot be used: No such file or directory"),
        ("verify-full", text_file, f"{text_file} cannot be used: it holds no certificate in PEM"),
        (
            "prefer",
            text_file,
            "with ssl_mode prefer nothing is checked; use require, verify-ca or verify-full, or leave it out",
        ),
    ):
        said = await refused(database, ssl_mode=mode, ca_cert_path=str(path))
        assert said == f"SettingsError: storage.sql_default.ca_cert_path: {why}"


def test_a_config_does_not_print_its_password(database: Database) -> None:
    assert database.password not in repr(postgres_config(database))
