"""A database, files and models for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from batch_stand_ins import FolderFiles, Upstream
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.secret import Secret
from parts.runtime.sql import Sql
from real_servers import Postgres


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
async def sql(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sql]:
    if request.param == "sqlite":
        async with open_sql_sqlite(SqlSqliteConfig(db_path=str(tmp_path / "db")), instance="sql_default") as database:
            yield database
        return
    server: Postgres = request.getfixturevalue("postgres")
    made = server.database()
    config = SqlPostgresConfig(
        host=made.host, port=made.port, db=made.name, user=made.user, password=Secret(made.password)
    )
    async with open_sql_postgres(config, instance="sql_default") as database:
        yield database


@pytest.fixture
def files(tmp_path: Path) -> FolderFiles:
    return FolderFiles(tmp_path / "files")


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "calls")
