"""Deleting the lines of a batch, some at a time, so that nobody waits long to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select

if TYPE_CHECKING:
    from sqlalchemy import Table

    from .leases import Lease

_ROWS = 1000


async def wipe(lease: Lease, table: Table) -> None:
    """All of this batch's. table: with the columns batch and line. Raises LeaseLost, Unavailable."""
    mine = table.c.batch == lease.job.id
    while True:
        some = select(table.c.line).where(mine).order_by(table.c.line).limit(_ROWS).subquery()
        async with lease.writing() as (connection, _):
            last = (await connection.execute(select(func.max(some.c.line)))).scalar_one()
            if last is None:
                return
            await connection.execute(delete(table).where(and_(mine, table.c.line <= last)))
