"""The index over faiss (`runtime.vector_index.VectorIndex`).

Each call looks whether its store has changed, which is one look-up by key, and reads what is new. So any number of
processes have the same stores, and what one has added the others find.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update

from ....runtime.errors import NotFound, StackError
from ....runtime.undisturbed import undisturbed
from ....runtime.vector_index import Entry, Hit
from ....runtime.wiring import Health
from .loaded import Change, Loaded
from .tables import STORES, VECTORS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....runtime.sql import Sql
    from ....runtime.vector_filters import Filter, Scalar

_AT_ONCE = 1000
_MANY_REMOVED = 1000


class FaissIndex:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._loaded: dict[str, Loaded] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def keywords(self) -> bool:
        return False

    async def create(self, store: str, dimension: int) -> None:
        row = {"id": store, "token": secrets.token_hex(16), "dimension": dimension, "revision": 0, "swept": 0}
        async with self._sql.writing() as connection:
            await connection.execute(self._sql.insert(STORES).values(row).on_conflict_do_nothing())

    async def drop(self, store: str) -> None:
        async with self._sql.writing() as connection:
            await connection.execute(delete(STORES).where(STORES.c.id == store))
            await connection.execute(delete(VECTORS).where(VECTORS.c.store == store))
        self._loaded.pop(store, None)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        newest = {each.id: each for each in entries}
        async with self._sql.writing() as connection:
            revision = await _next(connection, store)
            rows = [
                {
                    "store": store,
                    "id": each.id,
                    "grp": each.group,
                    "revision": revision,
                    "vector": each.vector.tobytes(),
                    "attributes": json.dumps(each.attributes),
                }
                for each in newest.values()
            ]
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                same = and_(VECTORS.c.store == store, VECTORS.c.id.in_([row["id"] for row in some]))
                await connection.execute(delete(VECTORS).where(same))
                await connection.execute(insert(VECTORS), some)

    async def remove(self, store: str, group: str) -> None:
        async with self._sql.writing() as connection:
            try:
                revision = await _next(connection, store)
            except NotFound:
                return
            gone = update(VECTORS).where(_there(store, group)).values(vector=None, revision=revision)
            await connection.execute(gone)
            removed = and_(VECTORS.c.store == store, VECTORS.c.vector.is_(None))
            count = await connection.execute(select(func.count()).select_from(VECTORS).where(removed))
            if count.scalar_one() > _MANY_REMOVED:
                await connection.execute(delete(VECTORS).where(removed))
                await connection.execute(update(STORES).where(STORES.c.id == store).values(swept=revision))

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        async with self._sql.writing() as connection:
            values = {"revision": await _next(connection, store), "attributes": json.dumps(attributes)}
            await connection.execute(update(VECTORS).where(_there(store, group)).values(values))

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        async with self._turns[store]:
            loaded = await self._current(store)
            # Nobody else may have its turn before the thread is done with it.
            return await undisturbed(asyncio.to_thread(loaded.near, vector.tobytes(), limit, where))

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        raise StackError("faiss looks for no words")  # Nobody asks: `keywords` says so.

    async def health(self) -> Health:
        try:
            async with self._sql.reading() as connection:
                await connection.execute(select(STORES.c.id).limit(1))
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _current(self, store: str) -> Loaded:
        """The store as it is in the database. Raises NotFound."""
        columns = STORES.c
        async with self._sql.reading() as connection:
            query = select(columns.token, columns.dimension, columns.revision, columns.swept)
            row = (await connection.execute(query.where(columns.id == store))).one_or_none()
            if row is None:
                self._loaded.pop(store, None)
                raise _gone(store)
            known = self._loaded.get(store)
            if known is None or known.token != row.token or known.revision < row.swept:
                known = Loaded(row.token, row.dimension)
            if known.revision < row.revision:
                await self._read(connection, store, known)
                known.revision = row.revision
        self._loaded[store] = known
        return known

    async def _read(self, connection: AsyncConnection, store: str, known: Loaded) -> None:
        query = select(VECTORS.c.id, VECTORS.c.vector, VECTORS.c.attributes)
        new = query.where(VECTORS.c.store == store, VECTORS.c.revision > known.revision).order_by(VECTORS.c.id)
        after = ""
        while rows := (await connection.execute(new.where(VECTORS.c.id > after).limit(_AT_ONCE))).all():
            changes = [Change(row.id, row.vector, row.attributes) for row in rows]
            await undisturbed(asyncio.to_thread(known.take, changes))
            after = rows[-1].id


async def _next(connection: AsyncConnection, store: str) -> int:
    """The revision of a change, which nobody else makes until the transaction has ended. Raises NotFound."""
    change = update(STORES).where(STORES.c.id == store).values(revision=STORES.c.revision + 1)
    revision: Any = (await connection.execute(change.returning(STORES.c.revision))).scalar_one_or_none()
    if revision is None:
        raise _gone(store)
    return int(revision)


def _there(store: str, group: str) -> ColumnElement[bool]:
    return and_(VECTORS.c.store == store, VECTORS.c.grp == group, VECTORS.c.vector.is_not(None))


def _gone(store: str) -> NotFound:
    return NotFound(f"the vectors of {store!r} are gone", code="vector_store_not_found")
