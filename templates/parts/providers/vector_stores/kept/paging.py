"""Pages of what is in the order of its making."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

PAGE = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of its page, as it came."""

    limit: int | None
    order: str | None
    after: str | None
    before: str | None


async def page(
    connection: AsyncConnection,
    query: Select[Any],
    asked: Asked,
    place: tuple[Column[float], Column[str]],
    find: Callable[[str, str], Awaitable[Row[Any]]],
) -> tuple[list[Row[Any]], bool]:
    """The rows, and whether there are more of them in that direction.

    place: the columns of the order, when and which. find: the row of an id, of which param of the request.
    """
    made, id = place
    falling = asked.order != "asc"
    limit = asked.limit or PAGE
    if asked.after:
        last = await find(asked.after, "after")
        query = query.where(_beyond(made, id, last, down=falling))
    # A page that ends before a row, and begins after none, is the last one before it.
    backwards = bool(asked.before) and not asked.after
    if asked.before:
        first = await find(asked.before, "before")
        query = query.where(_beyond(made, id, first, down=not falling))
    down = falling is not backwards
    query = query.order_by(*((each.desc() if down else each.asc()) for each in place)).limit(limit + 1)
    rows = list((await connection.execute(query)).all())
    more, rows = len(rows) > limit, rows[:limit]
    return (rows[::-1] if backwards else rows), more


def _beyond(made: Column[float], id: Column[str], row: Row[Any], *, down: bool) -> ColumnElement[bool]:
    moment, which = row.created_at, row.id
    if down:
        return or_(made < moment, and_(made == moment, id < which))
    return or_(made > moment, and_(made == moment, id > which))
