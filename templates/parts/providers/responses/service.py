"""The responses API, as this server does it itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from ...contracts.responses.responses import Response, ResponseDeleted
from ...runtime.errors import BadRequest, NotFound
from ...runtime.reply import Answer, Events
from ..conversations.items import shown
from .asked import looked_through
from .compacting import compacted
from .work import Work

if TYPE_CHECKING:
    from ...contracts.responses.requests import (
        CancelResponseRequest,
        CompactResponseRequest,
        CreateResponseRequest,
        DeleteResponseRequest,
        GetResponseRequest,
        ListResponseInputItemsRequest,
        ListResponsesRequest,
    )
    from ...contracts.responses.responses import CompactedResponse, ResponseItemList, ResponseList, ResponseStreamEvent
    from ...runtime.context import Context
    from .background import Background
    from .desk import Desk

Item = dict[str, Any]
"""JSON."""

_RESPONSES_OF_A_PAGE = 50
_ITEMS_OF_A_PAGE = 20


class BuiltinResponses:
    """Implements the responses API."""

    def __init__(self, desk: Desk, background: Background) -> None:
        self._desk = desk
        self._background = background

    async def create_response(
        self, request: CreateResponseRequest, ctx: Context
    ) -> Answer[Response] | Events[ResponseStreamEvent]:
        asked = looked_through(request)
        if request.background:
            return Answer(to_json(await self._background.add(asked, ctx)))
        if request.stream:
            return Events(Work(self._desk, asked, ctx, streamed=True).events())
        return Answer(to_json(await Work(self._desk, asked, ctx, streamed=False).whole()))

    async def get_response(self, request: GetResponseRequest, ctx: Context) -> Answer[Response]:
        if request.stream:
            message = "the events of a response that has ended are not kept; read it without `stream`"
            raise BadRequest(message, param="stream")
        return Answer(to_json(_response(await self._found(request.response_id, ctx), request.include or ())))

    async def list_responses(self, request: ListResponsesRequest, ctx: Context) -> Answer[ResponseList]:
        found, more = await self._desk.store.page(
            ctx,
            model=request.model,
            after=request.after,
            newest=request.order != "asc",
            limit=request.limit or _RESPONSES_OF_A_PAGE,
        )
        data = [{**_response(each.response, ()), "input": [shown(item, ()) for item in each.input]} for each in found]
        return Answer(_page(data, more=more))

    async def delete_response(self, request: DeleteResponseRequest, ctx: Context) -> ResponseDeleted:
        was_queued = await self._background.remove(request.response_id, ctx)
        try:
            await self._desk.store.remove(request.response_id, ctx)
        except NotFound:
            if not was_queued:
                raise
        return ResponseDeleted(id=request.response_id, object="response", deleted=True)

    async def cancel_response(self, request: CancelResponseRequest, ctx: Context) -> Response:
        response = await self._found(request.response_id, ctx)
        if not response["background"]:
            message = "only a response in the background can be cancelled; leave the stream of another to end it"
            raise BadRequest(message, code="not_in_background", param="response_id")
        if response["status"] in ("queued", "in_progress"):
            stopped = await self._background.cancel(request.response_id, ctx)
            # It may have been kept meanwhile.
            ended = stopped["status"] in ("failed", "cancelled")
            response = stopped if ended else await self._found(request.response_id, ctx)
        return Response.model_validate(_response(response, ()))

    async def compact_response(self, request: CompactResponseRequest, ctx: Context) -> CompactedResponse:
        return await compacted(request, self._desk, ctx)

    async def list_response_input_items(
        self, request: ListResponseInputItemsRequest, ctx: Context
    ) -> Answer[ResponseItemList]:
        items = await self._answered(request.response_id, ctx)
        if request.order != "asc":
            items.reverse()
        places = {each["id"]: place for place, each in enumerate(items)}
        start, end = 0, len(items)
        if request.after is not None:
            start = _place(places, request.after, "after") + 1
        if request.before is not None:
            end = _place(places, request.before, "before")
        limit = request.limit or _ITEMS_OF_A_PAGE
        data = [shown(each, request.include or ()) for each in items[start : min(end, start + limit)]]
        return Answer(_page(data, more=end > start + limit))

    async def _found(self, response_id: str, ctx: Context) -> Item:
        """A response, kept or in the background. Raises NotFound."""
        try:
            return (await self._desk.store.find(response_id, ctx)).response
        except NotFound:
            if (response := await self._background.find(response_id, ctx)) is None:
                raise
            return response

    async def _answered(self, response_id: str, ctx: Context) -> list[Item]:
        """What it answers. Raises NotFound."""
        try:
            return (await self._desk.store.find(response_id, ctx)).input
        except NotFound:
            if (items := await self._background.input(response_id, ctx)) is None:
                raise
            return items


def _response(response: Item, include: Collection[str]) -> Item:
    return {**response, "output": [shown(each, include) for each in response["output"]]}


def _place(places: dict[str, int], item_id: str, param: str) -> int:
    if item_id not in places:
        raise NotFound(f"there is no item {item_id[:100]!r}", code="item_not_found", param=param)
    return places[item_id]


def _page(items: list[Item], *, more: bool) -> bytes:
    first, last = (items[0]["id"], items[-1]["id"]) if items else ("", "")
    return to_json({"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": more})
