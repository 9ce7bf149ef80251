"""Anthropic: chat at the OpenAI-compatible endpoint, the list of models at Anthropic's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import quote

from ...runtime.errors import UpstreamError
from ...runtime.models import ProviderModel
from ...runtime.secret import Secret
from ...runtime.upstream import Upstream, open_upstream
from ...runtime.wiring import Health
from .dialect import Dialect, Fetch
from .openai_compatible import OpenAICompatible, RemoteConfig, RemoteSettings

PAGE = "models?limit=1000"


def native_headers(key: Secret) -> dict[str, str]:
    """What Anthropic's own API wants, where the compatible endpoint takes a bearer token."""
    return {"x-api-key": key.reveal(), "anthropic-version": "2023-06-01"}


async def list_claude_models(fetch: Fetch) -> list[ProviderModel]:
    """All pages of the list. Raises UpstreamError where one is no list."""
    models: list[ProviderModel] = []
    page, last = PAGE, None
    while True:
        document = await fetch(page)
        entries = document.get("data") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(entries, list):
            raise UpstreamError("the upstream's list of models has an unexpected shape")
        models += [_model(entry) for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
        before, last = last, document.get("last_id")
        if not document.get("has_more") or not isinstance(last, str) or last == before:
            return models
        page = f"{PAGE}&after_id={quote(last, safe='')}"


def _model(entry: dict[str, object]) -> ProviderModel:
    return ProviderModel(
        id=str(entry["id"]),
        created=_seconds(entry.get("created_at")),
        owned_by="anthropic",
        metadata={key: value for key, value in entry.items() if key not in ("id", "type", "created_at")},
    )


def _seconds(moment: object) -> int:
    """Unix seconds of an RFC 3339 date, 0 for what is none."""
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp())
    except (ValueError, OverflowError):
        return 0


async def ask_native(fetch: Fetch) -> None:
    """Healthy is whoever lists a model."""
    await fetch("models?limit=1")


NATIVE = Dialect(authorize=native_headers, list_models=list_claude_models, check=ask_native)


class Anthropic(OpenAICompatible):
    """Two dialects over one pool of connections: the compatible endpoint chats, the native API lists."""

    def __init__(self, upstream: Upstream, config: RemoteSettings, *, instance: str, credential: str | None) -> None:
        super().__init__(upstream, config, instance=instance, credential=credential)
        self._native = OpenAICompatible(upstream, config, instance=instance, credential=credential, dialect=NATIVE)

    async def list_models(self) -> list[ProviderModel]:
        return await self._native.list_models()

    async def health(self) -> Health:
        return await self._native.health()


@asynccontextmanager
async def open_anthropic(
    config: RemoteConfig, *, instance: str, credential: str | None = None
) -> AsyncIterator[Anthropic]:
    """credential: the key's name in the provider-data header."""
    async with open_upstream(config.base_url, config.network) as upstream:
        yield Anthropic(upstream, config, instance=instance, credential=credential)
