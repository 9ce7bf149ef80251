"""Bad luck: a provider that cannot serve says so, in the way that each caller understands."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from ...contracts.inference.requests import CreateChatCompletionRequest
from ...runtime.context import Context
from ...runtime.errors import StackError
from ...runtime.reply import Events
from ...runtime.wiring import Health
from ..suite import Suite, refused
from .asking import asked, read
from .chat import ServesChat

C = TypeVar("C", bound=ServesChat)


class BrokenChatSuite(Suite[C]):
    """A provider that cannot serve: `opens` gives one whose service is not there, or whose model cannot be loaded.

    secret: what it was given as a credential; no error says it.
    """

    secret: ClassVar[str] = ""

    def test_it_says_that_it_is_ill(self) -> None:
        async def test(provider: C) -> None:
            health = await provider.health()
            assert isinstance(health, Health), "health is told as a Health, also where it is bad"
            assert health.status == "Error", f"it cannot serve, and says {health.status}"
            assert health.message, "it says what is wrong"
            self._keeps_its_secret(health.message)

        self.run(test)

    def test_a_chat_is_refused_as_the_servers_fault(self) -> None:
        async def test(provider: C) -> None:
            for stream in (False, True):
                body = {"messages": [{"role": "user", "content": "hello"}], "stream": stream}
                request, ctx = asked(CreateChatCompletionRequest, "any", body)
                error = await refused(self._answered(provider, request, ctx))
                assert error.status >= 500, f"the client did nothing wrong, and gets a {error.status}"
                self._keeps_its_secret(error.message)

        self.run(test)

    def test_its_models_are_listed_or_refused(self) -> None:
        async def test(provider: C) -> None:
            try:
                await provider.list_models()
            except StackError as error:
                self._keeps_its_secret(error.message)

        self.run(test)

    def _keeps_its_secret(self, message: str) -> None:
        assert not self.secret or self.secret not in message, "a message never holds a credential"

    async def _answered(self, provider: C, request: CreateChatCompletionRequest, ctx: Context) -> object:
        answer = await provider.create_chat_completion(request, ctx)
        return await read(answer) if isinstance(answer, Events) else answer
