"""What is kept of agents and sessions, as clients see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from pydantic_core import from_json

from ...contracts.agents.responses import Agent, AgentSession, AgentTurn
from ...contracts.shared.agent_config import AgentConfig

if TYPE_CHECKING:
    from .store import AgentRow, SessionRow, TurnRow

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def agent_of(row: AgentRow) -> Agent:
    config = AgentConfig.model_validate_json(row.config)
    return Agent(agent_id=row.id, agent_config=config, created_at=_time(row.created_at))


def session_of(row: SessionRow, turns: Sequence[TurnRow]) -> AgentSession:
    shown = [AgentTurn.model_validate_json(each.body) for each in turns]
    return AgentSession(
        session_id=row.id, session_name=from_json(row.name), turns=shown, started_at=_time(row.created_at)
    )


def history_of(turns: Sequence[TurnRow]) -> list[AgentTurn]:
    """What the model is told of: turns that broke off are not, as whoever meant them will have said it again."""
    return [AgentTurn.model_validate_json(each.body) for each in turns if each.state in ("waiting", "complete")]


def asked_for(limit: int | None) -> int | None:
    """How many rows tell what a page holds and whether there are more; None for all there are."""
    return None if limit is None or limit < 0 else limit + 1


def page_of(rows: list[T], limit: int | None) -> tuple[list[T], bool]:
    """The rows of a page, and whether there are more."""
    return (rows, False) if limit is None or limit < 0 else (rows[:limit], len(rows) > limit)


def micros() -> int:
    """Unix time, microseconds."""
    return time.time_ns() // 1000


def _time(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)
