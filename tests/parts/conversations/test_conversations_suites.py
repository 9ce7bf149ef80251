"""Providers of ours before the suite that third parties prove theirs with (`stackgen_api.testing.conversations`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.contracts.conversations import Conversations
from parts.providers.conversations.builtin import open_conversations
from parts.testing.conversations import ConversationsSuite
from real_servers import Database, Postgres
from sql_backends import postgres_at, sqlite_at


class TestSqlite(ConversationsSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "sql.db"

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Conversations]:
        async with sqlite_at(self.path) as store, open_conversations(store=store) as provider:
            yield provider


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


class TestPostgres(ConversationsSuite):
    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Conversations]:
        async with postgres_at(self.database) as store, open_conversations(store=store) as provider:
            yield provider
