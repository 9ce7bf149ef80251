"""A service at the place that the configuration names, or at one that the request does.

To connect wherever a client says is to lend it this server's place in the network, so a distribution has to allow it.
A place that a request names gets the client's own key, and nothing of the configuration's: not its key, its extra
headers or its client certificate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.errors import BadRequest, Forbidden, SettingsError
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer, Events
from ...runtime.secret import Secret
from ...runtime.upstream import Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .openai_compatible import OpenAICompatible, RemoteConfig
from .urls import is_plain

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRequestConfig:
    """As RemoteConfig, its URL None where requests bring one. allow_url_from_header: whether they may."""

    base_url: str | None = None
    api_key: Secret | None = None
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)
    allow_url_from_header: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """How one kind of service is made at a place.

    url_key: the URL's name in the provider-data header. base: what operations are appended to, of a server's URL.
    own: a service at the configured place. named: one whose `target` is where the request says.
    """

    url_key: str
    base: Callable[[str], str]
    own: Callable[[Upstream, RemoteConfig], OpenAICompatible]
    named: Callable[[Upstream, RemoteConfig], OpenAICompatible]


class ByRequest:
    """own: at the configured URL, None without one. named: at a request's URL, None where that is not allowed."""

    # What one place lists says nothing of another; and Azure lists the base models that a resource could deploy, not
    # what it has deployed.
    lists_all = False

    def __init__(
        self, config: ByRequestConfig, places: Places, own: OpenAICompatible | None, named: OpenAICompatible | None
    ) -> None:
        self.allowed_models = config.allowed_models
        self.refresh_models = config.refresh_models
        self._url_key = places.url_key
        self._base = places.base
        self._configured = places.base(config.base_url) if config.base_url is not None else None
        self._own = own
        self._named = named

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        return await self._at(ctx).create_chat_completion(request, ctx)

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        return await self._at(ctx).create_completion(request, ctx)

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        return await self._at(ctx).create_embedding(request, ctx)

    async def list_models(self) -> list[ProviderModel]:
        """Those of the configured place; without one there is nobody to ask before a request comes."""
        return await self._own.list_models() if self._own is not None else []

    async def health(self) -> Health:
        if self._own is not None:
            return await self._own.health()
        return Health("Not Implemented", f"each request names its server as {self._url_key}")

    def _at(self, ctx: Context) -> OpenAICompatible:
        """The service for one request. Raises Forbidden for a URL that may not be named, BadRequest for no URL."""
        said = ctx.provider_data.get(self._url_key)
        url = said.reveal() if said is not None else ""
        if not url or (self._configured is not None and self._base(url) == self._configured):
            if self._own is None:
                raise BadRequest(f"no server is configured; name one as {self._url_key} in the provider-data header")
            return self._own
        if self._named is None:
            raise Forbidden(f"{self._url_key} may not be given here: allow_url_from_header is off", param=self._url_key)
        if not is_plain(url):
            raise BadRequest(
                f"{self._url_key} must be an http or https URL without user, query and fragment", param=self._url_key
            )
        return self._named


@asynccontextmanager
async def open_by_request(config: ByRequestConfig, places: Places, *, instance: str) -> AsyncIterator[ByRequest]:
    """Raises SettingsError where neither the configuration nor a request can say which server."""
    if config.base_url is None and not config.allow_url_from_header:
        at = f"providers.inference.{instance}"
        raise SettingsError([f"{at}.base_url is required, unless {at}.allow_url_from_header lets requests name a URL"])
    async with AsyncExitStack() as stack:
        own = named = None
        # With nothing configured, each call names its whole URL, and this one is never used.
        base_url = places.base(config.base_url) if config.base_url is not None else "http://localhost"
        remote = RemoteConfig(
            base_url=base_url,
            api_key=config.api_key,
            allowed_models=config.allowed_models,
            refresh_models=config.refresh_models,
            network=config.network,
        )
        if config.base_url is not None:
            own = places.own(await stack.enter_async_context(open_upstream(base_url, config.network)), remote)
        if config.allow_url_from_header:
            network = _for_strangers(config.network)
            upstream = await stack.enter_async_context(open_upstream(base_url, network))
            named = places.named(upstream, replace(remote, api_key=None, network=network))
        yield ByRequest(config, places, own, named)


def _for_strangers(network: NetworkConfig) -> NetworkConfig:
    return replace(network, headers={}, tls=replace(network.tls, client_cert=None, client_key=None))
