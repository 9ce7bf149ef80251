"""Milvus before the suite: Milvus Lite in this process, and a server (a fake at the socket)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from milvus_server import TOKEN, FakeMilvus
from parts.providers.vector_io.milvus import MilvusConfig, open_milvus
from parts.providers.vector_io.milvus_inline import MilvusInlineConfig, open_milvus_inline
from parts.providers.vector_io.on_milvus.index import MilvusIndex
from parts.runtime.secret import Secret
from parts.runtime.vector_index import VectorIndex
from parts.testing.vector_io import VectorIndexSuite


class TestMilvusInline(VectorIndexSuite):
    shared = False

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "a" / "milvus.db"

    def opens(self) -> AbstractAsyncContextManager[VectorIndex]:
        return open_milvus_inline(MilvusInlineConfig(db_path=str(self.path)), instance="milvus")


class TestMilvus(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _fake(self, tmp_path: Path) -> Iterator[None]:
        self.fake = FakeMilvus(tmp_path / "milvus")
        yield
        self.fake.database.close()

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[MilvusIndex]:
        async with self.fake.serves() as service:
            config = MilvusConfig(uri=service.url, token=Secret(TOKEN), db_name="tests")
            async with open_milvus(config, instance="milvus") as index:
                yield index
