"""llama.cpp's server: OpenAI's API, a rerank endpoint, and a /health that says whether the model is loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...runtime.upstream import open_upstream
from .dialect import Dialect, Fetch
from .openai_compatible import RemoteConfig
from .reranking import Reranking
from .urls import server_root


@asynccontextmanager
async def open_llama_cpp_server(config: RemoteConfig, *, instance: str) -> AsyncIterator[Reranking]:
    """A server below whose base_url, without its /v1, is /health."""

    async def ask_health(fetch: Fetch) -> None:
        await fetch(f"{server_root(config.base_url)}/health")

    dialect = Dialect(needs_key=False, check=ask_health)
    async with open_upstream(config.base_url, config.network) as upstream:
        yield Reranking(upstream, config, instance=instance, credential=None, dialect=dialect)
