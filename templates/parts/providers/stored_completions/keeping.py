"""Chat completions on their way to the client, kept as they pass."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from ...runtime.context import Context
from ...runtime.ownership import owner_of
from ...runtime.reply import Answer, Events, Put
from . import labels
from .identity import Identity, events_with_id, identify, identify_events, with_id

if TYPE_CHECKING:
    from ...contracts.inference import Chat
    from ...contracts.inference.requests import CreateChatCompletionRequest
    from ...contracts.inference.responses import CreateChatCompletionResponse, CreateChatCompletionStreamResponse
    from .builtin import CompletionStore
    from .table import Row

T = TypeVar("T", bound=BaseModel)


class KeepingChat:
    """A provider's chat whose answers are kept where the request asks for it, or does not say and `keep_all` is set.

    Of an answer that broke off, or whose client left before its end, nothing is kept.
    """

    def __init__(self, chat: Chat, store: CompletionStore, *, keep_all: bool) -> None:
        self._chat = chat
        self._store = store
        self._keep_all = keep_all

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        asked = request.store
        if not asked and (asked is False or not self._keep_all):
            return await self._chat.create_chat_completion(request, ctx)
        if asked:
            if request.metadata:
                labels.checked(request.metadata)
            await self._store.ready()
        reply = await self._chat.create_chat_completion(request, ctx)
        if isinstance(reply, Events):

            async def kept(identity: Identity, answer: bytes) -> None:
                await self._keep(request, ctx, identity, answer, streamed=True)

            return Events(_Passing(reply, kept))
        identity = identify(reply.body)
        body = with_id(reply.body, identity.id) if identity.given else reply.body
        await self._keep(request, ctx, identity, body, streamed=False)
        return Answer(body) if identity.given else reply

    async def _keep(
        self, request: CreateChatCompletionRequest, ctx: Context, identity: Identity, answer: bytes, *, streamed: bool
    ) -> None:
        owner, usage, given = owner_of(ctx), ctx.usage, request.metadata
        row: Row = {
            "id": identity.id,
            "owner": owner.principal,
            "attributes": owner.attributes,
            "created": int(time.time()),
            "request_id": ctx.request_id,
            "model": usage.model.replace("\x00", ""),
            "answered_by": identity.model,
            # Labels that nobody asked to keep, and that cannot be, stay in the request alone.
            "metadata": labels.dump(given) if given and not labels.fault(given) else None,
            "request": ctx.body or request.model_dump_json(by_alias=True, exclude_unset=True).encode(),
            "answer": answer,
            "streamed": streamed,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        if request.store:
            await self._store.keep(row)
        else:
            self._store.later(row)


class _Passing:
    """The `Blocks` of a stream, kept at its end; what nobody has read to its end is not."""

    __slots__ = ("_blocks", "_events", "_identity", "_keep", "_read")

    def __init__(self, events: Events[T], keep: Callable[[Identity, bytes], Awaitable[None]]) -> None:
        self._events = events
        self._keep = keep
        self._identity: Identity | None = None
        self._read: list[bytes] = []
        self._blocks = self._iterate()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._blocks

    async def pour(self, put: Put) -> None:
        """As `Blocks` has it."""
        await self._events.pour(lambda block: put(self._pass(block)))
        await self._end()

    async def aclose(self) -> None:
        await self._blocks.aclose()
        await self._events.aclose()

    async def _iterate(self) -> AsyncGenerator[bytes, None]:
        async for block in self._events:
            yield self._pass(block)
        await self._end()

    def _pass(self, block: bytes) -> bytes:
        if self._identity is None:
            self._identity = identify_events(block)
        if self._identity is not None and self._identity.given:
            block = events_with_id(block, self._identity.id)
        self._read.append(block)
        return block

    async def _end(self) -> None:
        if self._identity is not None:
            await self._keep(self._identity, b"".join(self._read))
