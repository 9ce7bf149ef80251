"""The Prompts API: what its providers offer and the server calls.

Generated from apis/prompts.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import (
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
    from .responses import ListPromptsResponse, Prompt


class Prompts(Protocol):
    """Texts with variables, kept under an id in numbered versions; Llama Stack's wire format. A variable stands in a
    text as `{{ name }}`, and is one that the prompt declares.
    """

    async def list_prompts(self, request: ListPromptsRequest, ctx: Context) -> ListPromptsResponse:
        """List the prompts, each in its default version."""

    async def create_prompt(self, request: CreatePromptRequest, ctx: Context) -> Prompt:
        """Make a prompt; this is its version 1."""

    async def retrieve_prompt(self, request: RetrievePromptRequest, ctx: Context) -> Prompt:
        """Show a prompt."""

    async def post_prompt(self, request: PostPromptRequest, ctx: Context) -> Prompt:
        """Make a new version of a prompt, as Llama Stack 0.3's clients ask for it."""

    async def update_prompt(self, request: UpdatePromptRequest, ctx: Context) -> Prompt:
        """Make a new version of a prompt."""

    async def delete_prompt(self, request: DeletePromptRequest, ctx: Context) -> None:
        """Remove a prompt in all its versions."""

    async def post_default_prompt_version(self, request: PostDefaultPromptVersionRequest, ctx: Context) -> Prompt:
        """The same, as Llama Stack 0.3's clients ask for it."""

    async def set_default_prompt_version(self, request: SetDefaultPromptVersionRequest, ctx: Context) -> Prompt:
        """Say which version is shown where none is asked for."""

    async def list_prompt_versions(self, request: ListPromptVersionsRequest, ctx: Context) -> ListPromptsResponse:
        """List the versions of a prompt, the first one first."""
