"""The stored completions before the suite that third parties prove theirs with (`stackgen_api.testing`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.providers.stored_completions.builtin import StoredCompletionsConfig, open_stored_completions
from parts.runtime.secret import Secret
from parts.runtime.sql import Sql
from parts.testing.stored_completions import StoredCompletionsSuite
from parts.testing.stored_completions.base import Keeps
from real_servers import Postgres

CONFIG = StoredCompletionsConfig(keep="asked", max_write_queue_size=100)


@asynccontextmanager
async def over(opened: AbstractAsyncContextManager[Sql]) -> AsyncIterator[Keeps]:
    async with opened as sql, open_stored_completions(CONFIG, store=sql) as store:
        yield store


class TestOverSqlite(StoredCompletionsSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.config = SqlSqliteConfig(db_path=str(tmp_path / "store.db"))

    def opens(self) -> AbstractAsyncContextManager[Keeps]:
        return over(open_sql_sqlite(self.config, instance="sql_default"))


class TestOverPostgres(StoredCompletionsSuite):
    @pytest.fixture(autouse=True)
    def _database(self, postgres: Postgres) -> None:
        made = postgres.database()
        self.config = SqlPostgresConfig(
            host=made.host, port=made.port, db=made.name, user=made.user, password=Secret(made.password)
        )

    def opens(self) -> AbstractAsyncContextManager[Keeps]:
        return over(open_sql_postgres(self.config, instance="sql_default"))
