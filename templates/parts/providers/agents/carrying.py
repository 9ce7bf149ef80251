"""Turns carried out for clients: kept before they are told of, and left in order where they end early."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ...contracts.agents.responses import (
    AgentStepStart,
    AgentTurnAwaitingInput,
    AgentTurnChunk,
    AgentTurnComplete,
    AgentTurnEvent,
)
from ...runtime.errors import Conflict, StackError
from ...runtime.reply import Answer, Events
from ...runtime.sse import event
from ...runtime.undisturbed import undisturbed
from . import store as stored

if TYPE_CHECKING:
    from ...contracts.agents.responses import AgentTurn
    from ...runtime.sql import Sql
    from .store import State
    from .turning import Payload

log = logging.getLogger(__name__)


@dataclass(slots=True)
class NewTurn:
    """How a turn that begins is kept: from when its client is first told of it; what breaks off has failed.

    means: JSON of what its request says of tools.
    """

    sql: Sql
    turn: AgentTurn
    means: str
    there: bool = field(default=False, init=False)

    async def begin(self) -> None:
        async with self.sql.writing() as connection:
            await stored.add_turn(connection, self.turn.session_id, self.turn.turn_id, self.means, _body(self.turn))
        self.there = True

    async def end(self, state: State) -> None:
        """A session that was removed meanwhile has no turns any more."""
        async with self.sql.writing() as connection:
            await stored.set_turn(connection, self.turn.turn_id, 0, state, _body(self.turn))

    async def fail(self) -> None:
        if self.there:
            await self.end("failed")


@dataclass(slots=True)
class Resumed:
    """How a turn that goes on is kept: as it was, until it has come to an end or waits again."""

    sql: Sql
    turn: AgentTurn
    revision: int

    async def begin(self) -> None: ...

    async def end(self, state: State) -> None:
        async with self.sql.writing() as connection:
            if await stored.set_turn(connection, self.turn.turn_id, self.revision, state, _body(self.turn)):
                return
        message = f"the turn {self.turn.turn_id!r} was resumed or removed meanwhile"
        raise Conflict(message, code="turn_changed", param="turn_id")

    async def fail(self) -> None: ...


Keeping: TypeAlias = NewTurn | Resumed


async def answered(
    happening: AsyncGenerator[Payload, None], keeping: Keeping, *, stream: bool
) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
    """The turn as a stream of events, or whole. Raises StackError where it is to be whole and fails."""
    carried = _carried(happening, keeping)
    if stream:
        return Events(_told(carried), done=False)
    async with aclosing(carried):
        async for _ in carried:
            pass
    return Answer.of(keeping.turn)


async def _told(carried: AsyncGenerator[Payload, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(carried):
        async for payload in carried:
            chunk = AgentTurnChunk(event=AgentTurnEvent(payload=payload))
            yield event(chunk.model_dump_json(exclude_unset=True).encode())


async def _carried(happening: AsyncGenerator[Payload, None], keeping: Keeping) -> AsyncGenerator[Payload, None]:
    """What happens. Nothing is told before the model has begun to answer, so that a client whose model is not there, or
    busy, gets that as its answer's status.
    """
    ended = False
    held: list[Payload] | None = []
    try:
        async with aclosing(happening):
            async for payload in happening:
                last = isinstance(payload, AgentTurnComplete | AgentTurnAwaitingInput)
                if held is not None:
                    held.append(payload)
                    if not last and not (isinstance(payload, AgentStepStart) and payload.step_type == "inference"):
                        continue
                    await keeping.begin()
                if last:
                    await keeping.end("complete" if isinstance(payload, AgentTurnComplete) else "waiting")
                    ended = True
                for each in held or (payload,):
                    yield each
                held = None
    finally:
        if not ended:
            await undisturbed(_failed(keeping))


async def _failed(keeping: Keeping) -> None:
    try:
        await keeping.fail()
    except StackError as error:
        # It shows no end either way.
        log.warning("the turn %s broke off and could not be kept as it is: %s", keeping.turn.turn_id, error.message)


def _body(turn: AgentTurn) -> str:
    return turn.model_dump_json(exclude_unset=True)
