"""The SQL backends before the suite for all of them, over real databases."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.secret import Secret
from parts.runtime.sql import Sql
from parts.testing.storage.sql import SqlSuite
from real_servers import Database, Postgres


class TestSqlite(SqlSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "new folder" / "sql store?#%.db"

    def opens(self) -> AbstractAsyncContextManager[Sql]:
        return open_sql_sqlite(SqlSqliteConfig(db_path=str(self.path)), instance="sql_default")


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


class TestPostgres(SqlSuite):
    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.config = SqlPostgresConfig(
            host=database.host,
            port=database.port,
            db=database.name,
            user=database.user,
            password=Secret(database.password),
            pool_size=4,
            max_overflow=2,
        )

    def opens(self) -> AbstractAsyncContextManager[Sql]:
        return open_sql_postgres(self.config, instance="sql_default")


def test_a_server_whose_backend_is_switched_off_imports_no_library() -> None:
    """Such a server imports the modules of the openers and of the interfaces, and opens nothing."""
    modules = "providers.storage.sql_sqlite", "providers.storage.sql_postgres", "runtime.sql", "runtime.group_writer"
    imports = "".join(f"import parts.{each}\n" for each in modules)
    asks = "import sys; print(sorted({'aiosqlite', 'asyncpg', 'greenlet', 'sqlalchemy'} & set(sys.modules)))"
    templates = next(path for path in sys.path if path.endswith("templates"))
    done = subprocess.run(
        [sys.executable, "-c", imports + asks], cwd=templates, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
