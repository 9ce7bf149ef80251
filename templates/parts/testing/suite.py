"""What the contract suites stand on: a provider that is opened anew for each test, in an event loop of the test's own.

    class TestAcme(ChatSuite[Acme], EmbeddingsSuite[Acme]):
        chat_model = "acme-1"
        embedding_model = "acme-vectors"

        def opens(self):
            return open_acme(AcmeConfig(api_key=Secret("…")), instance="acme")

pytest runs such a class, without a plug-in. A suite for each capability: a provider is shown to do what it offers and
nothing else.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

from ..runtime.errors import StackError
from ..runtime.models import ModelSource
from ..runtime.wiring import Checked


class Served(ModelSource, Checked, Protocol):
    """What every provider of a routed API is, whatever it offers."""


P = TypeVar("P")
T = TypeVar("T")


class Suite(ABC, Generic[P]):
    """seconds: how long a test may take, its opening and closing included."""

    seconds = 60.0

    @abstractmethod
    def opens(self) -> AbstractAsyncContextManager[P]:
        """The provider, ready to serve; with whatever stands behind it, if that is the test's to start and stop."""

    def run(self, test: Callable[[P], Awaitable[None]]) -> None:
        """One test of one provider."""
        asyncio.run(self._run(test))

    async def _run(self, test: Callable[[P], Awaitable[None]]) -> None:
        async with asyncio.timeout(self.seconds), self.opens() as provider:
            await test(provider)


async def refused(call: Awaitable[T]) -> StackError:
    """What a call is refused with. Whatever else it raises is a fault of the provider, and fails the test as it is."""
    try:
        answer = await call
    except StackError as error:
        if error.message:
            return error
        raise AssertionError("an error says what is wrong") from error
    raise AssertionError(f"this call cannot succeed, and was answered: {answer!r}")
