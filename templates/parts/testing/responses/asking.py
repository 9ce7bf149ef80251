"""How the suites ask, and what they look at in every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from ...contracts.responses import Responses
from ...contracts.responses.requests import (
    CancelResponseRequest,
    CompactResponseRequest,
    CreateResponseRequest,
    DeleteResponseRequest,
    GetResponseRequest,
    ListResponseInputItemsRequest,
    ListResponsesRequest,
)
from ...contracts.responses.responses import (
    Response,
    ResponseDeleted,
    ResponseItemList,
    ResponseList,
    ResponseStreamEvent,
)
from ...runtime.context import Context
from ...runtime.reply import Answer
from ...runtime.sse import data, events
from ..suite import Suite
from .folded import Folded

Item = dict[str, Any]

FUNCTION: Item = {
    "type": "function",
    "name": "weather",
    "description": "How the weather is in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL_IT: Item = {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "weather"}}
"""A request whose answer is a call."""

_EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


class Asking:
    """A provider, asked as the server asks it: requests are validated, answers are what clients read."""

    def __init__(self, provider: Responses, model: str, caller: str | None = None) -> None:
        self._provider = provider
        self._model = model
        self._caller = caller

    async def create(self, input: object = "Say hello.", /, **more: object) -> Item:
        """A whole response."""
        reply = await self._provider.create_response(*self._request(input, more))
        assert isinstance(reply, Answer), "a request without `stream` is answered whole"
        reply.parse(Response)
        return _object(reply.body)

    async def stream(self, input: object = "Say hello.", /, **more: object) -> Folded:
        """What the events of a response come to."""
        reply = await self._provider.create_response(*self._request(input, {**more, "stream": True}))
        assert not isinstance(reply, Answer), "a request with `stream` is answered by events"
        folded = Folded()
        try:
            async for block in reply:
                assert block.endswith(b"\n\n"), f"a block ends with an event: {block!r}"
                for each in events(block):
                    said = data(each)
                    assert said is not None, f"each event says something: {each!r}"
                    folded.take(_EVENT.validate_json(said), _object(said))
        finally:
            await reply.aclose()
        folded.end()
        return folded

    async def get(self, response_id: str, **query: object) -> Item:
        request = GetResponseRequest.model_validate({"response_id": response_id, **query})
        return _object((await self._provider.get_response(request, self._ctx())).body)

    async def delete(self, response_id: str) -> ResponseDeleted:
        request = DeleteResponseRequest(response_id=response_id)
        return await self._provider.delete_response(request, self._ctx())

    async def cancel(self, response_id: str) -> Item:
        request = CancelResponseRequest(response_id=response_id)
        return (await self._provider.cancel_response(request, self._ctx())).model_dump(mode="json", exclude_unset=True)

    async def compact(self, input: object, /, **more: object) -> Item:
        body = {"model": self._model, "input": input, **more}
        request = CompactResponseRequest.model_validate({key: each for key, each in body.items() if each is not None})
        return (await self._provider.compact_response(request, self._ctx())).model_dump(mode="json", exclude_unset=True)

    async def listed(self, **query: object) -> Item:
        request = ListResponsesRequest.model_validate(query)
        reply = await self._provider.list_responses(request, self._ctx())
        reply.parse(ResponseList)
        return _object(reply.body)

    async def inputs(self, response_id: str, **query: object) -> Item:
        request = ListResponseInputItemsRequest.model_validate({"response_id": response_id, **query})
        reply = await self._provider.list_response_input_items(request, self._ctx())
        reply.parse(ResponseItemList)
        return _object(reply.body)

    def _request(self, said: object, more: Mapping[str, object]) -> tuple[CreateResponseRequest, Context]:
        body = to_json({"model": self._model, "input": said, **more})
        return CreateResponseRequest.model_validate_json(body), self._ctx(body)

    def _ctx(self, body: bytes = b"") -> Context:
        return Context(request_id="suite", body=body, principal=self._caller)


class AskingSuite(Suite[Responses]):
    """model: an id that the provider has answer."""

    model = "model"

    def asking(self, provider: Responses, caller: str | None = None) -> Asking:
        return Asking(provider, self.model, caller)


def text_of(response: Item) -> str:
    """What the model said."""
    messages = (each for each in response["output"] if each["type"] == "message")
    return "".join(part.get("text", "") for each in messages for part in each["content"])


def _object(body: bytes) -> Item:
    found = from_json(body)
    assert isinstance(found, dict)
    return found
