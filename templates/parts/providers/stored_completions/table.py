"""The table of stored chat completions.

What was asked and answered stands there as it travelled: the request's body, and the answer's body or its events. It is
taken apart when somebody asks for it, which few do for few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

    from ...runtime.sql import Sql

COMPLETIONS = Table(
    "chat_completions",
    MetaData(),
    # Counts up: the order of the list.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(200), nullable=False),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    # What the client called the model, and what the answer calls it.
    Column("model", Text, nullable=False),
    Column("answered_by", Text, nullable=False),
    Column("metadata", Text),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
)
C = COMPLETIONS.c

# Two callers may have answers of one id. Null is not equal to itself, hence the text.
_OWNED = text("coalesce(owner, '')")
Index("chat_completions_identity", C.id, _OWNED, unique=True)
Index("chat_completions_owner", C.owner, C.seq)


class Row(TypedDict):
    """What is kept of one request. created: Unix time, seconds. metadata: JSON of the labels, None for none. streamed:
    whether `answer` is events and not one object. The tokens are None where nobody said.
    """

    id: str
    owner: str | None
    attributes: str
    created: int
    request_id: str
    model: str
    answered_by: str
    metadata: str | None
    request: bytes
    answer: bytes
    streamed: bool
    prompt_tokens: int | None
    completion_tokens: int | None


def create(connection: Connection) -> None:
    """The first step of the schema."""
    COMPLETIONS.create(connection)


MIGRATIONS = (create,)


def keeping(sql: Sql) -> PostgresInsert | SqliteInsert:
    """The statement that keeps rows. One of the same id and owner is replaced: the newest answer is what the client has
    just been told the id of. A row of another owner stays as it is.
    """
    insert = sql.insert(COMPLETIONS)
    fields = (each.name for each in COMPLETIONS.columns if each.name not in ("seq", "id", "owner"))
    newer = {name: insert.excluded[name] for name in fields}
    return insert.on_conflict_do_update(index_elements=[C.id, _OWNED], set_=newer)


def labelled(sql: Sql, labels: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """The conditions for rows that have all of these labels."""
    function = func.json_each(C.metadata) if sql.dialect == "sqlite" else func.jsonb_each_text(cast(C.metadata, JSONB))
    found: list[ColumnElement[bool]] = []
    for key, value in labels.items():
        each = function.table_valued("key", "value").alias()
        matching = select(literal(1)).select_from(each).where(each.c.key == key, each.c.value == value)
        found.append(exists(matching.correlate(COMPLETIONS)))
    return found


def of_model(name: str) -> ColumnElement[bool]:
    """The condition for answers of a model, by either of its names."""
    return or_(C.model == name, C.answered_by == name)
