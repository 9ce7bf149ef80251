"""Google Gemini at its OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.errors import SettingsError
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer
from ...runtime.secret import Secret
from ...runtime.upstream import open_upstream
from .bodies import with_default
from .dialect import Dialect, Fetch, bearer, read_models
from .openai_compatible import OpenAICompatible, RemoteConfig

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateEmbeddingRequest
    from ...contracts.inference.responses import CreateEmbeddingResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiConfig(RemoteConfig):
    """access_token: an OAuth token instead of api_key. project: whose quota requests with it use."""

    access_token: Secret | None = None
    project: str | None = None


class Gemini(OpenAICompatible):
    """Embeddings with usage."""

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        """Google counts no tokens here; OpenAI's clients read `usage` without asking whether it is there."""
        answer = await super().create_embedding(request, ctx)
        return Answer(with_default(answer.body, "usage", {"prompt_tokens": 0, "total_tokens": 0}))


async def list_gemini_models(fetch: Fetch) -> list[ProviderModel]:
    """What is listed, under the names that Google's documents use in requests."""
    return read_models(await fetch("models"), identify=lambda listed: listed.removeprefix("models/"))


@asynccontextmanager
async def open_gemini(config: GeminiConfig, *, instance: str, credential: str | None = None) -> AsyncIterator[Gemini]:
    """Raises SettingsError for credentials that contradict each other."""
    if problems := _contradictions(config, instance):
        raise SettingsError(problems)

    def authorize(key: Secret) -> dict[str, str]:
        ours = key == config.access_token and config.project is not None
        return bearer(key) | ({"x-goog-user-project": str(config.project)} if ours else {})

    # `models/NAME` means the same as NAME, and is what Llama Stack's users know.
    dialect = Dialect(authorize=authorize, list_models=list_gemini_models, lists_all=False)
    remote = replace(config, api_key=config.access_token or config.api_key)
    async with open_upstream(remote.base_url, remote.network) as upstream:
        yield Gemini(upstream, remote, instance=instance, credential=credential, dialect=dialect)


def _contradictions(config: GeminiConfig, instance: str) -> list[str]:
    at = f"providers.inference.{instance}"
    problems = []
    if config.api_key is not None and config.access_token is not None:
        problems.append(f"{at}.api_key and {at}.access_token exclude each other; set one of them")
    if config.access_token is not None and config.project is None:
        problems.append(f"{at}.access_token needs {at}.project, the project whose quota it uses")
    if config.project is not None and config.access_token is None:
        problems.append(f"{at}.project is for {at}.access_token; requests with an API key use the key's own project")
    return problems
