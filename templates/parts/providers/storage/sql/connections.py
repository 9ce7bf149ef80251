"""Connections of a pool, and what becomes of a database's errors.

What is wrong with the database, and not with what was asked of it, becomes Unavailable at the statement that met it, so
that nobody has to look at errors of drivers. Whatever else goes wrong stays SQLAlchemy's own error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..outage import LOST, Outage

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Trouble = Callable[["ExceptionContext"], str | None]
"""What is wrong with the database, in words for clients; None where it is not the database that is wrong."""


def watch(engine: AsyncEngine, outage: Outage, trouble: Trouble) -> None:
    """Has the errors of an engine's database become Unavailable."""

    def on_error(context: ExceptionContext) -> None:
        error = context.original_exception
        # A connection that fails the pool's question is replaced, which is nobody's error yet.
        if not context.is_pre_ping and isinstance(error, Exception) and (why := trouble(context)) is not None:
            raise outage.met(why, type(error.__cause__ or error).__name__) from error

    event.listen(engine.sync_engine, "handle_error", on_error)


@asynccontextmanager
async def taken(engine: AsyncEngine, outage: Outage) -> AsyncIterator[AsyncConnection]:
    """A connection out of the pool. Raises Unavailable where none comes free in time, or where it is lost."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except PoolTimeout:
            raise outage.met("all connections to it are in use") from None
        try:
            yield connection
        except PendingRollbackError:
            # Whoever has gone on after its connection was lost.
            if not connection.invalidated:
                raise
            raise outage.met(LOST) from None
    outage.over()
