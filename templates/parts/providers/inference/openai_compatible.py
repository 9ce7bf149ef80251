"""Inference at any service that speaks OpenAI's API: the request goes on as bytes, and the answer comes back as bytes.

A service of its own kind is this with a `Dialect`:

    @asynccontextmanager
    async def open_groq(config: RemoteConfig, *, instance: str, credential: str) -> AsyncIterator[OpenAICompatible]:
        async with open_remote(config, instance=instance, credential=credential, dialect=GROQ) as groq:
            yield groq

and one with an operation more is a subclass, made over `open_upstream`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

from ...runtime.context import Context
from ...runtime.errors import StackError, Unauthenticated
from ...runtime.models import ProviderModel
from ...runtime.relay import open_events, read_answer, read_json
from ...runtime.reply import Answer, Blocks, Events
from ...runtime.secret import Secret
from ...runtime.splice import rewrite
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
    """base_url: what operation paths are appended to, usually ending in /v1. api_key: None where every client sends
    its own, or none is needed. allowed_models: the only models to offer, None for all. refresh_models: whether to
    list them again from time to time.
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
        self,
        upstream: Upstream,
        config: RemoteSettings,
        *,
        instance: str,
        credential: str | None,
        dialect: Dialect = OPENAI,
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
            options = request.stream_options
            wants_usage = options is not None and bool(options.include_usage)
            return Events(await self.stream("chat/completions", request.model, body, ctx, wants_usage=wants_usage))
        return Answer(await self.answer("chat/completions", request.model, body, ctx, holds="choices"))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        body = ctx.body or _dump(request)
        if request.stream:
            options = request.stream_options
            wants_usage = options is not None and bool(options.include_usage)
            return Events(await self.stream("completions", request.model, body, ctx, wants_usage=wants_usage))
        return Answer(await self.answer("completions", request.model, body, ctx, holds="choices"))

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        body = ctx.body or _dump(request)
        return Answer(await self.answer("embeddings", request.model, body, ctx, holds="data"))

    async def list_models(self) -> list[ProviderModel]:
        """What the service serves to the configured key. Raises StackError; Unauthenticated where a key is needed and
        none is set.
        """
        return await self.dialect.list_models(self.fetch)

    async def health(self) -> Health:
        """Whether the service answers, within 3 s and without retries."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self.dialect.check(self.probe)
        except TimeoutError:
            return Health("Error", f"{self.upstream.host} did not answer within {HEALTH_SECONDS:g} s")
        except Unauthenticated as error:
            if self._lacks_key():
                return Health("OK", "reachable; no api_key is set, so it serves only clients that send their own")
            return Health("Error", error.message)
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    # ── for subclasses ──────────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, operation: str, model: str, body: bytes, ctx: Context, *, holds: str) -> bytes:
        """POSTs one operation and gives its JSON answer, an object with the list `holds`. Raises StackError."""
        sent = self.dialect.rewrite(operation, rewrite(body, model=model))
        reply = await self.upstream.open(self.call(operation, model, sent, ctx))
        return await read_answer(reply, holds=holds, usage=ctx.usage, find_usage=self.dialect.usage)

    async def stream(self, operation: str, model: str, body: bytes, ctx: Context, *, wants_usage: bool) -> Blocks:
        """POSTs one operation and gives its events once the first has come. Raises StackError, here and while
        iterating.

        wants_usage: whether the client asked for usage itself; it is asked of the service in any case.
        """
        sent = rewrite(body, model=model, include_usage=self.dialect.asks_usage and not wants_usage)
        reply = await self.upstream.open(self.call(operation, model, self.dialect.rewrite(operation, sent), ctx))
        return await open_events(reply, usage=ctx.usage, find_usage=self.dialect.usage, wants_usage=wants_usage)

    async def fetch(self, path: str) -> object:
        """GETs JSON with the configured key; as `dialect.Fetch`."""
        return await self._get(path, self.key(None))

    async def probe(self, path: str) -> object:
        """As `fetch`, without retries, and without a key where none is set: a refusal shows that the service is
        there.
        """
        return await self._get(path, None if self._lacks_key() else self.key(None), retries=0)

    def call(self, operation: str, model: str, body: bytes, ctx: Context) -> Call:
        """The request that carries an operation out. Raises Unauthenticated where a key is needed and there is none."""
        key = self.key(ctx)
        headers = {"Content-Type": "application/json", **self.headers(ctx), **self._authorize(key)}
        path = self.target(operation, model, ctx)
        return Call("POST", path, body, headers, self.dialect.query, () if key is None else (key,))

    def target(self, operation: str, model: str, ctx: Context) -> str:
        """Where an operation goes: a path below base_url, or as `dialect.Fetch` has it."""
        return self.dialect.path(operation, model)

    def headers(self, ctx: Context) -> dict[str, str]:
        """What goes along beside the credential: the request's id and trace."""
        sent = {"X-Request-Id": ctx.request_id}
        if ctx.trace is not None:
            sent["Traceparent"] = ctx.trace
        return sent

    def key(self, ctx: Context | None) -> Secret | None:
        """The client's own key if it sent one, else the configured one. Raises Unauthenticated where one is needed."""
        sent = ctx.provider_data.get(self.credential) if ctx is not None and self.credential is not None else None
        for key in (sent, self.config.api_key):
            if key is not None and (text := key.reveal().strip()):
                if not (text.isascii() and text.isprintable()):
                    raise Unauthenticated(
                        f"the API key for {self.instance!r} holds characters that no header can carry"
                    )
                return key if text == key.reveal() else Secret(text)
        if self.dialect.needs_key:
            raise Unauthenticated(self.how_to_send_a_key(), code="invalid_api_key")
        return None

    def how_to_send_a_key(self) -> str:
        """What is said to a client where there is no credential."""
        ways = [f"set providers.inference.{self.instance}.{self.dialect.key_setting}"]
        if self.credential is not None:
            ways.append(f'send {{"{self.credential}": "..."}} in the header X-LlamaStack-Provider-Data')
        return f"provider {self.instance!r} has no API key: " + ", or ".join(ways)

    def _authorize(self, key: Secret | None) -> Mapping[str, str]:
        return {} if key is None else self.dialect.authorize(key)

    def _lacks_key(self) -> bool:
        return self.config.api_key is None or not self.config.api_key.reveal().strip()

    async def _get(self, path: str, key: Secret | None, *, retries: int | None = None) -> object:
        secrets = () if key is None else (key,)
        call = Call("GET", path, None, self._authorize(key), self.dialect.query, secrets, retries)
        body = await self.upstream.fetch(call)
        return read_json(self.upstream.host, body) if body.strip() else None


def _dump(request: BaseModel) -> bytes:
    """The body of a request that was made inside the server."""
    return request.model_dump_json(by_alias=True, exclude_unset=True).encode()


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
