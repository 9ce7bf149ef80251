"""Searches: what the index finds, as far as rows say that it may be seen, ranked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from ....runtime.errors import BadRequest
from ....runtime.vector_filters import predicate
from .ranking import Fusion, fused
from .tables import CHUNKS, FILES

if TYPE_CHECKING:
    from sqlalchemy import Row

    from ....runtime.context import Context
    from ....runtime.vector_filters import Filter
    from ....runtime.vector_index import Hit
    from .desk import Desk

_WORD = re.compile(r"\w+")
_MOST_WORDS = 64
_DEEPER = 4
_DEEPEST = 20_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search asks for. mode: vector, keyword or hybrid."""

    text: str
    mode: str
    limit: int
    threshold: float
    where: Filter | None
    fusion: Fusion


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that may be seen. row: of it and its file. labels: what filters go by."""

    row: Row[Any]
    labels: Mapping[str, Any]
    score: float


async def search(desk: Desk, store: Row[Any], looked: Looked, ctx: Context) -> list[Found]:
    """The chunks, best first. Raises BadRequest, and whatever went wrong: nothing found is not the same as failed."""
    index = desk.index(store.instance)
    if looked.mode != "vector" and not index.keywords:
        message = f"the store's provider {store.instance!r} looks for vectors only; search_mode: expected vector"
        raise BadRequest(message, code="unsupported_search_mode", param="search_mode")
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(looked.text)))[:_MOST_WORDS]
    vector = None
    if looked.mode != "keyword":
        (vector,) = await desk.embedder.vectors(store.model, [looked.text], ctx)
        if len(vector) != store.dimension:
            raise BadRequest(
                f"the model {store.model!r} gives vectors of {len(vector)} numbers now, and the store has "
                f"{store.dimension}; make a new store",
                code="embedding_dimension_mismatch",
            )
    sight = _Sight(desk, store.id, looked.where)

    async def near(depth: int) -> list[Hit]:
        assert vector is not None
        return await index.near(store.id, vector, limit=depth, where=looked.where)

    async def matching(depth: int) -> list[Hit]:
        return await index.matching(store.id, words, limit=depth, where=looked.where) if words else []

    # A hybrid search looks further down both lists: what is somewhere in both may come first.
    least = looked.limit if looked.mode != "hybrid" else max(looked.limit * 2, 20)
    by_vector = await sight.seen(near, least) if looked.mode != "keyword" else []
    by_words = await sight.seen(matching, least) if looked.mode != "vector" else []
    ranked = fused(by_vector, by_words, looked.fusion) if looked.mode == "hybrid" else by_vector or by_words
    good = [each for each in ranked if each.score >= looked.threshold][: looked.limit]
    return [Found(*sight.known[each.id], each.score) for each in good]


class _Sight:
    """What may be seen of the hits of one search. known: rows and labels by id."""

    def __init__(self, desk: Desk, store: str, where: Filter | None) -> None:
        self.known: dict[str, tuple[Row[Any], Mapping[str, Any]]] = {}
        self._sql = desk.sql
        alive = or_(CHUNKS.c.expires_at.is_(None), CHUNKS.c.expires_at > desk.now)
        whole = and_(FILES.c.status == "completed", FILES.c.gone.is_(False))
        self._query = (
            select(CHUNKS, FILES.c.file_id, FILES.c.filename, FILES.c.labels.label("file_labels"))
            .select_from(CHUNKS.outerjoin(FILES, FILES.c.id == CHUNKS.c.file))
            .where(CHUNKS.c.store == store, alive, or_(CHUNKS.c.file.is_(None), whole))
        )
        self._matches = predicate(where) if where is not None else None

    async def seen(self, ask: Any, least: int) -> list[Hit]:
        """At least so many hits that may be seen, unless there are no more: what may not be seen takes places too."""
        depth = least
        while True:
            hits: Sequence[Hit] = await ask(depth)
            await self._learn([each.id for each in hits if each.id not in self.known])
            good = [each for each in hits if each.id in self.known]
            if len(good) >= least or len(hits) < depth or depth >= _DEEPEST:
                return good[:least]
            depth = min(depth * _DEEPER, _DEEPEST)

    async def _learn(self, ids: Sequence[str]) -> None:
        async with self._sql.reading() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = self._query.where(CHUNKS.c.id.in_(ids[start : start + _AT_ONCE]))
                for row in await connection.execute(some):
                    labels = json.loads(row.file_labels if row.file is not None else row.labels)
                    if self._matches is None or self._matches(labels):
                        self.known[row.id] = (row, labels)
