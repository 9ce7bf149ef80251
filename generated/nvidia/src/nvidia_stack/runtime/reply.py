"""Answers that travel as bytes.

A contract method whose operation says `x-relay: true` answers `Answer[T]` or `Events[T]`: T is what the bytes mean,
and the bytes go to the client as they are. A provider that has a model object serialises it once (`Answer.of`); one
that has an upstream's bytes hands them on unparsed. Whoever needs the object (an agent loop inside the server)
calls `parse`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

T = TypeVar("T", bound=BaseModel)


@dataclass(slots=True, frozen=True)
class Answer(Generic[T]):
    """One whole JSON answer, status 200."""

    body: bytes

    @classmethod
    def of(cls, value: T) -> Answer[T]:
        """The answer that says `value`; fields that were never set are left out."""
        return cls(value.model_dump_json(by_alias=True, exclude_unset=True).encode())

    def parse(self, model: type[T]) -> T:
        return model.model_validate_json(self.body)


Put: TypeAlias = Callable[[bytes], "asyncio.Future[None] | None"]
"""Takes a block in any case. A future: it is full, and wants no more before that is done."""


class Blocks(Protocol):
    """A stream that can come by itself: a provider that relays need not be asked for each block."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def pour(self, put: Put) -> None: ...

    async def aclose(self) -> None: ...


class Events(Generic[T]):
    """A stream of server-sent events, each a `data:` line holding one T.

    Iterating gives blocks of bytes, each one or more *complete* events (`data: {...}\\n\\n`), without the final
    `[DONE]`, which the HTTP layer adds. A stream that breaks raises a StackError. Closing it (`aclose`) cancels the
    work upstream; the HTTP layer always closes.

    done: False where the API's clients take `[DONE]` for an event, so that nothing is to stand at the end.
    """

    __slots__ = ("_blocks", "done")

    def __init__(self, blocks: AsyncGenerator[bytes, None] | Blocks, *, done: bool = True) -> None:
        self._blocks = blocks
        self.done = done

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._blocks)

    async def pour(self, put: Put) -> None:
        """What iterating would give from here on goes to `put`, until the end. Raises as iterating does."""
        if not isinstance(self._blocks, AsyncGenerator):
            await self._blocks.pour(put)
            return
        async for block in self._blocks:
            if (full := put(block)) is not None:
                await full

    async def aclose(self) -> None:
        await self._blocks.aclose()

    async def parse(self, model: type[T]) -> AsyncIterator[T]:
        """The events as objects."""
        async for block in self._blocks:
            for event in block.split(b"\n\n"):
                if event.startswith(b"data:"):
                    yield model.model_validate_json(event[5:])
