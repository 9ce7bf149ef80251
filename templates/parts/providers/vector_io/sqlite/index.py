"""The index over a SQLite file (`runtime.vector_index.VectorIndex`).

Vectors lie in a table of their own, store by store, so that a search reads those of its store one after the other and
compares each: exact, about 2 µs for 384 numbers. sqlite-vec's own kind of table (vec0) takes as long, but a store has
room for 1,024 vectors there at least, a search finds 4,096 at most, and what filters ask is not to be had in it.
Each store has an index of words of its own, so that what is rare in it is rare.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import apsw

from ....runtime.errors import NotFound, StackError
from ....runtime.vector_index import Entry, Hit
from ....runtime.wiring import Health
from .where import condition

if TYPE_CHECKING:
    from ....runtime.vector_filters import Filter, Scalar
    from .threads import Threads


class SqliteVecIndex:
    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        def work(connection: apsw.Connection) -> None:
            new = "INSERT INTO stores (id, dimension) VALUES (?, ?) ON CONFLICT (id) DO NOTHING RETURNING number"
            for (number,) in list(connection.execute(new, (store, dimension))):
                options = "content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'"
                connection.execute(f"CREATE VIRTUAL TABLE {_words(number)} USING fts5(text, {options})")

        await self._threads.write(work)

    async def drop(self, store: str) -> None:
        def work(connection: apsw.Connection) -> None:
            for (number,) in list(connection.execute("DELETE FROM stores WHERE id = ? RETURNING number", (store,))):
                connection.execute(f"DROP TABLE {_words(number)}")
                connection.execute("DELETE FROM vectors WHERE store = ?", (number,))
                connection.execute("DELETE FROM entries WHERE store = ?", (number,))

        await self._threads.write(work)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        def work(connection: apsw.Connection) -> None:
            number = _number(connection, store)
            for each in entries:
                _remove(connection, number, "id", each.id)
                new = "INSERT INTO entries (store, id, grp, attributes) VALUES (?, ?, ?, ?)"
                connection.execute(new, (number, each.id, each.group, _json(each.attributes)))
                key = connection.last_insert_rowid()
                connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", (number, key, each.vector.tobytes()))
                connection.execute(f"INSERT INTO {_words(number)} (rowid, text) VALUES (?, ?)", (key, each.text))

        await self._threads.write(work)

    async def remove(self, store: str, group: str) -> None:
        def work(connection: apsw.Connection) -> None:
            for (number,) in list(connection.execute("SELECT number FROM stores WHERE id = ?", (store,))):
                _remove(connection, number, "grp", group)

        await self._threads.write(work)

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        def work(connection: apsw.Connection) -> None:
            change = "UPDATE entries SET attributes = ? WHERE store = ? AND grp = ?"
            connection.execute(change, (_json(attributes), _number(connection, store), group))

        await self._threads.write(work)

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        def work(connection: apsw.Connection) -> list[Hit]:
            number = _number(connection, store)
            among, bound = "", []
            if where is not None:
                sql, values = condition(where)
                among = f"AND key IN (SELECT key FROM entries WHERE store = ? AND {sql})"
                bound = [number, *values]
            # A vector of nothing but zeros has no angle: it is as far as can be.
            query = f"""
                SELECT entries.id, far FROM (
                    SELECT key, coalesce(vec_distance_cosine(vector, ?), 2.0) AS far
                    FROM vectors WHERE store = ? {among} ORDER BY far, key LIMIT ?
                ) JOIN entries USING (key) ORDER BY far, key
            """
            found = connection.execute(query, (vector.tobytes(), number, *bound, limit))
            return [Hit(str(id), min(1.0, max(0.0, 1.0 - float(far)))) for id, far in found]

        return await self._threads.read(work)

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        def work(connection: apsw.Connection) -> list[Hit]:
            number = _number(connection, store)
            sql, bound = condition(where) if where is not None else ("1", [])
            query = f"""
                SELECT entries.id, -bm25({_words(number)}) AS fit
                FROM {_words(number)} JOIN entries ON entries.key = {_words(number)}.rowid
                WHERE {_words(number)} MATCH ? AND {sql} ORDER BY fit DESC, entries.key LIMIT ?
            """
            asked = " OR ".join(f'"{word}"' for word in (each.replace('"', "") for each in words))
            found = connection.execute(query, (asked, *bound, limit))
            return [Hit(str(id), _share(float(fit))) for id, fit in found]

        return await self._threads.read(work)

    async def health(self) -> Health:
        try:
            await self._threads.read(lambda connection: list(connection.execute("SELECT 1 FROM stores LIMIT 1")))
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")


def _share(fit: float) -> float:
    """A fit of 0 and more as a score below 1, in the same order."""
    return max(0.0, fit) / (1.0 + max(0.0, fit))


def _words(number: object) -> str:
    return f"words_{int(str(number))}"


def _number(connection: apsw.Connection, store: str) -> int:
    """Raises NotFound."""
    for (number,) in connection.execute("SELECT number FROM stores WHERE id = ?", (store,)):
        return int(str(number))
    raise NotFound(f"the vectors of {store!r} are gone", code="vector_store_not_found")


def _remove(connection: apsw.Connection, number: object, column: str, value: str) -> None:
    gone = f"DELETE FROM entries WHERE store = ? AND {column} = ? RETURNING key"
    for (key,) in list(connection.execute(gone, (int(str(number)), value))):
        connection.execute("DELETE FROM vectors WHERE store = ? AND key = ?", (int(str(number)), key))
        connection.execute(f"DELETE FROM {_words(number)} WHERE rowid = ?", (key,))


def _json(attributes: Mapping[str, Scalar]) -> str:
    return json.dumps(attributes, ensure_ascii=False)
