"""Providers of ours before the suite that third parties prove theirs with (`stackgen_api.testing.prompts`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.contracts.prompts import Prompts
from parts.providers.prompts.builtin import open_prompts
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.testing.prompts import PromptsSuite


class TestSqlite(PromptsSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "kv.db"

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Prompts]:
        async with (
            open_kv_sqlite(KvSqliteConfig(db_path=str(self.path)), instance="kv_default") as store,
            open_prompts(store=store) as provider,
        ):
            yield provider
