"""A contract suite is worth what it finds: each way to break the contract fails the test that is there for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai_answers import ANSWER
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.runtime.context import Context
from parts.runtime.errors import NotFound
from parts.runtime.models import ProviderModel
from parts.runtime.reply import Answer, Events
from parts.runtime.wiring import Health
from parts.testing.inference import BrokenChatSuite, ChatSuite
from upstreams import STORY, event_of

WHOLE = {**ANSWER, "object": "chat.completion", "created": 1, "model": "m"}


class Sound:
    """What a provider has to do, and no more. Each flaw overrides one thing of it."""

    lists_all = False
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False
    ready = True
    left = False
    counted = (5, 7)
    streamed: tuple[object, ...] = STORY[:3]
    ending = b""
    status: Any = "OK"

    async def create_chat_completion(self, request: CreateChatCompletionRequest, ctx: Context) -> Any:
        if request.model != "m":
            raise NotFound("there is no such model")
        self.check()
        if not request.stream:
            await asyncio.sleep(0.02)
            ctx.usage.prompt_tokens, ctx.usage.completion_tokens = self.counted
            return Answer(event_of(WHOLE)[6:].strip())
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = 3, 2
        asks = request.stream_options is not None and request.stream_options.include_usage
        return Events(self.blocks((*self.streamed, *(STORY[3:] if asks else ()))))

    def check(self) -> None:
        """Raises what a request is refused with."""

    async def blocks(self, said: tuple[object, ...]) -> AsyncGenerator[bytes, None]:
        for each in said:
            yield each if isinstance(each, bytes) else event_of(each)
        if self.ending:
            yield self.ending

    async def list_models(self) -> list[ProviderModel]:
        return [ProviderModel(id="m")]

    async def health(self) -> Health:
        return Health(self.status, "sk-secret" if self.status == "Error" else "")


class SoundSuite(ChatSuite[Any]):
    chat_model = "m"
    flaw: type[Sound] = Sound

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Any]:
        yield self.flaw()


class TestSound(SoundSuite):
    """The suite is passed by who does all this."""


class AddsDone(Sound):
    ending = b"data: [DONE]\n\n"


class CutsEvents(Sound):
    ending = b'data: {"id"'


class HasNoEnd(Sound):
    streamed = STORY[:2]


class TellsUsageUnasked(Sound):
    streamed = STORY


class KeepsUsageToItself(Sound):
    async def blocks(self, said: tuple[object, ...]) -> AsyncGenerator[bytes, None]:
        async for block in super().blocks(said[:3]):
            yield block


class DoesNotCount(Sound):
    counted = (0, 0)


class ForgetsTheBody(Sound):
    async def create_chat_completion(self, request: CreateChatCompletionRequest, ctx: Context) -> Any:
        assert ctx.body
        return await super().create_chat_completion(request, ctx)


class ServesAnything(Sound):
    async def create_chat_completion(self, request: CreateChatCompletionRequest, ctx: Context) -> Any:
        request.model = "m"
        return await super().create_chat_completion(request, ctx)


class SharesAnAccount(Sound):
    def __init__(self) -> None:
        self.at_work = 0

    async def create_chat_completion(self, request: CreateChatCompletionRequest, ctx: Context) -> Any:
        self.at_work += 1
        answer = await super().create_chat_completion(request, ctx)
        ctx.usage.completion_tokens = 7 * self.at_work
        self.at_work -= 1
        return answer


class DiesWithAClient(Sound):
    gone = False

    async def create_chat_completion(self, request: CreateChatCompletionRequest, ctx: Context) -> Any:
        try:
            return await super().create_chat_completion(request, ctx)
        except asyncio.CancelledError:
            raise ValueError("the connection is gone") from None


class CannotBeClosed(Sound):
    async def blocks(self, said: tuple[object, ...]) -> AsyncGenerator[bytes, None]:
        try:
            async for block in super().blocks(said):
                yield block
        except GeneratorExit:
            self.ready = False
            raise

    def check(self) -> None:
        if not self.ready:
            raise RuntimeError("the slot is still taken")


class IsIll(Sound):
    status = "Error"


class ListsTwice(Sound):
    async def list_models(self) -> list[ProviderModel]:
        return [ProviderModel(id="m"), ProviderModel(id="m")]


class ListsOthers(Sound):
    lists_all = True

    async def list_models(self) -> list[ProviderModel]:
        return [ProviderModel(id="m", model_type="embedding")]


FLAWS: list[tuple[type[Sound], Callable[[SoundSuite], None]]] = [
    (AddsDone, ChatSuite.test_a_chat_streams),
    (CutsEvents, ChatSuite.test_a_chat_streams),
    (HasNoEnd, ChatSuite.test_a_chat_streams),
    (TellsUsageUnasked, ChatSuite.test_a_chat_streams),
    (KeepsUsageToItself, ChatSuite.test_a_chat_streams_its_usage_where_that_is_asked_for),
    (DoesNotCount, ChatSuite.test_chat_is_answered),
    (ForgetsTheBody, ChatSuite.test_chat_within_the_server_has_no_body),
    (ServesAnything, ChatSuite.test_chat_with_an_unknown_model_is_refused),
    (SharesAnAccount, ChatSuite.test_chats_at_once_have_accounts_of_their_own),
    (DiesWithAClient, ChatSuite.test_a_chat_can_be_cancelled),
    (CannotBeClosed, ChatSuite.test_a_chat_stream_can_be_left),
    (IsIll, ChatSuite.test_it_is_healthy),
    (ListsTwice, ChatSuite.test_its_models_are_listed),
    (ListsOthers, ChatSuite.test_its_models_are_listed),
]


@pytest.mark.parametrize(("flaw", "test"), FLAWS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_flaw_is_found(flaw: type[Sound], test: Callable[[SoundSuite], None]) -> None:
    suite = SoundSuite()
    suite.flaw = flaw
    with pytest.raises((AssertionError, RuntimeError)):
        test(suite)


class Careless(BrokenChatSuite[Any]):
    secret = "sk-secret"
    flaw: type[Sound] = IsIll

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Any]:
        yield self.flaw()


@pytest.mark.parametrize(
    ("flaw", "test"),
    [
        (Sound, BrokenChatSuite.test_it_says_that_it_is_ill),
        (IsIll, BrokenChatSuite.test_it_says_that_it_is_ill),
        (IsIll, BrokenChatSuite.test_a_chat_is_refused_as_the_servers_fault),
    ],
)
def test_who_cannot_serve_has_to_say_so_and_keep_its_secret(
    flaw: type[Sound], test: Callable[[Careless], None]
) -> None:
    suite = Careless()
    suite.flaw = flaw
    with pytest.raises(AssertionError):
        test(suite)
