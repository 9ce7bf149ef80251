"""Azure OpenAI at its v1 API: deployments instead of models, and a key in a header of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from ...runtime.context import Context
from ...runtime.errors import BadRequest
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream
from .by_request import ByRequest, ByRequestConfig, Places, open_by_request
from .dialect import Dialect, bearer
from .openai_compatible import OpenAICompatible, RemoteConfig
from .urls import with_path


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureConfig(ByRequestConfig):
    """api_version: sent with every request, None for none. api_type: what api_key is, a key (azure) or an Entra ID
    token (azure_ad).
    """

    api_version: str | None = None
    api_type: str | None = "azure"


def key_header(key: Secret) -> dict[str, str]:
    """Azure's way to send a key."""
    return {"api-key": key.reveal()}


AUTHORIZE: Mapping[str, Callable[[Secret], Mapping[str, str]]] = MappingProxyType(
    {"azure": key_header, "azure_ad": bearer}
)


class Azure(OpenAICompatible):
    """At the configured resource."""

    def call(self, operation: str, model: str, body: bytes, ctx: Context) -> Call:
        """A client that sends its own key may say what it is; any may say which version of the API it means."""
        call = super().call(operation, model, body, ctx)
        version, kind, key = (ctx.provider_data.get(f"azure_api_{name}") for name in ("version", "type", "key"))
        if version is not None and version.reveal():
            call = replace(call, query={**call.query, "api-version": version.reveal()})
        if kind is None or key is None:
            return call
        if kind.reveal() not in AUTHORIZE:
            raise BadRequest(f"azure_api_type must be one of {', '.join(AUTHORIZE)}", param="azure_api_type")
        others = {name: value for name, value in call.headers.items() if name not in ("api-key", "Authorization")}
        return replace(call, headers=others | dict(AUTHORIZE[kind.reveal()](key)))


class NamedAzure(Azure):
    """At the resource that the request names."""

    def target(self, operation: str, model: str, ctx: Context) -> str:
        return f"{v1_api(ctx.provider_data['azure_api_base'].reveal())}/{operation}"


def v1_api(url: str) -> str:
    """The v1 API of a resource: https://NAME.openai.azure.com → https://NAME.openai.azure.com/openai/v1."""
    return with_path(url, "/openai/v1")


@asynccontextmanager
async def open_azure(config: AzureConfig, *, instance: str) -> AsyncIterator[ByRequest]:
    """Raises SettingsError where neither the configuration nor a request can say which resource."""
    dialect = Dialect(
        authorize=AUTHORIZE[config.api_type or "azure"],
        query={"api-version": config.api_version} if config.api_version else {},
    )

    def own(upstream: Upstream, remote: RemoteConfig) -> Azure:
        return Azure(upstream, remote, instance=instance, credential="azure_api_key", dialect=dialect)

    def named(upstream: Upstream, remote: RemoteConfig) -> Azure:
        return NamedAzure(upstream, remote, instance=instance, credential="azure_api_key", dialect=dialect)

    places = Places(url_key="azure_api_base", base=v1_api, own=own, named=named)
    async with open_by_request(config, places, instance=instance) as service:
        yield service
