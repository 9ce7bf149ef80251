"""The places for vectors before the suite that third parties prove theirs with (`stackgen_api.testing.vector_io`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.providers.vector_io.faiss import FaissConfig, open_faiss
from parts.providers.vector_io.flat.index import FaissIndex
from parts.providers.vector_io.pgvector import open_pgvector
from parts.providers.vector_io.sqlite_vec import SqliteVecConfig, open_sqlite_vec
from parts.runtime.vector_index import VectorIndex
from parts.testing.vector_io import FiltersSuite, VectorIndexSuite, VectorsSuite
from parts.testing.vector_io.base import entry, everything
from pgvector_configs import pgvector_config
from real_servers import Postgres


class TestSqliteVec(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "a" / "vectors.db"

    def opens(self) -> AbstractAsyncContextManager[VectorIndex]:
        return open_sqlite_vec(SqliteVecConfig(db_path=str(self.path)), instance="sqlite-vec")


class TestFaiss(VectorsSuite, FiltersSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "sql.db"

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[FaissIndex]:
        async with (
            open_sql_sqlite(SqlSqliteConfig(db_path=str(self.path)), instance="sql_default") as sql,
            open_faiss(FaissConfig(), store=sql) as index,
        ):
            yield index

    def test_who_was_away_for_many_removals_reads_anew(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            async with self.opens() as other:
                await other.add(store, [entry("kept")])
                assert await everything(index, store) == {"kept"}
                for number in range(3):
                    many = [entry(f"{number}-{n}", (n, 1, 1), group=str(number)) for n in range(600)]
                    await other.add(store, many)
                    assert await everything(index, store) >= {"kept", f"{number}-5"}
                    await other.remove(store, str(number))
                await other.add(store, [entry("new")])
                assert await everything(index, store) == await everything(other, store) == {"kept", "new"}

        self.keeps(test)


class TestPgVector(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _database(self, postgres: Postgres) -> None:
        self.config = pgvector_config(postgres.database())

    def opens(self) -> AbstractAsyncContextManager[VectorIndex]:
        return open_pgvector(self.config, instance="pgvector")
