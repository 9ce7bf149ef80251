"""Any server that speaks OpenAI's API, at a URL and with a key of the configuration or of the request."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ...runtime.context import Context
from ...runtime.errors import BadRequest, SettingsError
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream
from .by_request import ByRequest, ByRequestConfig, Places, open_by_request
from .dialect import Dialect
from .openai_compatible import OpenAICompatible, RemoteConfig
from .urls import server_root

BLOCKED = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""Headers that belong to the connection, or say where a request comes from."""

LONGEST_VALUE = 8192

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

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
        taken = {name.lower() for name in call.headers}
        sent = {
            header: value
            for name, header in self.forward_headers.items()
            if header.lower() not in taken and (value := ctx.provider_data.get(name)) is not None
        }
        headers = {header: _header_value(header, value) for header, value in sent.items()}
        return replace(call, headers={**headers, **call.headers}, secrets=(*call.secrets, *sent.values()))


class NamedPassthrough(Passthrough):
    """At the server that the request names."""

    def target(self, operation: str, model: str, ctx: Context) -> str:
        return f"{v1_api(ctx.provider_data['passthrough_url'].reveal())}/{operation}"


def v1_api(url: str) -> str:
    """The API of a server: its URL with /v1, which may be there already."""
    return server_root(url) + "/v1"


def _header_value(header: str, value: Secret) -> str:
    text = value.reveal()
    if not text.isascii() or not text.isprintable() or len(text) > LONGEST_VALUE:
        raise BadRequest(f"what is to be forwarded as {header} is no header value of at most {LONGEST_VALUE} bytes")
    return text


@asynccontextmanager
async def open_passthrough(config: PassthroughConfig, *, instance: str) -> AsyncIterator[ByRequest]:
    """Raises SettingsError for a header that cannot or may not be forwarded."""
    if problems := list(_unfit_headers(config, f"providers.inference.{instance}.forward_headers")):
        raise SettingsError(problems)

    def own(upstream: Upstream, remote: RemoteConfig) -> Passthrough:
        return Passthrough(upstream, remote, instance=instance, forward_headers=config.forward_headers)

    def named(upstream: Upstream, remote: RemoteConfig) -> Passthrough:
        return NamedPassthrough(upstream, remote, instance=instance, forward_headers=config.forward_headers)

    places = Places(url_key="passthrough_url", base=v1_api, own=own, named=named)
    async with open_by_request(config, places, instance=instance) as service:
        yield service


def _unfit_headers(config: PassthroughConfig, at: str) -> Iterator[str]:
    blocked = BLOCKED | {name.strip().lower() for name in config.extra_blocked_headers}
    all_headers = [header.lower() for header in config.forward_headers.values()]
    for key, header in config.forward_headers.items():
        if not _NAME.fullmatch(header):
            yield f"{at}.{key}: {header!r} is no header's name"
        elif header.lower() in blocked:
            yield f"{at}.{key}: the header {header} may not be forwarded"
        elif all_headers.count(header.lower()) > 1:
            yield f"{at}.{key}: another key is forwarded as {header} already"
