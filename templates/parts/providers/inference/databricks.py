"""Databricks: models are serving endpoints, and the workspace's own API lists them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from ...runtime.errors import UpstreamError
from ...runtime.models import ModelType, ProviderModel
from .dialect import Dialect, Fetch
from .openai_compatible import OpenAICompatible, open_remote
from .tokens import TokenConfig, remote
from .urls import with_path

LISTING = "/api/2.0/serving-endpoints"

TASKS: Mapping[str, ModelType] = MappingProxyType(
    {"llm/v1/chat": "llm", "llm/v1/completions": "llm", "llm/v1/embeddings": "embedding"}
)
"""The tasks that speak OpenAI's API; endpoints of other tasks, and of custom models, are not offered."""


async def list_endpoints(fetch: Fetch) -> list[ProviderModel]:
    """The workspace's serving endpoints that speak OpenAI's API. Raises UpstreamError for what is no list of them."""
    document = await fetch(LISTING)
    # A workspace without endpoints leaves the list out.
    endpoints = document.get("endpoints", []) if isinstance(document, dict) else None
    if not isinstance(endpoints, list):
        raise UpstreamError("the workspace's list of serving endpoints has an unexpected shape")
    return [
        ProviderModel(
            id=endpoint["name"],
            model_type=TASKS[endpoint["task"]],
            created=milliseconds // 1000 if isinstance(milliseconds := endpoint.get("creation_timestamp"), int) else 0,
            owned_by="databricks",
            metadata={"task": endpoint["task"]},
        )
        for endpoint in endpoints
        if isinstance(endpoint, dict) and isinstance(endpoint.get("name"), str) and str(endpoint.get("task")) in TASKS
    ]


async def ask_workspace(fetch: Fetch) -> None:
    """Healthy is a workspace that lists its endpoints."""
    await fetch(LISTING)


# A token may call an endpoint that it may not see, so the list is not everything. Every chunk of a stream has usage
# unasked, and the models behind external endpoints are not bound to know stream_options.
DATABRICKS = Dialect(
    key_setting="api_token", asks_usage=False, list_models=list_endpoints, lists_all=False, check=ask_workspace
)


@asynccontextmanager
async def open_databricks(
    config: TokenConfig, *, instance: str, credential: str | None = None
) -> AsyncIterator[OpenAICompatible]:
    """A bare workspace URL gets /serving-endpoints."""
    workspace = remote(config, base_url=with_path(config.base_url, "/serving-endpoints"))
    async with open_remote(workspace, instance=instance, credential=credential, dialect=DATABRICKS) as service:
        yield service
