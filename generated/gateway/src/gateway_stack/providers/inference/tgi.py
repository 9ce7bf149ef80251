"""Text Generation Inference: one model a server, asked for at /info where there is no list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ...runtime.errors import NotFound, UpstreamError
from ...runtime.models import ProviderModel
from .dialect import Dialect, Fetch, list_openai_models
from .openai_compatible import OpenAICompatible, RemoteConfig, open_remote
from .urls import server_root, with_path


@asynccontextmanager
async def open_tgi(config: RemoteConfig, *, instance: str) -> AsyncIterator[OpenAICompatible]:
    """A bare server URL gets /v1."""
    config = replace(config, base_url=with_path(config.base_url, "/v1"))
    root = server_root(config.base_url)

    async def list_model(fetch: Fetch) -> list[ProviderModel]:
        try:
            return await list_openai_models(fetch)
        except NotFound:  # a server before 2.3
            return [_described(await fetch(f"{root}/info"))]

    async def ask_health(fetch: Fetch) -> None:
        await fetch(f"{root}/health")

    dialect = Dialect(needs_key=False, list_models=list_model, check=ask_health)
    async with open_remote(config, instance=instance, credential=None, dialect=dialect) as service:
        yield service


def _described(info: object) -> ProviderModel:
    """The model of an /info document."""
    name = info.get("model_id") if isinstance(info, dict) else None
    if not isinstance(name, str) or not name:
        raise UpstreamError("the server's /info names no model_id")
    return ProviderModel(id=name, owned_by=name)
