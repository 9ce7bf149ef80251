"""The table of responses: each with what it answers, and the response that it goes on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    literal,
    select,
)

from ...runtime.ownership import seen_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Insert, RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ...runtime.context import Context

# Llama Stack's table `openai_responses` may lie in the same database.
RESPONSES = Table(
    "stackgen_responses",
    MetaData(),
    # Counts up: the order of the list.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("previous", String(64)),
    # JSON: the items that it answers, and the response with all that is in its items.
    Column("input", Text, nullable=False),
    Column("response", Text, nullable=False),
)
C = RESPONSES.c
Index("stackgen_responses_owner", C.owner, C.seq)

LONGEST_CHAIN = 1000
"""How many responses may go on from one another."""


class Row(TypedDict):
    """A response that is kept; see the columns."""

    id: str
    owner: str | None
    attributes: str
    model: str
    previous: str | None
    input: str
    response: str


def create(connection: Connection) -> None:
    """The first step of the schema."""
    RESPONSES.create(connection)


MIGRATIONS = (create,)


def keeping() -> Insert:
    """The statement that keeps rows."""
    return insert(RESPONSES)


async def find(connection: AsyncConnection, id_: str, ctx: Context) -> RowMapping | None:
    """A response that the caller sees."""
    found = await connection.execute(select(RESPONSES).where(C.id == id_, seen_by(C.owner, ctx)))
    return found.mappings().one_or_none()


async def chain(connection: AsyncConnection, id_: str, ctx: Context) -> list[RowMapping]:
    """A response and those that it goes on from, the first one first; as far as they are there, and seen."""
    first = select(C.seq, C.previous, literal(1).label("depth")).where(C.id == id_, seen_by(C.owner, ctx))
    links = first.cte("links", recursive=True)
    before = select(C.seq, C.previous, links.c.depth + 1).where(
        C.id == links.c.previous, seen_by(C.owner, ctx), links.c.depth < LONGEST_CHAIN
    )
    links = links.union_all(before)
    statement = select(RESPONSES).join(links, links.c.seq == C.seq).order_by(links.c.depth.desc())
    return list((await connection.execute(statement)).mappings())


async def of_stems(connection: AsyncConnection, stems: Sequence[str], ctx: Context) -> list[RowMapping]:
    """The responses whose ids begin with one of these."""
    found: list[RowMapping] = []
    for stem in stems:
        # `g` follows the digits.
        like = (C.id >= f"resp_{stem}", C.id < f"resp_{stem}g", seen_by(C.owner, ctx))
        found += (await connection.execute(select(RESPONSES).where(*like))).mappings()
    return found


async def page(
    connection: AsyncConnection, ctx: Context, *, model: str | None, after: int | None, newest: bool, limit: int
) -> list[RowMapping]:
    """Those that the caller sees. after: the row before the first."""
    wanted: list[ColumnElement[bool]] = [seen_by(C.owner, ctx)]
    if model is not None:
        wanted.append(C.model == model)
    if after is not None:
        wanted.append(C.seq < after if newest else C.seq > after)
    order = C.seq.desc() if newest else C.seq.asc()
    found = await connection.execute(select(RESPONSES).where(*wanted).order_by(order).limit(limit))
    return list(found.mappings())


async def remove(connection: AsyncConnection, id_: str, ctx: Context) -> bool:
    """Whether there was one."""
    gone = await connection.execute(delete(RESPONSES).where(C.id == id_, seen_by(C.owner, ctx)))
    return gone.rowcount > 0
