"""The index over pgvector (`runtime.vector_index.VectorIndex`).

A store is a table of its own. So its columns are of its dimension, an index of pgvector has its vectors and no others,
and dropping it is dropping a table. Which table it is stands in the table of stores, whose rows are also what changes
wait for each other by: who adds shares the store's row, who drops the store or makes its index has it alone.
"""

from __future__ import annotations

import json
import logging
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from ....runtime.errors import BadRequest, NotFound, StackError
from ....runtime.vector_index import Entry, Hit
from ....runtime.wiring import Health
from .measure import MOST_NUMBERS, Metric, Quick, can_be_quick, compared, index_of
from .where import condition
from .words import asked, indexed

if TYPE_CHECKING:
    from ....runtime.vector_filters import Filter, Scalar
    from ...storage.postgres.login import Connected
    from ...storage.postgres.pool import Pool

log = logging.getLogger(__name__)

_WORTH_AN_INDEX = 5_000
"""Vectors that are compared one by one in some milliseconds. IVFFlat also learns from those that are there."""
_INDEXING_SECONDS = 600.0


def steps(table: str) -> tuple[str, ...]:
    """What the table of stores has come from."""
    return (
        f"""
        CREATE TABLE {table} (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            dimension integer NOT NULL,
            indexed boolean NOT NULL DEFAULT false
        )
        """,
    )


@dataclass(frozen=True, slots=True)
class _Store:
    """table: where its entries are. indexed: whether there is an index of its vectors."""

    table: str
    dimension: int
    indexed: bool


class PgVectorIndex:
    """table: of stores, and what those of their entries begin with; a name that needs no quotes. quick: None for
    searches that always compare all.
    """

    def __init__(self, pool: Pool, table: str, metric: Metric, quick: Quick | None) -> None:
        self._pool = pool
        self._table = table
        self._metric = metric
        self._quick = quick

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        if dimension > MOST_NUMBERS:
            message = f"pgvector keeps vectors of at most {MOST_NUMBERS} numbers, and these have {dimension}"
            raise BadRequest(message, code="embedding_dimension_too_large")
        new = f"INSERT INTO {self._table} (id, dimension) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING number"
        async with self._pool.connection() as connection, connection.transaction():
            number = await connection.fetchval(new, store, dimension)
            if number is not None:
                await connection.execute(_entries(f"{self._table}_{number}", dimension))

    async def drop(self, store: str) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            gone = f"DELETE FROM {self._table} WHERE id = $1 RETURNING number"
            number = await connection.fetchval(gone, store)
            if number is not None:
                await connection.execute(f"DROP TABLE {self._table}_{number}")

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        newest = {each.id: each for each in entries}
        # In one order, so that two who add the same wait for each other and not for ever.
        rows = [
            (each.id, each.group, json.dumps(each.attributes), each.vector, indexed(each.text))
            for _, each in sorted(newest.items())
        ]
        async with self._changing(store) as (connection, there):
            new = f"""
                INSERT INTO {there.table} (id, grp, attributes, vector, words)
                VALUES ($1, $2, $3::jsonb, $4, $5::text::tsvector)
                ON CONFLICT (id) DO UPDATE SET grp = excluded.grp, attributes = excluded.attributes,
                    vector = excluded.vector, words = excluded.words
            """
            await connection.executemany(new, rows)
        if self._quick is not None and not there.indexed and can_be_quick(there.dimension):
            await self._indexed(store, self._quick)

    async def remove(self, store: str, group: str) -> None:
        try:
            async with self._changing(store) as (connection, there):
                await connection.execute(f"DELETE FROM {there.table} WHERE grp = $1", group)
        except NotFound:
            return

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        async with self._changing(store) as (connection, there):
            change = f"UPDATE {there.table} SET attributes = $2::jsonb WHERE grp = $1"
            await connection.execute(change, group, json.dumps(attributes))

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        bound: list[object] = [vector, limit]
        among = condition(where, bound)
        async with self._reading(store) as (connection, there):
            # Twice as many at first: an index may know their halves only, and orders by those.
            query = f"""
                SELECT id, far FROM (
                    SELECT id, vector {self._metric.operator} $1 AS far FROM {there.table} WHERE {among}
                    ORDER BY {compared(self._metric, there.dimension)} LIMIT $2 * 2
                ) AS nearest ORDER BY far, id LIMIT $2
            """
            found = await connection.fetch(query, *bound)
            if there.indexed and len(found) < limit:
                # An index may give up before it has found all that a filter lets through.
                async with connection.transaction(readonly=True):
                    await connection.execute("SET LOCAL enable_indexscan = off")
                    found = await connection.fetch(query, *bound)
        return [Hit(row["id"], self._metric.score(row["far"])) for row in found]

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        bound: list[object] = [asked(words), limit]
        among = condition(where, bound)
        async with self._reading(store) as (connection, there):
            # What is rare counts for more; ts_rank of one word grows with how often it is there, and ends at 0.1.
            query = f"""
                WITH everything AS MATERIALIZED (SELECT count(*) AS entries FROM {there.table}),
                asked AS MATERIALIZED (
                    SELECT word, (SELECT count(*) FROM {there.table} WHERE words @@ word) AS having_it
                    FROM unnest($1::text[]::tsquery[]) AS word
                )
                SELECT id, 10 * sum(
                    ts_rank(words, word, 1) * ln(1 + (entries - having_it + 0.5) / (having_it + 0.5))
                )::float8 AS fit
                FROM everything, asked JOIN {there.table} ON words @@ word
                WHERE {among} GROUP BY id ORDER BY fit DESC, id LIMIT $2
            """
            found = await connection.fetch(query, *bound)
        return [Hit(row["id"], row["fit"] / (1.0 + row["fit"])) for row in found]

    async def health(self) -> Health:
        try:
            async with self._pool.connection() as connection:
                await connection.fetch(f"SELECT 1 FROM {self._table} LIMIT 1")
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    @asynccontextmanager
    async def _reading(self, store: str) -> AsyncIterator[tuple[Connected, _Store]]:
        """Raises NotFound, also where the store is dropped meanwhile."""
        async with self._pool.connection() as connection:
            there = await self._find(connection, store, "")
            try:
                yield connection, there
            except asyncpg.UndefinedTableError:
                raise _gone(store) from None

    @asynccontextmanager
    async def _changing(self, store: str) -> AsyncIterator[tuple[Connected, _Store]]:
        """A transaction within which nobody drops the store. Raises NotFound."""
        async with self._pool.connection() as connection, connection.transaction():
            yield connection, await self._find(connection, store, "FOR SHARE")

    async def _find(self, connection: Connected, store: str, lock: str) -> _Store:
        query = f"SELECT number, dimension, indexed FROM {self._table} WHERE id = $1 {lock}"
        row = await connection.fetchrow(query, store)
        if row is None:
            raise _gone(store)
        return _Store(f"{self._table}_{row['number']}", row["dimension"], row["indexed"])

    async def _indexed(self, store: str, quick: Quick) -> None:
        """Makes the index of a store that has grown large enough. What was added is kept, come what may."""
        try:
            async with self._reading(store) as (connection, there):
                counted = f"SELECT count(*) FROM (SELECT 1 FROM {there.table} LIMIT $1) AS entries"
                if await connection.fetchval(counted, _WORTH_AN_INDEX) < _WORTH_AN_INDEX:
                    return
                async with connection.transaction():
                    there = await self._find(connection, store, "FOR UPDATE")
                    if not there.indexed:
                        index = index_of(there.table, self._metric, quick, there.dimension)
                        await connection.execute(index, timeout=_INDEXING_SECONDS)
                        await connection.execute(f"UPDATE {self._table} SET indexed = true WHERE id = $1", store)
        except NotFound:
            return
        except (StackError, asyncpg.PostgresError):
            log.warning("the vectors of %s have no index yet; searches compare all of them", store, exc_info=True)


def _entries(table: str, dimension: int) -> str:
    return f"""
        CREATE TABLE {table} (
            id text COLLATE "C" PRIMARY KEY,
            grp text COLLATE "C" NOT NULL,
            attributes jsonb NOT NULL,
            vector vector({dimension}) NOT NULL,
            words tsvector NOT NULL
        );
        CREATE INDEX ON {table} (grp);
        CREATE INDEX ON {table} USING gin (words)
    """


def _gone(store: str) -> NotFound:
    return NotFound(f"the vectors of {store!r} are gone", code="vector_store_not_found")
