"""NVIDIA NIM: the hosted endpoint and NIMs of one's own, with their ranking API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic_core import from_json

from ...runtime.context import Context
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer
from ...runtime.upstream import open_upstream
from .bodies import with_default
from .dialect import Dialect, Fetch, list_openai_models
from .openai_compatible import OpenAICompatible, RemoteConfig
from .ranking import ranked, text_of
from .reranking import scores

if TYPE_CHECKING:
    from ...contracts.inference.requests import RerankRequest
    from ...contracts.inference.responses import RerankResponse

RANKING = "ranking"

RETRIEVERS = ("embedqa", "nv-embed", "nemotron-embed", "nemoretriever", "e5-v5", "arctic-embed")
"""Found in the names of embedding models that tell queries from passages; others refuse to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaConfig(RemoteConfig):
    """timeout: the longest silence in seconds, instead of network.timeout.read. rerank_model_to_url: where the hosted
    endpoint reranks, by model.
    """

    timeout: float | None = None
    rerank_model_to_url: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Nvidia(OpenAICompatible):
    """With the ranking API."""

    async def rerank(self, request: RerankRequest, ctx: Context) -> Answer[RerankResponse]:
        wanted = {
            "model": request.model,
            "query": {"text": text_of(request.query)},
            "passages": [{"text": text_of(item)} for item in request.items],
            "truncate": "END",
        }
        answer = await self.answer(RANKING, request.model, json.dumps(wanted).encode(), ctx, holds="rankings")
        return ranked(scores(answer, "rankings", "logit"), request.max_num_results)


def is_hosted(base_url: str) -> bool:
    """Whether this is NVIDIA's own endpoint, where models are shared, and nothing goes without a key."""
    host = urlsplit(base_url).hostname or ""
    return host == "api.nvidia.com" or host.endswith(".api.nvidia.com")


def with_input_type(operation: str, body: bytes) -> bytes:
    """An embedding request that says whether its input is queries or passages, where the model has to know."""
    if operation != "embeddings":
        return body
    model = str(from_json(body)["model"])
    if model.endswith(("-query", "-passage")) or not any(mark in model.lower() for mark in RETRIEVERS):
        return body
    return with_default(body, "input_type", "query")


def nvidia_dialect(rerankers: Mapping[str, str], *, hosted: bool) -> Dialect:
    """rerankers: the URL of each hosted model that reranks; a NIM of one's own reranks below its base_url."""
    urls = rerankers if hosted else {}

    def path(operation: str, model: str) -> str:
        return urls.get(model, operation) if operation == RANKING else operation

    async def list_models(fetch: Fetch) -> list[ProviderModel]:
        listed = await list_openai_models(fetch)
        others = [model for model in listed if model.id not in urls]
        return others + [ProviderModel(id=name, model_type="rerank", owned_by="nvidia") for name in urls]

    return Dialect(needs_key=hosted, path=path, rewrite=with_input_type, list_models=list_models)


@asynccontextmanager
async def open_nvidia(config: NvidiaConfig, *, instance: str, credential: str | None = None) -> AsyncIterator[Nvidia]:
    """credential: the key's name in the provider-data header."""
    if config.timeout is not None:
        patience = replace(config.network.timeout, read=config.timeout)
        config = replace(config, network=replace(config.network, timeout=patience))
    dialect = nvidia_dialect(config.rerank_model_to_url, hosted=is_hosted(config.base_url))
    async with open_upstream(config.base_url, config.network) as upstream:
        yield Nvidia(upstream, config, instance=instance, credential=credential, dialect=dialect)
