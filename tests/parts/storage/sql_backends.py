"""The SQL backends, configured for the real databases of the tests; and a process that uses one.

python sql_backends.py …        see `main`
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.secret import Secret
from parts.runtime.sql import Sql
from real_servers import Database
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table

WORDS = Table("words", MetaData(), Column("id", String(200), primary_key=True), Column("number", Integer))
NAME = "sql_default"


def create(connection: Connection) -> None:
    WORDS.create(connection)


def sqlite_at(path: Path, **more: object) -> AbstractAsyncContextManager[Sql]:
    settings: dict[str, object] = {"db_path": str(path), **more}
    return open_sql_sqlite(SqlSqliteConfig(**settings), instance=NAME)  # type: ignore[arg-type]


def postgres_config(database: Database, **more: object) -> SqlPostgresConfig:
    settings: dict[str, object] = {
        "host": database.host,
        "port": database.port,
        "db": database.name,
        "user": database.user,
        "password": Secret(database.password),
        "start_seconds": 20.0,
        **more,
    }
    return SqlPostgresConfig(**settings)  # type: ignore[arg-type]


def postgres_at(database: Database, **more: object) -> AbstractAsyncContextManager[Sql]:
    return open_sql_postgres(postgres_config(database, **more), instance=NAME)


async def put(sql: Sql, name: str, number: int = 0) -> None:
    async with sql.writing() as connection:
        await connection.execute(sql.insert(WORDS).values(id=name, number=number))


async def names(sql: Sql) -> list[str]:
    async with sql.reading() as connection:
        return sorted(await connection.scalars(WORDS.select().with_only_columns(WORDS.c.id)))


def opened(where: Mapping[str, object]) -> AbstractAsyncContextManager[Sql]:
    """where: {"path": …} of a SQLite file, or the fields of a Database."""
    if "path" in where:
        return sqlite_at(Path(str(where["path"])), busy_seconds=60.0)
    return postgres_at(Database(**where), pool_size=2, max_overflow=2)  # type: ignore[arg-type]
