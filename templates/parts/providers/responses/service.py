"""The responses API, as this server does it itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from ...contracts.responses.responses import ResponseDeleted
from ...runtime.errors import BadRequest, NotFound
from ...runtime.reply import Answer, Events
from ..conversations.items import shown
from .asked import looked_through
from .work import Work

if TYPE_CHECKING:
    from ...contracts.responses.requests import (
        CreateResponseRequest,
        DeleteResponseRequest,
        GetResponseRequest,
        ListResponseInputItemsRequest,
        ListResponsesRequest,
    )
    from ...contracts.responses.responses import Response, ResponseItemList, ResponseList, ResponseStreamEvent
    from ...runtime.context import Context
    from .desk import Desk

Item = dict[str, Any]
"""JSON."""

_RESPONSES_OF_A_PAGE = 50
_ITEMS_OF_A_PAGE = 20


class BuiltinResponses:
    """Implements the responses API."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create_response(
        self, request: CreateResponseRequest, ctx: Context
    ) -> Answer[Response] | Events[ResponseStreamEvent]:
        asked = looked_through(request)
        if request.stream:
            return Events(Work(self._desk, asked, ctx, streamed=True).events())
        return Answer(to_json(await Work(self._desk, asked, ctx, streamed=False).whole()))

    async def get_response(self, request: GetResponseRequest, ctx: Context) -> Answer[Response]:
        if request.stream:
            message = "the events of a response that has ended are not kept; read it without `stream`"
            raise BadRequest(message, param="stream")
        kept = await self._desk.store.find(request.response_id, ctx)
        return Answer(to_json(_response(kept.response, request.include or ())))

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
        await self._desk.store.remove(request.response_id, ctx)
        return ResponseDeleted(id=request.response_id, object="response", deleted=True)

    async def list_response_input_items(
        self, request: ListResponseInputItemsRequest, ctx: Context
    ) -> Answer[ResponseItemList]:
        items = (await self._desk.store.find(request.response_id, ctx)).input
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


def _response(response: Item, include: Collection[str]) -> Item:
    return {**response, "output": [shown(each, include) for each in response["output"]]}


def _place(places: dict[str, int], item_id: str, param: str) -> int:
    if item_id not in places:
        raise NotFound(f"there is no item {item_id[:100]!r}", code="item_not_found", param=param)
    return places[item_id]


def _page(items: list[Item], *, more: bool) -> bytes:
    first, last = (items[0]["id"], items[-1]["id"]) if items else ("", "")
    return to_json({"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": more})
