"""Chroma before the suite of vector_io: a real server of it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest
from chroma_server import ChromaServer
from parts.providers.vector_io.chromadb import ChromaDbConfig, open_chromadb
from parts.runtime.vector_index import VectorIndex
from parts.testing.vector_io import VectorIndexSuite


class TestChroma(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _server(self, chroma: ChromaServer) -> None:
        self.config = ChromaDbConfig(url=chroma.url)

    def opens(self) -> AbstractAsyncContextManager[VectorIndex]:
        return open_chromadb(self.config, instance="chromadb")
