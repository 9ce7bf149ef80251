"""Providers of ours before the suite that third parties prove theirs with (`stackgen_api.testing.prompts`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kv_backends import postgres_config, redis_config
from parts.contracts.prompts import Prompts
from parts.providers.prompts.builtin import open_prompts
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.testing.prompts import PromptsSuite
from real_servers import Database, Postgres, Valkey


class TestSqlite(PromptsSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.config = KvSqliteConfig(db_path=str(tmp_path / "kv.db"))

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Prompts]:
        async with (
            open_kv_sqlite(self.config, instance="kv_default") as store,
            open_prompts(store=store) as provider,
        ):
            yield provider


class TestRedis(PromptsSuite):
    @pytest.fixture(autouse=True)
    def _server(self, valkey: Valkey) -> None:
        self.config = redis_config(valkey)

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Prompts]:
        async with (
            open_kv_redis(self.config, instance="kv_default") as store,
            open_prompts(store=store) as provider,
        ):
            yield provider


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


class TestPostgres(PromptsSuite):
    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.config = postgres_config(database)

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Prompts]:
        async with (
            open_kv_postgres(self.config, instance="kv_default") as store,
            open_prompts(store=store) as provider,
        ):
            yield provider
