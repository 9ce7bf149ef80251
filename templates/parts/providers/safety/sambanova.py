"""Llama Guard at SambaNova Cloud, with the server's key or the client's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ...runtime.secret import Secret
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from ..inference.openai_compatible import OpenAICompatible, RemoteConfig, open_openai_compatible
from .llama_guard import LlamaGuard, excluded_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SambaNovaSafetyConfig:
    """base_url: what `/chat/completions` is appended to. excluded_categories: codes (S1 to S14) that are let pass."""

    base_url: str
    api_key: Secret | None = None
    excluded_categories: tuple[str, ...] = ()
    network: NetworkConfig = field(default_factory=NetworkConfig)


class SambaNovaSafety(LlamaGuard):
    """Guard models at one service."""

    def __init__(self, service: OpenAICompatible, excluded: tuple[str, ...]) -> None:
        super().__init__(service, excluded)
        self._service = service

    async def health(self) -> Health:
        return await self._service.health()


@asynccontextmanager
async def open_sambanova_safety(
    config: SambaNovaSafetyConfig, *, instance: str, credential: str
) -> AsyncIterator[SambaNovaSafety]:
    """Raises SettingsError for a category that there is not, or a network that cannot be."""
    excluded = excluded_of(config.excluded_categories, instance)
    remote = RemoteConfig(base_url=config.base_url, api_key=config.api_key, network=config.network)
    async with open_openai_compatible(remote, instance=instance, credential=credential) as service:
        yield SambaNovaSafety(service, tuple(excluded))
