"""The Responses API: what its providers offer and the server calls.

Generated from apis/responses.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.reply import Answer, Events
    from .requests import (
        CancelResponseRequest,
        CompactResponseRequest,
        CreateResponseRequest,
        DeleteResponseRequest,
        GetResponseRequest,
        ListResponseInputItemsRequest,
        ListResponsesRequest,
    )
    from .responses import (
        CompactedResponse,
        Response,
        ResponseDeleted,
        ResponseItemList,
        ResponseList,
        ResponseStreamEvent,
    )


class Responses(Protocol):
    """A model's answers, with the tools that the server runs on the way. The wire format is OpenAI's; the list,
    `guardrails`, `max_infer_iters` and the penalties are Llama Stack's.
    """

    async def list_responses(self, request: ListResponsesRequest, ctx: Context) -> Answer[ResponseList]:
        """List the responses that were kept."""

    async def create_response(
        self, request: CreateResponseRequest, ctx: Context
    ) -> Answer[Response] | Events[ResponseStreamEvent]:
        """Have a model answer."""

    async def compact_response(self, request: CompactResponseRequest, ctx: Context) -> CompactedResponse:
        """Make a conversation short."""

    async def get_response(self, request: GetResponseRequest, ctx: Context) -> Answer[Response]:
        """Read a response that was kept."""

    async def delete_response(self, request: DeleteResponseRequest, ctx: Context) -> ResponseDeleted:
        """Remove a response that was kept."""

    async def cancel_response(self, request: CancelResponseRequest, ctx: Context) -> Response:
        """Stop a response in the background."""

    async def list_response_input_items(
        self, request: ListResponseInputItemsRequest, ctx: Context
    ) -> Answer[ResponseItemList]:
        """List what a response answers."""
