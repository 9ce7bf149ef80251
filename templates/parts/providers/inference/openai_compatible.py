"""Inference at any service that speaks OpenAI's API: the request goes on as bytes, and the answer comes back as bytes.

A service of its own kind is this with a `Dialect`:

    @asynccontextmanager
    async def open_groq(config: RemoteConfig, *, instance: str, credential: str) -> AsyncIterator[OpenAICompatible]:
        async with open_remote(config, instance=instance, credential=credential, dialect=GROQ) as groq:
            yield groq

and one with an operation more is a subclass, made over `open_upstream`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ...runtime.context import Context
from ...runtime.errors import StackError, Unauthenticated
from ...runtime.models import ProviderModel
from ...runtime.relay import open_events, read_answer, read_json
from ...runtime.reply import Answer, Events
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .dialect import OPENAI, Dialect

if TYPE_CHECKING:
    from ...contracts.inference.requests import (
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
    )
    from ...contracts.inference.responses import (
        CreateChatCompletionResponse,
        CreateChatCompletionStreamResponse,
        CreateCompletionResponse,
        CreateEmbeddingResponse,
    )

HEALTH_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteConfig:
    """base_url: what operation paths are appended to, usually ending in /v1. api_key: None where every client sends its own, or
    none is needed. allowed_models: the only models to offer, None for all. refresh_models: whether to list them again from time to time.
    """

    base_url: str
    api_key: Secret | None = None
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)


class RemoteSettings(Protocol):
    """What any remote provider's config holds: RemoteConfig, or one with more fields."""

    @property
    def base_url(self) -> str: ...

    @property
    def api_key(self) -> Secret | None: ...

    @property
    def allowed_models(self) -> tuple[str, ...] | None: ...

    @property
    def refresh_models(self) -> bool: ...

    @property
    def network(self) -> NetworkConfig: ...


class OpenAICompatible:
    """One configured service. Subclasses add operations, or override `target` and `headers`."""

    def __init__(
        self, upstream: Upstream, config: RemoteSettings, *, instance: str, credential: str | None, dialect: Dialect = OPENAI
    ) -> None:
        self.upstream = upstream
        self.config = config
        self.instance = instance
        self.credential = credential
        self.dialect = dialect
        self.allowed_models = config.allowed_models
        self.refresh_models = config.refresh_models
        self.lists_all = dialect.lists_all

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        body = ctx.body or _dump(request)
        if request.stream:
            return Events(await self.stream("chat/completions", request.model, body, ctx))
        return Answer(await self.answer("chat/completions", request.model, body, ctx, holds="choices"))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        body = ctx.body or _dump(request)
        if request.stream:
            return Events(await self.stream("completions", request.model, body, ctx))
        return Answer(await self.answer("completions", request.model, body, ctx, holds="choices"))

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        body = ctx.body or _dump(request)
        return Answer(await self.answer("embeddings", request.model, body, ctx, holds="data"))

    async def list_models(self) -> list[ProviderModel]:
        """What the service serves to the configured key. Raises StackError; Unauthenticated where a key is needed and none is set."""
        return await self.dialect.list_models(self.fetch)

    async def health(self) -> Health:
        """Whether the service answers, within 3 s and without retries."""

    # ── for subclasses ──────────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, operation: str, model: str, body: bytes, ctx: Context, *, holds: str) -> bytes:
        """POSTs one operation and gives its JSON answer, an object with the list `holds`. Raises StackError."""

    async def stream(self, operation: str, model: str, body: bytes, ctx: Context) -> AsyncGenerator[bytes, None]:
        """POSTs one operation and gives its events once the first has come. Raises StackError, here and while iterating."""

    async def fetch(self, path: str) -> object:
        """GETs JSON with the configured key; as `dialect.Fetch`."""

    def target(self, operation: str, model: str, ctx: Context) -> str:
        """Where an operation goes: a path below base_url, or a whole URL."""
        return self.dialect.path(operation, model)

    def headers(self, ctx: Context) -> dict[str, str]:
        """What goes beside the body: the credential, the request's id and trace. Raises Unauthenticated."""

    def key(self, ctx: Context | None) -> Secret | None:
        """The client's own key if it sent one, else the configured one. Raises Unauthenticated where one is needed."""


@asynccontextmanager
async def open_remote(
    config: RemoteSettings, *, instance: str, credential: str | None, dialect: Dialect
) -> AsyncIterator[OpenAICompatible]:
    """A service with a dialect of its own. credential: the name of its key in the provider-data header."""
    async with open_upstream(config.base_url, config.network) as upstream:
        yield OpenAICompatible(upstream, config, instance=instance, credential=credential, dialect=dialect)


@asynccontextmanager
async def open_openai_compatible(
    config: RemoteConfig, *, instance: str, credential: str | None = None
) -> AsyncIterator[OpenAICompatible]:
    """A service that differs from OpenAI's by its URL alone."""
    async with open_remote(config, instance=instance, credential=credential, dialect=OPENAI) as service:
        yield service
