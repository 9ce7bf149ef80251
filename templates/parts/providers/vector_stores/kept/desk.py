"""What everything about the stores of a database works with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from ....runtime.errors import BadRequest, NotFound, Unavailable
from ....runtime.ownership import seen_by
from ....runtime.sql_clock import database_now
from .tables import FILES, STORES

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....contracts.files import Files
    from ....runtime.context import Context
    from ....runtime.sql import Sql
    from ....runtime.vector_index import VectorIndex
    from .chunking import Chunking
    from .embedding import Embedder
    from .models import RewriteQueryParams

DAY = 86400.0

_STORE = re.compile(r"vs_[0-9a-f]{48}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What searches go by that do not say. rank_constant: of reciprocal ranks. alpha: of weighted scores. model: that
    reranks, None where there is none. multiplier: how many times as many chunks as are asked for it compares.
    """

    mode: str
    ranker: str
    rank_constant: float
    alpha: float
    model: str | None
    multiplier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """indexes: what has vectors, by instance. default: the instance of stores whose request names none. files: None
    where the server has no files. chunking: of files whose request does not say. rewriting: of queries.
    """

    sql: Sql
    indexes: Mapping[str, VectorIndex]
    default: str | None
    embedder: Embedder
    files: Files | None
    chunking: Chunking
    ranking: Ranking
    rewriting: RewriteQueryParams

    @property
    def now(self) -> ColumnElement[float]:
        return database_now(self.sql.dialect)

    def index(self, instance: str) -> VectorIndex:
        """Raises Unavailable where the server has that instance no longer, or not at present."""
        found = self.indexes.get(instance)
        if found is None:
            raise Unavailable(f"the store's provider {instance!r} is not there", code="provider_unavailable")
        return found

    def instance(self, named: str | None) -> str:
        """Where a new store is to be. Raises BadRequest where that is not clear."""
        known = named or self.default or (next(iter(self.indexes)) if len(self.indexes) == 1 else None)
        if known in self.indexes and known is not None:
            return known
        names = ", ".join(self.indexes) or "none: every provider of vector_io is switched off"
        what = f"there is no provider {known[:100]!r}" if known else "there are several"
        raise BadRequest(f"provider_id: {what}; expected one of {names}", code="provider_unclear", param="provider_id")


def no_store(id: str, param: str = "vector_store_id") -> NotFound:
    return NotFound(f"there is no vector store {id[:100]!r}", code="vector_store_not_found", param=param)


def no_file(id: str, param: str = "file_id") -> NotFound:
    return NotFound(f"the vector store has no file {id[:100]!r}", code="vector_store_file_not_found", param=param)


def is_store(id: str, ctx: Context) -> ColumnElement[bool]:
    """The store of this id, where the caller may see it."""
    return and_(STORES.c.id == id, STORES.c.state != "gone", seen_by(STORES.c.owner, ctx))


async def find_store(
    desk: Desk, connection: AsyncConnection, id: str, ctx: Context, *, usable: bool = False, param: str | None = None
) -> Row[Any]:
    """Its row, and beside it `expired`: whether its time is over. usable: raises BadRequest where it is.

    Raises NotFound where there is none that the caller may see.
    """
    if not _STORE.fullmatch(id):
        raise no_store(id, param or "vector_store_id")
    query = select(STORES, expired(desk).label("expired"), desk.now.label("now")).where(is_store(id, ctx))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise no_store(id, param or "vector_store_id")
    if usable and row.expired:
        message = f"the vector store {id!r} has expired: it was not used for {row.days} days"
        raise BadRequest(message, code="vector_store_expired", param="vector_store_id")
    return row


def expired(desk: Desk) -> ColumnElement[bool]:
    """Whether a store's time is over."""
    late = and_(STORES.c.days.is_not(None), STORES.c.active_at + STORES.c.days * DAY <= desk.now)
    return or_(STORES.c.state == "expired", late)


async def find_file(connection: AsyncConnection, store: str, file_id: str, *, param: str = "file_id") -> Row[Any]:
    """The row of a file that is attached to a store. Raises NotFound."""
    row = None
    if len(file_id) <= 200 and file_id.isascii() and "\x00" not in file_id:
        mine = and_(FILES.c.store == store, FILES.c.file_id == file_id, FILES.c.gone.is_(False))
        row = (await connection.execute(select(FILES).where(mine))).one_or_none()
    if row is None:
        raise no_file(file_id, param)
    return row
