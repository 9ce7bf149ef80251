"""vLLM: OpenAI's API, a rerank endpoint, a /health with an empty body, and a limit for chats that name none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from ...runtime.upstream import open_upstream
from .bodies import with_default
from .dialect import Dialect, Fetch
from .reranking import Reranking
from .tokens import TokenConfig, remote
from .urls import server_root


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmConfig(TokenConfig):
    """max_tokens: of a chat that names no limit, 0 for the server's own. tls_verify: instead of network.tls.verify,
    None to leave that alone.
    """

    max_tokens: int = 4096
    tls_verify: bool | None = None


@asynccontextmanager
async def open_vllm(config: VllmConfig, *, instance: str, credential: str | None = None) -> AsyncIterator[Reranking]:
    """credential: the token's name in the provider-data header."""

    async def ask_health(fetch: Fetch) -> None:
        await fetch(f"{server_root(config.base_url)}/health")

    def limited(operation: str, body: bytes) -> bytes:
        if operation != "chat/completions" or config.max_tokens == 0:
            return body
        return with_default(body, "max_tokens", config.max_tokens, unless=("max_completion_tokens",))

    dialect = Dialect(needs_key=False, key_setting="api_token", rewrite=limited, check=ask_health)
    if config.tls_verify is not None:
        tls = replace(config.network.tls, verify=config.tls_verify)
        config = replace(config, network=replace(config.network, tls=tls))
    async with open_upstream(config.base_url, config.network) as upstream:
        yield Reranking(upstream, remote(config), instance=instance, credential=credential, dialect=dialect)
