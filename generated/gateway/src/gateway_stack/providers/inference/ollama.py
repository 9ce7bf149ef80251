"""Ollama: no key, and names that need not be spelt as they are listed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ...runtime.upstream_config import NetworkConfig
from .dialect import Dialect, Fetch
from .openai_compatible import OpenAICompatible, RemoteConfig, open_remote
from .urls import server_root


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaConfig:
    """As RemoteConfig, without a key."""

    base_url: str
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_ollama(config: OllamaConfig, *, instance: str) -> AsyncIterator[OpenAICompatible]:
    """A server below whose base_url, without its /v1, is Ollama's own API."""

    async def ask_version(fetch: Fetch) -> None:
        await fetch(f"{server_root(config.base_url)}/api/version")

    # The list says `llama3:latest`, and `llama3` is the same model.
    dialect = Dialect(needs_key=False, lists_all=False, check=ask_version)
    remote = RemoteConfig(
        base_url=config.base_url,
        allowed_models=config.allowed_models,
        refresh_models=config.refresh_models,
        network=config.network,
    )
    async with open_remote(remote, instance=instance, credential=None, dialect=dialect) as service:
        yield service
