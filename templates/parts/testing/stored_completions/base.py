"""What the suites of stored completions share: a model that says what it is told to, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import uuid4

from pydantic import BaseModel

from ...contracts.inference import Chat
from ...contracts.inference.requests import CreateChatCompletionRequest
from ...contracts.inference.responses import CreateChatCompletionResponse, CreateChatCompletionStreamResponse
from ...contracts.stored_completions import StoredCompletions
from ...contracts.stored_completions.requests import (
    DeleteChatCompletionRequest,
    GetChatCompletionMessagesRequest,
    GetChatCompletionRequest,
    ListChatCompletionsRequest,
    UpdateChatCompletionRequest,
)
from ...contracts.stored_completions.responses import (
    ChatCompletionList,
    ChatCompletionMessageList,
    StoredChatCompletion,
)
from ...runtime.context import Context
from ...runtime.reply import Answer, Events
from ..suite import Suite

Json = dict[str, Any]

MESSAGES: Sequence[Json] = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello? 'é\"; --"})


class Keeps(StoredCompletions, Protocol):
    """The API, and what the inference router asks of it."""

    def keeping(self, chat: Chat) -> Chat: ...


class Model:
    """Says what it is told to. broken: raised once everything has been said."""

    def __init__(self, *said: bytes, broken: Exception | None = None) -> None:
        self.said = said
        self.broken = broken
        self.asked: list[bytes] = []
        self.closed = False

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        self.asked.append(ctx.body)
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = 9, 3
        if request.stream:
            return _Said(self)
        if self.broken is not None:
            raise self.broken
        return Answer(self.said[0])

    async def speak(self) -> AsyncGenerator[bytes, None]:
        for block in self.said:
            yield block
        if self.broken is not None:
            raise self.broken


class _Said(Events[CreateChatCompletionStreamResponse]):
    def __init__(self, model: Model) -> None:
        super().__init__(model.speak())
        self._model = model

    async def aclose(self) -> None:
        await super().aclose()
        self._model.closed = True


def fresh() -> str:
    """An id, or a caller, of one test."""
    return f"chatcmpl-{uuid4().hex}"


def answer(id_: str, **more: object) -> Json:
    """A whole answer."""
    message = {"role": "assistant", "content": "Hi ü!", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    head = {"id": id_, "object": "chat.completion", "created": 1_700_000_000, "model": "tiny-1"}
    return {**head, "choices": [choice], "usage": usage, **more}


def dump(value: object) -> bytes:
    return json.dumps(value).encode()


def streamed(id_: str, *pieces: str) -> list[bytes]:
    """The blocks of a stream that says the pieces."""
    head = {"id": id_, "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "tiny-1"}
    said: list[Json] = [{"delta": {"role": "assistant", "content": ""}}]
    said += [{"delta": {"content": piece}} for piece in pieces]
    said.append({"delta": {}, "finish_reason": "stop"})
    events = [{**head, "choices": [{"index": 0, "finish_reason": None, **each}]} for each in said]
    return [b"data: " + dump(each) + b"\n\n" for each in events]


def context(caller: str | None) -> Context:
    return Context(request_id=fresh(), principal=caller)


async def say(store: Keeps, model: Model, caller: str | None, /, **more: object) -> bytes:
    """One chat with a model whose answers are kept; what its client gets, streams without `[DONE]`."""
    body = dump({"model": "up/tiny", "messages": MESSAGES, "store": True, **more})
    request = CreateChatCompletionRequest.model_validate_json(body)
    ctx = context(caller)
    ctx.body, ctx.usage.model, request.model = body, "up/tiny", "tiny"
    reply = await store.keeping(model).create_chat_completion(request, ctx)
    if isinstance(reply, Answer):
        return reply.body
    try:
        return b"".join([block async for block in reply])
    finally:
        await reply.aclose()


async def keep(store: Keeps, caller: str | None, id_: str | None = None, /, **more: object) -> str:
    """Has a whole answer kept; its id."""
    found = id_ or fresh()
    await say(store, Model(dump(answer(found))), caller, **more)
    return found


async def get(store: Keeps, id_: str, caller: str | None) -> Json:
    return read(
        await store.get_chat_completion(GetChatCompletionRequest(completion_id=id_), context(caller)),
        StoredChatCompletion,
    )


async def listed(store: Keeps, caller: str | None, **wanted: object) -> Json:
    request = ListChatCompletionsRequest.model_validate(wanted)
    return read(await store.list_chat_completions(request, context(caller)), ChatCompletionList)


async def ids(store: Keeps, caller: str | None, **wanted: object) -> list[str]:
    return [each["id"] for each in (await listed(store, caller, **wanted))["data"]]


async def messages(store: Keeps, id_: str, caller: str | None, **wanted: object) -> Json:
    request = GetChatCompletionMessagesRequest.model_validate({"completion_id": id_, **wanted})
    return read(await store.get_chat_completion_messages(request, context(caller)), ChatCompletionMessageList)


async def label(store: Keeps, id_: str, caller: str | None, labels: Mapping[str, str] | None) -> Json:
    request = UpdateChatCompletionRequest(completion_id=id_, metadata=None if labels is None else dict(labels))
    return read(await store.update_chat_completion(request, context(caller)), StoredChatCompletion)


async def delete(store: Keeps, id_: str, caller: str | None) -> Json:
    found = await store.delete_chat_completion(DeleteChatCompletionRequest(completion_id=id_), context(caller))
    return found.model_dump()


def read(reply: Answer[Any], model: type[BaseModel]) -> Json:
    """An answer, which has the form that its contract says."""
    model.model_validate_json(reply.body)
    found: Json = json.loads(reply.body)
    return found


class StoreSuite(Suite[Keeps]):
    """A test is given a store, and a caller that nothing has been kept for yet."""

    def keeps(self, test: Callable[[Keeps, str], Awaitable[None]]) -> None:
        async def with_caller(store: Keeps) -> None:
            await test(store, f"caller {fresh()}")

        self.run(with_caller)
