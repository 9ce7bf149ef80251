"""Any server that speaks OpenAI's API, at a URL and with a key of the configuration or of the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ...runtime.context import Context
from ...runtime.forwarding import check_forwarded, forwarded
from ...runtime.upstream import Call, Upstream
from .by_request import ByRequest, ByRequestConfig, Places, open_by_request
from .dialect import Dialect
from .openai_compatible import OpenAICompatible, RemoteConfig
from .urls import server_root

PASSTHROUGH = Dialect(needs_key=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassthroughConfig(ByRequestConfig):
    """forward_headers: provider-data key → header of the request upstream. extra_blocked_headers: none of these."""

    forward_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    extra_blocked_headers: tuple[str, ...] = ()


class Passthrough(OpenAICompatible):
    """At the configured server."""

    def __init__(
        self, upstream: Upstream, config: RemoteConfig, *, instance: str, forward_headers: Mapping[str, str]
    ) -> None:
        super().__init__(upstream, config, instance=instance, credential="passthrough_api_key", dialect=PASSTHROUGH)
        self.forward_headers = forward_headers

    def call(self, operation: str, model: str, body: bytes, ctx: Context) -> Call:
        """With the headers that are to go along; the provider's own of the same name win."""
        call = super().call(operation, model, body, ctx)
        headers, sent = forwarded(self.forward_headers, ctx.provider_data, taken=call.headers)
        return replace(call, headers={**headers, **call.headers}, secrets=(*call.secrets, *sent))


class NamedPassthrough(Passthrough):
    """At the server that the request names."""

    def target(self, operation: str, model: str, ctx: Context) -> str:
        return f"{v1_api(ctx.provider_data['passthrough_url'].reveal())}/{operation}"


def v1_api(url: str) -> str:
    """The API of a server: its URL with /v1, which may be there already."""
    return server_root(url) + "/v1"


@asynccontextmanager
async def open_passthrough(config: PassthroughConfig, *, instance: str) -> AsyncIterator[ByRequest]:
    """Raises SettingsError for a header that cannot or may not be forwarded."""
    check_forwarded(
        config.forward_headers, config.extra_blocked_headers, f"providers.inference.{instance}.forward_headers"
    )

    def own(upstream: Upstream, remote: RemoteConfig) -> Passthrough:
        return Passthrough(upstream, remote, instance=instance, forward_headers=config.forward_headers)

    def named(upstream: Upstream, remote: RemoteConfig) -> Passthrough:
        return NamedPassthrough(upstream, remote, instance=instance, forward_headers=config.forward_headers)

    places = Places(url_key="passthrough_url", base=v1_api, own=own, named=named)
    async with open_by_request(config, places, instance=instance) as service:
        yield service
