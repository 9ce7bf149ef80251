"""Conversations: whole and streamed, left, cancelled, several at once."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import ClassVar, Protocol, TypeVar
from unittest import SkipTest

from ...contracts.inference import Chat
from ...contracts.inference.requests import CreateChatCompletionRequest
from ...contracts.inference.responses import CreateChatCompletionResponse, CreateChatCompletionStreamResponse
from ...runtime.context import Context, Usage
from ...runtime.models import ModelType
from ...runtime.reply import Answer, Events
from ..suite import Served, refused
from .asking import Body, accounted, asked, read
from .listing import InferenceSuite

NOTHING: Body = MappingProxyType({})


class ServesChat(Chat, Served, Protocol):
    """Chat, with what belongs to every provider."""


C = TypeVar("C", bound=ServesChat)


class ChatSuite(InferenceSuite[C]):
    """chat_model: its name at the provider. chat_body: what is asked of it, beside `model` and `stream`."""

    chat_model: ClassVar[str]
    chat_body: ClassVar[Body] = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}

    def models(self) -> dict[str, ModelType]:
        return {**super().models(), self.chat_model: "llm"}

    def test_chat_is_answered(self) -> None:
        self.run(self._chats)

    def test_chat_within_the_server_has_no_body(self) -> None:
        async def test(provider: C) -> None:
            request, ctx = self._chat()
            ctx.body = b""
            answer = await provider.create_chat_completion(request, ctx)
            assert isinstance(answer, Answer), "without `stream` an answer is whole"
            assert answer.parse(CreateChatCompletionResponse).choices

        self.run(test)

    def test_chats_at_once_have_accounts_of_their_own(self) -> None:
        async def test(provider: C) -> None:
            await asyncio.gather(*(self._chats(provider) for _ in range(4)))

        self.run(test)

    def test_a_chat_streams(self) -> None:
        async def test(provider: C) -> None:
            chunks, _ = await self._streamed(provider)
            assert all(chunk.choices for chunk in chunks), "a chunk without choices is for those who ask for usage"
            ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
            assert ends, "a stream says why it ends"

        self.run(test)

    def test_a_chat_streams_its_usage_where_that_is_asked_for(self) -> None:
        async def test(provider: C) -> None:
            chunks, usage = await self._streamed(provider, {"stream_options": {"include_usage": True}})
            told = [chunk.usage for chunk in chunks if chunk.usage is not None]
            if usage.completion_tokens is not None:
                assert told, "a provider that counts tokens tells the client who asks"
            for each in told[-1:]:
                accounted(usage, each.prompt_tokens, each.completion_tokens)

        self.run(test)

    def test_a_chat_stream_can_be_left(self) -> None:
        async def test(provider: C) -> None:
            events = await self._begun(provider)
            async for _ in events:
                break
            await events.aclose()
            assert [block async for block in events] == [], "a closed stream says nothing more"
            await self.after_leaving(provider)
            await self._chats(provider)

        self.run(test)

    def test_a_chat_stream_can_be_closed_unread(self) -> None:
        async def test(provider: C) -> None:
            events = await self._begun(provider)
            await events.aclose()
            await self._chats(provider)

        self.run(test)

    def test_a_chat_can_be_cancelled(self) -> None:
        async def test(provider: C) -> None:
            request, ctx = self._chat()
            asking = asyncio.ensure_future(self._ask(provider, request, ctx))
            await asyncio.sleep(0.01)
            asking.cancel()
            (outcome,) = await asyncio.gather(asking, return_exceptions=True)
            good = isinstance(outcome, asyncio.CancelledError | Answer)
            assert good, f"who leaves is let go, not answered with {outcome!r}"
            await self._chats(provider)

        self.run(test)

    def test_chat_with_an_unknown_model_is_refused(self) -> None:
        async def test(provider: C) -> None:
            if provider.lists_all:
                raise SkipTest("its list is whole: the models table refuses other names before they come here")
            request, ctx = self._chat(model="no-such-model")
            error = await refused(provider.create_chat_completion(request, ctx))
            assert 400 <= error.status < 500, f"that is the client's mistake, not a {error.status}"

        self.run(test)

    async def after_leaving(self, provider: C) -> None:
        """Override it to show that a stream which was left costs nothing any more."""

    def _chat(self, more: Body = NOTHING, model: str = "") -> tuple[CreateChatCompletionRequest, Context]:
        return asked(CreateChatCompletionRequest, model or self.chat_model, {**self.chat_body, **more})

    async def _chats(self, provider: C) -> None:
        request, ctx = self._chat()
        answer = await provider.create_chat_completion(request, ctx)
        assert isinstance(answer, Answer), "without `stream` an answer is whole"
        said = answer.parse(CreateChatCompletionResponse)
        assert said.choices, "an answer has a choice"
        assert said.choices[0].finish_reason, "an answer says why it ends"
        if said.usage is not None:
            accounted(ctx.usage, said.usage.prompt_tokens, said.usage.completion_tokens)

    async def _begun(self, provider: C) -> Events[CreateChatCompletionStreamResponse]:
        request, ctx = self._chat({"stream": True})
        events = await provider.create_chat_completion(request, ctx)
        assert isinstance(events, Events), "with `stream` an answer is a stream"
        return events

    async def _streamed(
        self, provider: C, more: Body = NOTHING
    ) -> tuple[list[CreateChatCompletionStreamResponse], Usage]:
        request, ctx = self._chat({**more, "stream": True})
        events = await provider.create_chat_completion(request, ctx)
        assert isinstance(events, Events), "with `stream` an answer is a stream"
        said = [CreateChatCompletionStreamResponse.model_validate_json(each) for each in await read(events)]
        return said, ctx.usage

    async def _ask(self, provider: C, request: CreateChatCompletionRequest, ctx: Context) -> object:
        return await provider.create_chat_completion(request, ctx)
