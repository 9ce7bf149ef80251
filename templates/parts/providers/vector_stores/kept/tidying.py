"""What nobody sees any more is removed: of files that failed or were taken out, of stores that are gone or expired, and
chunks whose time is over. All of it may be done twice, so that nothing need be held for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select, update

from .desk import expired
from .stores import abandon
from .tables import BATCHES, CHUNKS, FILES, STORES

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from .desk import Desk

AT_ONCE = 100


async def tidy(desk: Desk) -> bool:
    """Whether there was anything. Raises StackError where it could not be done now."""
    done = False
    for row in await _left_files(desk):
        await _remove_file(desk, row)
        done = True
    for row in await _over_stores(desk):
        await _empty_store(desk, row)
        done = True
    for row in await _old_chunks(desk):
        await desk.index(row.instance).remove(row.store, row.id)
        async with desk.sql.writing() as connection:
            # It may have been inserted anew meanwhile.
            mine = and_(CHUNKS.c.id == row.id, CHUNKS.c.expires_at <= desk.now)
            await connection.execute(delete(CHUNKS).where(mine))
        done = True
    return done


async def _left_files(desk: Desk) -> Sequence[Row[Any]]:
    unheld = or_(FILES.c.lease_until.is_(None), FILES.c.lease_until < desk.now)
    query: Select[Any] = (
        select(FILES.c.id, FILES.c.store, FILES.c.errand, STORES.c.instance, STORES.c.state)
        .join(STORES, STORES.c.id == FILES.c.store)
        .where(FILES.c.errand.in_(("wipe", "remove")), unheld, STORES.c.instance.in_(desk.indexes))
        .order_by(FILES.c.created_at)
    )
    async with desk.sql.reading() as connection:
        rows: Sequence[Row[Any]] = (await connection.execute(query.limit(AT_ONCE))).all()
    return rows


async def _remove_file(desk: Desk, row: Row[Any]) -> None:
    if row.state == "live":  # The index of a store that is not is dropped as a whole.
        await desk.index(row.instance).remove(row.store, row.id)
    async with desk.sql.writing() as connection:
        await connection.execute(delete(CHUNKS).where(CHUNKS.c.file == row.id))
        same = and_(FILES.c.id == row.id, FILES.c.errand == row.errand)
        if row.errand == "remove":
            await connection.execute(delete(FILES).where(same))
        else:
            await connection.execute(update(FILES).where(same).values(errand=None, bytes=0))


async def _over_stores(desk: Desk) -> Sequence[Row[Any]]:
    over = or_(STORES.c.state == "gone", and_(expired(desk), STORES.c.emptied.is_(False)))
    query: Select[Any] = select(STORES.c.id, STORES.c.instance, STORES.c.state).where(
        over, STORES.c.instance.in_(desk.indexes)
    )
    async with desk.sql.reading() as connection:
        rows: Sequence[Row[Any]] = (await connection.execute(query.limit(AT_ONCE))).all()
    return rows


async def _empty_store(desk: Desk, row: Row[Any]) -> None:
    if row.state == "live":
        async with desk.sql.writing() as connection:
            # It may have been used in the last moment.
            end = update(STORES).where(STORES.c.id == row.id, expired(desk)).values(state="expired")
            if not (await connection.execute(end)).rowcount:
                return
            await abandon(connection, row.id)
    await desk.index(row.instance).drop(row.id)
    async with desk.sql.writing() as connection:
        for table in (CHUNKS, FILES, BATCHES):
            await connection.execute(delete(table).where(table.c.store == row.id))
        if row.state == "gone":
            await connection.execute(delete(STORES).where(STORES.c.id == row.id))
        else:
            await connection.execute(update(STORES).where(STORES.c.id == row.id).values(emptied=True))


async def _old_chunks(desk: Desk) -> Sequence[Row[Any]]:
    query: Select[Any] = (
        select(CHUNKS.c.id, CHUNKS.c.store, STORES.c.instance)
        .join(STORES, STORES.c.id == CHUNKS.c.store)
        .where(CHUNKS.c.expires_at <= desk.now, STORES.c.state == "live", STORES.c.instance.in_(desk.indexes))
    )
    async with desk.sql.reading() as connection:
        rows: Sequence[Row[Any]] = (await connection.execute(query.limit(AT_ONCE))).all()
    return rows
