"""Tables that are not there yet, that a newer server has made, or that are somebody else's; files that fail."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from fake_mongodb import FakeMongo
from kv_backends import mongodb_config, postgres_config, redis_config
from parts.providers.storage.kv_mongodb import open_kv_mongodb
from parts.providers.storage.kv_postgres import KvPostgresConfig, open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.errors import SettingsError, Unavailable
from parts.runtime.kv import Kv
from real_servers import Postgres, Valkey
from redis.asyncio import Redis

FROM_THE_FUTURE = r"storage\.kv_default: .* version 7, made by a newer server; this one knows versions up to 1\. "


@pytest.fixture
def file(tmp_path: Path) -> KvSqliteConfig:
    return KvSqliteConfig(db_path=str(tmp_path / "kv.db"), busy_seconds=0.2)


@pytest.fixture
def database(postgres: Postgres) -> KvPostgresConfig:
    return postgres_config(postgres.database())


async def opened_sqlite(config: KvSqliteConfig) -> None:
    async with open_kv_sqlite(config, instance="kv_default"):
        pass


async def opened_postgres(config: KvPostgresConfig) -> None:
    async with open_kv_postgres(config, instance="kv_default") as backend:
        await backend.namespace("test").put("a", b"1")


async def sql(config: KvPostgresConfig, *statements: str) -> object:
    """What the last of them finds."""
    assert config.password is not None
    connection = await asyncpg.connect(
        host=config.host, port=config.port, database=config.db, user=config.user, password=config.password.reveal()
    )
    try:
        for statement in statements:
            found = await connection.fetchval(statement)
        return found
    finally:
        await connection.close()


async def test_servers_that_start_together_make_the_tables_once(
    file: KvSqliteConfig, database: KvPostgresConfig
) -> None:
    patient = KvSqliteConfig(db_path=file.db_path)
    await asyncio.gather(*(opened_sqlite(patient) for _ in range(8)), *(opened_postgres(database) for _ in range(8)))
    with closing(sqlite3.connect(file.db_path)) as connection:
        assert connection.execute("SELECT store, version FROM stackgen_schemas").fetchall() == [("stackgen_kv", 1)]
    assert await sql(database, "SELECT version FROM stackgen_schemas WHERE store = 'stackgen_kv'") == 1


async def test_a_database_holds_keys_and_tables(file: KvSqliteConfig, database: KvPostgresConfig) -> None:
    """The two kinds of backends in one database remember their schemas in one table."""
    async with open_sql_sqlite(SqlSqliteConfig(db_path=file.db_path), instance="sql_default") as one:
        await one.prepare("kept", [])
        await opened_sqlite(KvSqliteConfig(db_path=file.db_path))
        await one.prepare("kept", [lambda _: None])
    config = SqlPostgresConfig(
        host=database.host, port=database.port, db=database.db, user=database.user, password=database.password
    )
    async with open_sql_postgres(config, instance="sql_default") as other:
        await opened_postgres(database)
        await other.prepare("kept", [lambda _: None])
        await opened_postgres(database)
    assert await sql(database, "SELECT count(*) FROM stackgen_schemas") == 2


async def test_a_newer_servers_tables_are_left_alone(file: KvSqliteConfig, database: KvPostgresConfig) -> None:
    await opened_sqlite(file)
    with closing(sqlite3.connect(file.db_path)) as connection, connection:
        connection.execute("UPDATE stackgen_schemas SET version = 7")
    with pytest.raises(SettingsError, match=FROM_THE_FUTURE):
        await opened_sqlite(file)
    await opened_postgres(database)
    await sql(database, "UPDATE stackgen_schemas SET version = 7")
    with pytest.raises(SettingsError, match=FROM_THE_FUTURE):
        await opened_postgres(database)
    assert await sql(database, "SELECT version FROM stackgen_schemas") == 7


async def test_a_newer_servers_collections_are_left_alone() -> None:
    mongo = FakeMongo()
    mongo.start()
    try:
        config = mongodb_config(mongo)
        async with open_kv_mongodb(config, instance="kv_default"):
            pass
        (place,) = (place for place, document in mongo.documents.items() if "version" in document)
        mongo.documents[place]["version"] = 7
        with pytest.raises(SettingsError, match=FROM_THE_FUTURE):
            async with open_kv_mongodb(config, instance="kv_default"):
                pass
    finally:
        mongo.stop()


async def test_a_table_of_somebody_else_is_left_alone(database: KvPostgresConfig) -> None:
    # As Llama Stack has made it.
    await sql(
        database,
        "CREATE TABLE stackgen_kv (key TEXT PRIMARY KEY, value TEXT, expiration TIMESTAMP)",
        "INSERT INTO stackgen_kv VALUES ('a', '1')",
    )
    with pytest.raises(SettingsError, match=r"storage\.kv_default\.table_name: there is a table 'stackgen_kv' that"):
        await opened_postgres(database)
    assert await sql(database, "SELECT value FROM stackgen_kv") == "1"


async def test_who_may_not_create_tables_is_told(database: KvPostgresConfig) -> None:
    await sql(database, "CREATE SCHEMA empty", f'ALTER DATABASE "{database.db}" SET search_path = nowhere, pg_catalog')
    with pytest.raises(SettingsError, match=r"storage\.kv_default: the user 'tester' .* may not create tables"):
        await opened_postgres(database)


async def test_a_databases_own_isolation_does_not_matter(database: KvPostgresConfig) -> None:
    name = f'"{database.db}"'
    await sql(database, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    async with open_kv_postgres(database, instance="kv_default") as backend:
        kv = backend.namespace("isolation")
        won = await asyncio.gather(*(kv.add("a", b"%d" % number) for number in range(30)))
        assert won.count(True) == 1


async def test_a_file_that_has_gone_is_503_until_it_is_back(file: KvSqliteConfig, tmp_path: Path) -> None:
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        kv = backend.namespace("gone")
        await kv.put("a", b"1")
        os.rename(tmp_path, tmp_path.with_name(f"{tmp_path.name}-away"))
        try:
            for call in (kv.put("b", b"2"), kv.get("a"), kv.revision()):
                await away(call, "its file has gone")
        finally:
            os.rename(tmp_path.with_name(f"{tmp_path.name}-away"), tmp_path)
        assert await kv.get("a") == b"1"
        assert await kv.add("b", b"2") is True


async def test_another_file_in_its_place_is_seen(file: KvSqliteConfig, tmp_path: Path) -> None:
    """As when a backup is put back under a running server."""
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        await backend.namespace("backup").put("a", b"1")
    (tmp_path / "backup.db").write_bytes(Path(file.db_path).read_bytes())
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        kv = backend.namespace("backup")
        await kv.put("a", b"2")
        later = await kv.revision()
        for beside in ("-wal", "-shm"):
            Path(file.db_path + beside).unlink(missing_ok=True)
        os.replace(tmp_path / "backup.db", file.db_path)
        assert await kv.get("a") == b"1"
        await kv.put("a", b"3")
        assert await kv.revision() > later, "no number comes again that stood for something else"


async def test_a_file_that_others_keep_busy_is_503(file: KvSqliteConfig) -> None:
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        kv = backend.namespace("busy")
        await kv.put("a", b"1")
        with closing(sqlite3.connect(file.db_path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await away(kv.put("a", b"2"), "others keep it busy")
            assert await kv.get("a") == b"1", "who reads waits for nobody"
            other.execute("ROLLBACK")
        await kv.put("a", b"2")
        assert await kv.get("a") == b"2"


async def test_a_damaged_file_is_503_and_its_place_no_secret(file: KvSqliteConfig) -> None:
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        kv = backend.namespace("damaged")
        await kv.put("a", b"1" * 100_000)
        with closing(sqlite3.connect(file.db_path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(file.db_path, "r+b") as broken:
            broken.write(os.urandom(200))
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable, match="its file is damaged") as refused:
                await without_end(kv)
        assert file.db_path not in refused.value.message


async def without_end(kv: Kv) -> None:
    """Until it comes to what is damaged."""
    while True:
        await kv.put("b", b"2" * 5000)


async def away(call: Awaitable[object], why: str) -> None:
    with pytest.raises(Unavailable, match=why) as refused:
        await call
    assert refused.value.code == "storage_unavailable"


@pytest.mark.parametrize("path", ["{0}/file/kv.db", "{0}", ":memory:"])
async def test_a_path_that_cannot_be_is_told_at_the_start(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"storage\.kv_default\.db_path: .* cannot be a database: "):
        await opened_sqlite(KvSqliteConfig(db_path=path.format(tmp_path)))


async def test_the_file_is_the_servers_alone(file: KvSqliteConfig) -> None:
    await opened_sqlite(file)
    assert os.stat(file.db_path).st_mode & 0o077 == 0


async def test_what_has_had_its_time_is_removed_in_the_end(file: KvSqliteConfig, valkey: Valkey) -> None:
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        await expire(backend.namespace("swept"))
        with closing(sqlite3.connect(file.db_path)) as connection:
            assert connection.execute("SELECT key FROM stackgen_kv").fetchall() == [("kept",)]
    async with open_kv_redis(redis_config(valkey), instance="kv_default") as backend:
        await expire(backend.namespace("swept"))
        async with Redis(host=valkey.host, port=valkey.port, password=valkey.password) as redis:
            assert await redis.hkeys("stackgen:{swept}:values") == [b"kept"]
            assert await redis.zcard("stackgen:{swept}:order") == 1
            assert await redis.zcard("stackgen:{swept}:ends") == 0


async def expire(kv: Kv) -> None:
    for number in range(5):
        await kv.put(f"{number}", b"1", seconds=0.01)
    while await kv.scan():
        await asyncio.sleep(0.005)
    await kv.put("kept", b"1")


async def test_postgres_removes_what_has_had_its_time(
    database: KvPostgresConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parts.providers.storage.kv import postgres_store

    monkeypatch.setattr(postgres_store, "_SWEEP_SECONDS", 0.0)
    async with open_kv_postgres(database, instance="kv_default") as backend:
        await expire(backend.namespace("swept"))
    assert await sql(database, "SELECT string_agg(key, ',') FROM stackgen_kv") == "kept"


BAD_TIMES: tuple[float, ...] = (0.0, -1.0, float("nan"), float("inf"))


async def test_a_time_or_a_number_that_is_none_is_an_error_of_ours(file: KvSqliteConfig) -> None:
    async with open_kv_sqlite(file, instance="kv_default") as backend:
        kv = backend.namespace("numbers")
        calls: list[Callable[[], Awaitable[object]]] = [lambda: kv.scan(limit=0)]
        for seconds in BAD_TIMES:
            with pytest.raises(ValueError, match="a key lives for"):
                await kv.put("a", b"1", seconds=seconds)
        with pytest.raises(ValueError, match="a scan asks for"):
            await calls[0]()
        assert await kv.scan() == []
