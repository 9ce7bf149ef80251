"""The StoredCompletions API: what its providers offer and the server calls.

Generated from apis/stored_completions.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.reply import Answer
    from .requests import (
        DeleteChatCompletionRequest,
        GetChatCompletionMessagesRequest,
        GetChatCompletionRequest,
        ListChatCompletionsRequest,
        UpdateChatCompletionRequest,
    )
    from .responses import ChatCompletionDeleted, ChatCompletionList, ChatCompletionMessageList, StoredChatCompletion


class StoredCompletions(Protocol):
    """Chat completions that were kept, with the messages they answer: those that were asked for with `store`. The wire
    format is OpenAI's; `input_messages` is Llama Stack's.
    """

    async def list_chat_completions(
        self, request: ListChatCompletionsRequest, ctx: Context
    ) -> Answer[ChatCompletionList]:
        """List the chat completions that were kept."""

    async def get_chat_completion(
        self, request: GetChatCompletionRequest, ctx: Context
    ) -> Answer[StoredChatCompletion]:
        """Read a chat completion that was kept."""

    async def update_chat_completion(
        self, request: UpdateChatCompletionRequest, ctx: Context
    ) -> Answer[StoredChatCompletion]:
        """Replace the labels of a chat completion that was kept."""

    async def delete_chat_completion(self, request: DeleteChatCompletionRequest, ctx: Context) -> ChatCompletionDeleted:
        """Remove a chat completion that was kept."""

    async def get_chat_completion_messages(
        self, request: GetChatCompletionMessagesRequest, ctx: Context
    ) -> Answer[ChatCompletionMessageList]:
        """List the messages that a chat completion answers."""
