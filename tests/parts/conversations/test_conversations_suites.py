"""Providers of ours before the suite that third parties prove theirs with (`stackgen_api.testing.conversations`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.contracts.conversations import Conversations
from parts.providers.conversations.builtin import open_conversations
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.testing.conversations import ConversationsSuite


class TestSqlite(ConversationsSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "sql.db"

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Conversations]:
        async with (
            open_sql_sqlite(SqlSqliteConfig(db_path=str(self.path)), instance="sql_default") as store,
            open_conversations(store=store) as provider,
        ):
            yield provider
