"""The places for vectors before the suite that third parties prove theirs with (`stackgen_api.testing.vector_io`)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from parts.providers.vector_io.sqlite_vec import SqliteVecConfig, open_sqlite_vec
from parts.runtime.vector_index import VectorIndex
from parts.testing.vector_io import VectorIndexSuite


class TestSqliteVec(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "a" / "vectors.db"

    def opens(self) -> AbstractAsyncContextManager[VectorIndex]:
        return open_sqlite_vec(SqliteVecConfig(db_path=str(self.path)), instance="sqlite-vec")
