"""Google Vertex AI at its OpenAI-compatible endpoint: a project and a location in the URL, an access token as the key.

A model is PUBLISHER/NAME there, as google/gemini-2.5-flash. Names as they stand in Google's own lists
(publishers/google/models/NAME), and bare ones, which are Google's, are understood too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from ...runtime.context import Context
from ...runtime.errors import BadRequest, Unauthenticated, UpstreamError
from ...runtime.google_tokens import GoogleTokens, open_google_tokens
from ...runtime.models import ProviderModel
from ...runtime.reply import Blocks
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from .dialect import Dialect, Fetch, bearer, list_openai_models, model_type
from .openai_compatible import OpenAICompatible, RemoteConfig
from .unsigned import answers_unsigned

CREDENTIAL = "vertex_access_token"
MOST_PAGES = 20

_LISTED = re.compile(r"publishers/([^/]+)/models/([^/@]+)")
_PLACE = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")
_LOCATION = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexAIConfig:
    """project, location: of Google Cloud. base_url: None for the location's. access_token: None for tokens made of
    credentials_file, or of whatever credentials the machine has.
    """

    project: str
    location: str = "global"
    base_url: str | None = None
    access_token: Secret | None = None
    credentials_file: str | None = None
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)


class VertexAI(OpenAICompatible):
    """A project at a location."""

    def __init__(self, upstream: Upstream, remote: RemoteConfig, config: VertexAIConfig, *, instance: str) -> None:
        super().__init__(upstream, remote, instance=instance, credential=CREDENTIAL, dialect=dialect_of(config))
        self._place = config

    async def answer(self, operation: str, model: str, body: bytes, ctx: Context, *, holds: str) -> bytes:
        return await super().answer(operation, published(model), body, ctx, holds=holds)

    async def stream(self, operation: str, model: str, body: bytes, ctx: Context, *, wants_usage: bool) -> Blocks:
        return await super().stream(operation, published(model), body, ctx, wants_usage=wants_usage)

    def target(self, operation: str, model: str, ctx: Context) -> str:
        """In the client's own project or location, where its token says who pays."""
        project, location = (ctx.provider_data.get(f"vertex_{name}") for name in ("project", "location"))
        if project is None and location is None:
            return operation
        if CREDENTIAL not in ctx.provider_data:
            message = (
                f"vertex_project and vertex_location need {CREDENTIAL}: the server's own credentials are for its own"
            )
            raise BadRequest(message, code="invalid_provider_data")
        named = _said("vertex_project", project, _PLACE) or self._place.project
        where = _said("vertex_location", location, _LOCATION) or self._place.location
        return f"{base_of(named, where)}/{operation}"

    async def probe(self, path: str) -> object:
        """Where nobody's credential is known here, any answer shows that the service is there."""
        try:
            return await super().probe(path)
        except Unauthenticated:
            if self._lacks_key():
                await answers_unsigned(self.upstream)
            raise


def _said(name: str, value: Secret | None, form: re.Pattern[str]) -> str | None:
    if value is None:
        return None
    if not form.fullmatch(value.reveal()):
        raise BadRequest(f"{name} is no name of Google Cloud", code="invalid_provider_data")
    return value.reveal()


def published(model: str) -> str:
    """A model's name in requests."""
    if found := _LISTED.fullmatch(model):
        return f"{found[1]}/{found[2]}"
    return model if "/" in model else f"google/{model}"


def origin_of(location: str) -> str:
    return f"https://{'' if location == 'global' else location + '-'}aiplatform.googleapis.com"


def base_of(project: str, location: str) -> str:
    return f"{origin_of(location)}/v1/projects/{quote(project, safe=':')}/locations/{location}/endpoints/openapi"


def read_publisher_models(document: object) -> tuple[list[ProviderModel], str]:
    """(the Gemini models of a page of Google's list, the token of the next page, "" for none). Raises UpstreamError
    for what is no such list.
    """
    if not isinstance(document, dict) or not isinstance(models := document.get("publisherModels", []), list):
        raise UpstreamError("Vertex AI's list of models has an unexpected shape")
    names = [str(each.get("name")) for each in models if isinstance(each, dict)]
    found = [listed for name in names if (listed := _LISTED.fullmatch(name)) and listed[2].startswith("gemini-")]
    offered = [
        ProviderModel(id=f"{each[1]}/{each[2]}", owned_by=each[1]) for each in found if model_type({}, each[2]) == "llm"
    ]
    following = document.get("nextPageToken")
    return offered, following if isinstance(following, str) else ""


def dialect_of(config: VertexAIConfig) -> Dialect:
    """A place of one's own is asked for OpenAI's list."""
    listing = f"{origin_of(config.location)}/v1beta1/publishers/google/models?pageSize=100"

    async def googles(fetch: Fetch) -> list[ProviderModel]:
        found: dict[str, ProviderModel] = {}
        page = ""
        for _ in range(MOST_PAGES):
            models, page = read_publisher_models(await fetch(f"{listing}&pageToken={quote(page)}" if page else listing))
            found |= {each.id: each for each in models}
            if not page:
                break
        return list(found.values())

    list_models = googles if config.base_url is None else list_openai_models

    async def check(fetch: Fetch) -> None:
        await list_models(fetch)

    return Dialect(needs_key=False, key_setting="access_token", list_models=list_models, lists_all=False, check=check)


@asynccontextmanager
async def open_vertexai(config: VertexAIConfig, *, instance: str) -> AsyncIterator[VertexAI]:
    """Raises SettingsError for credentials or a network that cannot be used."""
    at = f"providers.inference.{instance}"
    async with (
        open_google_tokens(config.credentials_file, config.network, at=at) as tokens,
        _opened(config, tokens, instance) as service,
    ):
        yield service


@asynccontextmanager
async def _opened(config: VertexAIConfig, tokens: GoogleTokens, instance: str) -> AsyncIterator[VertexAI]:
    async def sign(call: Call, url: str) -> Call:
        if "Authorization" in call.headers:
            return call
        try:
            token = await tokens.token()
        except Unauthenticated:
            raise Unauthenticated(service.how_to_send_a_key(), code="invalid_api_key") from None
        headers = {**call.headers, **bearer(token)}
        if "/projects/" not in url:
            # Whose quota it is; credentials of a person have none of their own.
            headers["x-goog-user-project"] = config.project
        return replace(call, headers=headers, secrets=(*call.secrets, token))

    remote = RemoteConfig(
        base_url=config.base_url or base_of(config.project, config.location),
        api_key=config.access_token,
        allowed_models=config.allowed_models,
        refresh_models=config.refresh_models,
        network=config.network,
    )
    async with open_upstream(remote.base_url, config.network, prepare=sign) as upstream:
        service = VertexAI(upstream, remote, config, instance=instance)
        yield service
