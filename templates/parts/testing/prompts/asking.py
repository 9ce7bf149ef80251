"""How the suites ask."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import to_json

from ...contracts.prompts import Prompts
from ...contracts.prompts.requests import (
    CreatePromptRequest,
    DeletePromptRequest,
    ListPromptsRequest,
    ListPromptVersionsRequest,
    PostDefaultPromptVersionRequest,
    PostPromptRequest,
    RetrievePromptRequest,
    SetDefaultPromptVersionRequest,
    UpdatePromptRequest,
)
from ...contracts.prompts.responses import ListPromptsResponse, Prompt
from ...runtime.context import Context

STRANGE = (
    "'; DROP TABLE stackgen_kv; --",
    '"',
    "\\",
    "%",
    "*",
    "\x00",
    "{% for x in y %}",
    "{ name }",
    "{{",
    "}}",
    "{{}}",
    "{{ 7*7 }}",
    "${env.HOME}",
    "$name",
    "%(name)s",
    "{0.__class__}",
    "\U0001f469\u200d\U0001f52c",
)
"""Texts that are templates, quotes or patterns to somebody. Here they are text."""


def caller(principal: str | None = None) -> Context:
    """Whoever makes a request; None where the server does not ask."""
    return Context(request_id="suite", principal=principal)


class Asking:
    """A provider, asked as the server asks it: requests are validated, answers are what clients read."""

    def __init__(self, provider: Prompts, ctx: Context | None = None) -> None:
        self._provider = provider
        self._ctx = ctx or caller()

    async def create(self, text: str, variables: Sequence[str] | None = None) -> Prompt:
        request = CreatePromptRequest.model_validate({"prompt": text, "variables": variables})
        return _prompt(await self._provider.create_prompt(request, self._ctx))

    async def retrieve(self, prompt_id: str, version: int | None = None) -> Prompt:
        request = RetrievePromptRequest(prompt_id=prompt_id, version=version)
        return _prompt(await self._provider.retrieve_prompt(request, self._ctx))

    async def update(
        self, prompt_id: str, version: int, text: str, variables: Sequence[str] | None = None, **more: bool
    ) -> Prompt:
        """more: `set_as_default`."""
        body = {"prompt_id": prompt_id, "version": version, "prompt": text, "variables": variables, **more}
        request = UpdatePromptRequest.model_validate(body)
        return _prompt(await self._provider.update_prompt(request, self._ctx))

    async def post(self, prompt_id: str, version: int, text: str) -> Prompt:
        """The older form of `update`."""
        request = PostPromptRequest(prompt_id=prompt_id, version=version, prompt=text)
        return _prompt(await self._provider.post_prompt(request, self._ctx))

    async def set_default(self, prompt_id: str, version: int) -> Prompt:
        request = SetDefaultPromptVersionRequest(prompt_id=prompt_id, version=version)
        return _prompt(await self._provider.set_default_prompt_version(request, self._ctx))

    async def post_default(self, prompt_id: str, version: int) -> Prompt:
        """The older form of `set_default`."""
        request = PostDefaultPromptVersionRequest(prompt_id=prompt_id, version=version)
        return _prompt(await self._provider.post_default_prompt_version(request, self._ctx))

    async def versions(self, prompt_id: str) -> list[Prompt]:
        request = ListPromptVersionsRequest(prompt_id=prompt_id)
        return _prompts(await self._provider.list_prompt_versions(request, self._ctx))

    async def list(self) -> list[Prompt]:
        return _prompts(await self._provider.list_prompts(ListPromptsRequest(), self._ctx))

    async def delete(self, prompt_id: str) -> None:
        await self._provider.delete_prompt(DeletePromptRequest(prompt_id=prompt_id), self._ctx)


def _prompt(answer: Prompt) -> Prompt:
    """What a client reads of it."""
    return Prompt.model_validate_json(to_json(answer))


def _prompts(answer: ListPromptsResponse) -> list[Prompt]:
    return ListPromptsResponse.model_validate_json(to_json(answer)).data
