"""Providers of ours before the suite that third parties prove theirs with (`stackgen_api.testing.agents`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.contracts.agents import Agents
from parts.providers.agents.meta_reference import open_meta_reference
from parts.runtime.sql import Sql
from parts.testing.agents import AgentsSuite, FakeServer
from real_servers import Database, Postgres
from sql_backends import postgres_at, sqlite_at


@asynccontextmanager
async def agents_of(store: Sql, server: FakeServer) -> AsyncIterator[Agents]:
    async with open_meta_reference(
        store=store, inference=server.model, safety=server.guard, tool_runtime=server.tools
    ) as provider:
        yield provider


class TestSqlite(AgentsSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "sql.db"

    @asynccontextmanager
    async def opens_over(self, server: FakeServer) -> AsyncIterator[Agents]:
        async with sqlite_at(self.path) as store, agents_of(store, server) as provider:
            yield provider


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


class TestPostgres(AgentsSuite):
    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def opens_over(self, server: FakeServer) -> AsyncIterator[Agents]:
        async with postgres_at(self.database) as store, agents_of(store, server) as provider:
            yield provider
