"""The places for files before the suite that third parties prove theirs with (`stackgen_api.testing.files`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.files.keeping import KeptFiles
from parts.providers.files.localfs import LocalFsConfig, open_localfs
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.testing.files import FilesSuite

MOST = 4 * 1024 * 1024


class TestLocalFs(FilesSuite[KeptFiles]):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[KeptFiles]:
        config = LocalFsConfig(storage_dir=str(self.folder / "a" / "files"), max_file_bytes=MOST)
        async with (
            open_sql_sqlite(SqlSqliteConfig(db_path=str(self.folder / "sql.db")), instance="sql_default") as sql,
            open_localfs(config, metadata_store=sql) as files,
        ):
            yield files
