"""The key-value backends before the suite that third parties prove theirs with (`stackgen_api.testing.storage`)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.kv import KvBackend
from parts.testing.storage import KvSuite


class TestSqlite(KvSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "folder" / "kv store?#%.db"

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_sqlite(KvSqliteConfig(db_path=str(self.path)), instance="kv_default")
