"""Qdrant before the suite: its engine in this process, and a server of it (a fake at the socket)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.vector_io.on_qdrant.index import QdrantIndex
from parts.providers.vector_io.qdrant import QdrantConfig, open_qdrant
from parts.providers.vector_io.qdrant_inline import QdrantInlineConfig, open_qdrant_inline
from parts.runtime.secret import Secret
from parts.runtime.vector_index import VectorIndex
from parts.testing.vector_io import VectorIndexSuite
from qdrant_server import KEY, FakeQdrant


class TestQdrantInline(VectorIndexSuite):
    shared = False

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "a" / "qdrant"

    def opens(self) -> AbstractAsyncContextManager[VectorIndex]:
        return open_qdrant_inline(QdrantInlineConfig(path=str(self.path), open_stores=2), instance="qdrant")


class TestQdrant(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _fake(self, tmp_path: Path) -> None:
        self.fake = FakeQdrant(tmp_path)

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[QdrantIndex]:
        async with (
            self.fake.serves() as service,
            open_qdrant(QdrantConfig(url=service.url, api_key=Secret(KEY)), instance="qdrant") as index,
        ):
            yield index
