"""Agents, their sessions and turns in a SQL database: a table of each.

A session's row counts the turns that it was ever given, and a turn's place is what that count was. A turn has a row
from when its client is first told of it; what it was then is written over at its end. One whose process ended first
stays `running` and shows no end. A turn that waits for its client stays as it is until its rest has come to an end, so
that whoever resumes it can do so again where that fails; of two who do it at once one is told that the other was
quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text, delete, insert, select, update

from ...runtime.errors import NotFound
from ...runtime.ownership import Owner, seen_by

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ...runtime.context import Context

State: TypeAlias = Literal["running", "waiting", "complete", "failed"]

_TABLES = MetaData()
AGENTS = Table(
    "stackgen_agents",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("config", Text, nullable=False),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Index("stackgen_agents_created_at", "created_at", "id"),
)
SESSIONS = Table(
    "stackgen_agent_sessions",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("agent_id", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("places", BigInteger, nullable=False),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Index("stackgen_agent_sessions_agent", "agent_id", "created_at", "id"),
)
TURNS = Table(
    "stackgen_agent_turns",
    _TABLES,
    Column("session_id", String(64), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("means", Text, nullable=False),
    Column("body", Text, nullable=False),
)


def create(connection: Connection) -> None:
    """The first form of the tables."""
    for table in (AGENTS, SESSIONS, TURNS):
        table.create(connection)


MIGRATIONS = (create,)


@dataclass(frozen=True, slots=True)
class AgentRow:
    """created_at: Unix time, microseconds; here and below. config: JSON."""

    id: str
    created_at: int
    config: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """name: JSON, since databases differ in which characters a text may have."""

    id: str
    agent_id: str
    created_at: int
    name: str


@dataclass(frozen=True, slots=True)
class TurnRow:
    """revision: how often it was written. means: JSON of what its request said of tools. body: JSON of the turn."""

    id: str
    session_id: str
    place: int
    state: State
    revision: int
    means: str
    body: str


def no_agent(agent_id: str) -> NotFound:
    return NotFound(f"there is no agent {agent_id[:100]!r}", code="agent_not_found", param="agent_id")


def no_session(session_id: str) -> NotFound:
    return NotFound(f"there is no session {session_id[:100]!r}", code="session_not_found", param="session_id")


def no_turn(turn_id: str) -> NotFound:
    return NotFound(f"there is no turn {turn_id[:100]!r}", code="turn_not_found", param="turn_id")


# ── agents ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def add_agent(connection: AsyncConnection, row: AgentRow, owner: Owner) -> None:
    values = {"id": row.id, "created_at": row.created_at, "config": row.config}
    await connection.execute(insert(AGENTS).values(**values, owner=owner.principal, attributes=owner.attributes))


async def find_agent(connection: AsyncConnection, agent_id: str, ctx: Context) -> AgentRow:
    """Raises NotFound where there is none that the caller sees; so do all below."""
    statement = select(AGENTS.c.id, AGENTS.c.created_at, AGENTS.c.config).where(_is_agent(agent_id, ctx))
    found = (await connection.execute(statement)).one_or_none()
    if found is None:
        raise no_agent(agent_id)
    return AgentRow(*found)


async def list_agents(connection: AsyncConnection, ctx: Context, start: int, limit: int | None) -> list[AgentRow]:
    """Oldest first. limit: None for all."""
    statement = select(AGENTS.c.id, AGENTS.c.created_at, AGENTS.c.config).where(seen_by(AGENTS.c.owner, ctx))
    statement = statement.order_by(AGENTS.c.created_at, AGENTS.c.id).offset(start).limit(limit)
    return [AgentRow(*row) for row in await connection.execute(statement)]


async def remove_agent(connection: AsyncConnection, agent_id: str, ctx: Context) -> None:
    """With all sessions, whosever they are. The agent goes first, so that nobody begins another meanwhile."""
    statement = delete(AGENTS).where(_is_agent(agent_id, ctx)).returning(AGENTS.c.id)
    if (await connection.execute(statement)).one_or_none() is None:
        raise no_agent(agent_id)
    sessions = select(SESSIONS.c.id).where(SESSIONS.c.agent_id == agent_id)
    await connection.execute(delete(TURNS).where(TURNS.c.session_id.in_(sessions)))
    await connection.execute(delete(SESSIONS).where(SESSIONS.c.agent_id == agent_id))


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def add_session(connection: AsyncConnection, row: SessionRow, owner: Owner, ctx: Context) -> None:
    # Held until the end of the transaction, so that the agent is not removed meanwhile and leaves a session behind.
    held = update(AGENTS).where(_is_agent(row.agent_id, ctx)).values(config=AGENTS.c.config).returning(AGENTS.c.id)
    if (await connection.execute(held)).one_or_none() is None:
        raise no_agent(row.agent_id)
    values = {"id": row.id, "agent_id": row.agent_id, "created_at": row.created_at, "name": row.name, "places": 0}
    await connection.execute(insert(SESSIONS).values(**values, owner=owner.principal, attributes=owner.attributes))


async def find_session(connection: AsyncConnection, agent_id: str, session_id: str, ctx: Context) -> SessionRow:
    columns = (SESSIONS.c.id, SESSIONS.c.agent_id, SESSIONS.c.created_at, SESSIONS.c.name)
    found = (await connection.execute(select(*columns).where(_is_session(agent_id, session_id, ctx)))).one_or_none()
    if found is None:
        raise no_session(session_id)
    return SessionRow(*found)


async def list_sessions(
    connection: AsyncConnection, agent_id: str, ctx: Context, start: int, limit: int | None
) -> list[SessionRow]:
    await find_agent(connection, agent_id, ctx)
    columns = (SESSIONS.c.id, SESSIONS.c.agent_id, SESSIONS.c.created_at, SESSIONS.c.name)
    statement = select(*columns).where(SESSIONS.c.agent_id == agent_id, seen_by(SESSIONS.c.owner, ctx))
    statement = statement.order_by(SESSIONS.c.created_at, SESSIONS.c.id).offset(start).limit(limit)
    return [SessionRow(*row) for row in await connection.execute(statement)]


async def remove_session(connection: AsyncConnection, agent_id: str, session_id: str, ctx: Context) -> None:
    statement = delete(SESSIONS).where(_is_session(agent_id, session_id, ctx)).returning(SESSIONS.c.id)
    if (await connection.execute(statement)).one_or_none() is None:
        raise no_session(session_id)
    await connection.execute(delete(TURNS).where(TURNS.c.session_id == session_id))


# ── turns ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def add_turn(connection: AsyncConnection, session_id: str, turn_id: str, means: str, body: str) -> None:
    """Keeps one that runs. Raises NotFound where the session is gone."""
    counted = update(SESSIONS).where(SESSIONS.c.id == session_id).values(places=SESSIONS.c.places + 1)
    places = (await connection.execute(counted.returning(SESSIONS.c.places))).scalar_one_or_none()
    if places is None:
        raise no_session(session_id)
    values = {"session_id": session_id, "place": int(places) - 1, "id": turn_id, "means": means, "body": body}
    await connection.execute(insert(TURNS).values(**values, state="running", revision=0))


async def set_turn(connection: AsyncConnection, turn_id: str, revision: int, state: State, body: str) -> bool:
    """Writes a turn over; False where it is gone, or no longer has this revision."""
    statement = update(TURNS).where(TURNS.c.id == turn_id, TURNS.c.revision == revision)
    statement = statement.values(state=state, body=body, revision=revision + 1)
    return (await connection.execute(statement.returning(TURNS.c.id))).one_or_none() is not None


async def find_turn(connection: AsyncConnection, agent_id: str, session_id: str, turn_id: str, ctx: Context) -> TurnRow:
    await find_session(connection, agent_id, session_id, ctx)
    found = (await connection.execute(_turns(session_id).where(TURNS.c.id == turn_id))).one_or_none()
    if found is None:
        raise no_turn(turn_id)
    return _turn(found)


async def list_turns(
    connection: AsyncConnection, session_id: str, *, ids: Sequence[str] | None = None, before: int | None = None
) -> list[TurnRow]:
    """Of a session that the caller sees, oldest first. ids: only these. before: only those of lower places."""
    statement = _turns(session_id)
    if ids is not None:
        statement = statement.where(TURNS.c.id.in_(ids))
    if before is not None:
        statement = statement.where(TURNS.c.place < before)
    return [_turn(row) for row in await connection.execute(statement.order_by(TURNS.c.place))]


def _turns(session_id: str) -> Select[tuple[str, str, int, State, int, str, str]]:
    kept = TURNS.c
    columns = (kept.id, kept.session_id, kept.place, kept.state, kept.revision, kept.means, kept.body)
    return select(*columns).where(TURNS.c.session_id == session_id)


def _turn(row: Row[tuple[str, str, int, State, int, str, str]]) -> TurnRow:
    return TurnRow(row.id, row.session_id, row.place, row.state, row.revision, row.means, row.body)


def _is_agent(agent_id: str, ctx: Context) -> ColumnElement[bool]:
    return (AGENTS.c.id == agent_id) & seen_by(AGENTS.c.owner, ctx)


def _is_session(agent_id: str, session_id: str, ctx: Context) -> ColumnElement[bool]:
    return (SESSIONS.c.id == session_id) & (SESSIONS.c.agent_id == agent_id) & seen_by(SESSIONS.c.owner, ctx)
