"""Implements the agents API over a SQL database and the server's own inference, safety and tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ...contracts.agents.responses import (
    AgentCreated,
    AgentList,
    AgentSessionCreated,
    AgentSessionList,
    AgentStepResponse,
    AgentTurn,
)
from ...contracts.shared.agent_config import AgentConfig
from ...runtime.errors import BadRequest, Conflict, NotFound
from ...runtime.ids import new_id
from ...runtime.ownership import owner_of
from ...runtime.wiring import Health
from . import store as stored
from .answers import not_yet
from .asking import Means, checked, tool_use
from .carrying import NewTurn, Resumed, answered
from .content import with_documents
from .presenting import agent_of, asked_for, history_of, micros, page_of, session_of
from .store import AgentRow, SessionRow, TurnRow
from .toolbox import gathered
from .turning import Turning, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from ...contracts.agents.requests import (
        AgentToolResponse,
        CreateAgentRequest,
        CreateAgentSessionRequest,
        CreateAgentTurnRequest,
        DeleteAgentRequest,
        DeleteAgentSessionRequest,
        GetAgentRequest,
        GetAgentSessionRequest,
        GetAgentStepRequest,
        GetAgentTurnRequest,
        ListAgentSessionsRequest,
        ListAgentsRequest,
        ResumeAgentTurnRequest,
    )
    from ...contracts.agents.responses import Agent, AgentSession, AgentTurnChunk
    from ...contracts.inference import Chat
    from ...contracts.safety import Shielding
    from ...contracts.tool_runtime import Tools
    from ...runtime.context import Context
    from ...runtime.reply import Answer, Events
    from ...runtime.sql import Sql

_ID = re.compile(r"(agent|session|turn)_[0-9a-f]{48}")


class AgentsService:
    """safety, tools: None where the server has none."""

    def __init__(self, sql: Sql, inference: Chat, safety: Shielding | None, tools: Tools | None) -> None:
        self._sql = sql
        self._inference = inference
        self._safety = safety
        self._tools = tools

    async def health(self) -> Health:
        return Health("Not Implemented", "whether its models and tools answer shows with each turn")

    # ── agents ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def list_agents(self, request: ListAgentsRequest, ctx: Context) -> AgentList:
        start, limit = request.start_index or 0, request.limit
        async with self._sql.reading() as connection:
            rows = await stored.list_agents(connection, ctx, start, asked_for(limit))
        found, more = page_of(rows, limit)
        return AgentList(data=[agent_of(each) for each in found], has_more=more)

    async def create_agent(self, request: CreateAgentRequest, ctx: Context) -> AgentCreated:
        config = checked(request.agent_config).model_dump_json(exclude_unset=True)
        row = AgentRow(new_id("agent"), micros(), config)
        async with self._sql.writing() as connection:
            await stored.add_agent(connection, row, owner_of(ctx))
        return AgentCreated(agent_id=row.id)

    async def get_agent(self, request: GetAgentRequest, ctx: Context) -> Agent:
        _check(request.agent_id)
        async with self._sql.reading() as connection:
            return agent_of(await stored.find_agent(connection, request.agent_id, ctx))

    async def delete_agent(self, request: DeleteAgentRequest, ctx: Context) -> None:
        _check(request.agent_id)
        async with self._sql.writing() as connection:
            await stored.remove_agent(connection, request.agent_id, ctx)

    # ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def list_agent_sessions(self, request: ListAgentSessionsRequest, ctx: Context) -> AgentSessionList:
        _check(request.agent_id)
        start, limit = request.start_index or 0, request.limit
        async with self._sql.reading() as connection:
            rows = await stored.list_sessions(connection, request.agent_id, ctx, start, asked_for(limit))
        found, more = page_of(rows, limit)
        return AgentSessionList(data=[session_of(each, ()) for each in found], has_more=more)

    async def create_agent_session(self, request: CreateAgentSessionRequest, ctx: Context) -> AgentSessionCreated:
        _check(request.agent_id)
        name = to_json(request.session_name).decode()
        row = SessionRow(new_id("session"), request.agent_id, micros(), name)
        async with self._sql.writing() as connection:
            await stored.add_session(connection, row, owner_of(ctx), ctx)
        return AgentSessionCreated(session_id=row.id)

    async def get_agent_session(self, request: GetAgentSessionRequest, ctx: Context) -> AgentSession:
        _check(request.agent_id, request.session_id)
        async with self._sql.reading() as connection:
            row = await stored.find_session(connection, request.agent_id, request.session_id, ctx)
            turns = await stored.list_turns(connection, row.id, ids=_known(request.turn_ids))
        return session_of(row, turns)

    async def delete_agent_session(self, request: DeleteAgentSessionRequest, ctx: Context) -> None:
        _check(request.agent_id, request.session_id)
        async with self._sql.writing() as connection:
            await stored.remove_session(connection, request.agent_id, request.session_id, ctx)

    # ── turns ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_agent_turn(
        self, request: CreateAgentTurnRequest, ctx: Context
    ) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
        _check(request.agent_id, request.session_id)
        async with self._sql.reading() as connection:
            await stored.find_session(connection, request.agent_id, request.session_id, ctx)
            agent = await _config(connection, request.agent_id, ctx)
            before = await stored.list_turns(connection, request.session_id)
        turn = AgentTurn(
            turn_id=new_id("turn"),
            session_id=request.session_id,
            input_messages=with_documents(request.messages, request.documents or ()),
            steps=[],
            output_message=not_yet(),
            started_at=now(),
        )
        means = Means(toolgroups=request.toolgroups, tool_config=request.tool_config)
        turning = await self._turning(agent, means, before, turn, ctx)
        keeping = NewTurn(self._sql, turn, means.model_dump_json(exclude_unset=True))
        return await answered(turning.begin(), keeping, stream=bool(request.stream))

    async def resume_agent_turn(
        self, request: ResumeAgentTurnRequest, ctx: Context
    ) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
        _check(request.agent_id, request.session_id, request.turn_id)
        async with self._sql.reading() as connection:
            row = await stored.find_turn(connection, request.agent_id, request.session_id, request.turn_id, ctx)
            agent = await _config(connection, request.agent_id, ctx)
            before = await stored.list_turns(connection, request.session_id, before=row.place)
        turn = AgentTurn.model_validate_json(row.body)
        _fit(row, turn, request.tool_responses)
        turning = await self._turning(agent, Means.model_validate_json(row.means), before, turn, ctx)
        happening = turning.resume(request.tool_responses)
        return await answered(happening, Resumed(self._sql, turn, row.revision), stream=bool(request.stream))

    async def _turning(
        self, agent: AgentConfig, means: Means, before: Sequence[TurnRow], turn: AgentTurn, ctx: Context
    ) -> Turning:
        """Raises StackError where its tools cannot be had."""
        toolbox = await gathered(agent, means.toolgroups or (), self._tools, ctx)
        return Turning(
            agent=agent,
            use=tool_use(agent, means.tool_config, toolbox.tools),
            toolbox=toolbox,
            history=history_of(before),
            turn=turn,
            inference=self._inference,
            safety=self._safety,
            ctx=ctx,
        )

    async def get_agent_turn(self, request: GetAgentTurnRequest, ctx: Context) -> AgentTurn:
        _check(request.agent_id, request.session_id, request.turn_id)
        async with self._sql.reading() as connection:
            row = await stored.find_turn(connection, request.agent_id, request.session_id, request.turn_id, ctx)
        return AgentTurn.model_validate_json(row.body)

    async def get_agent_step(self, request: GetAgentStepRequest, ctx: Context) -> AgentStepResponse:
        _check(request.agent_id, request.session_id, request.turn_id)
        async with self._sql.reading() as connection:
            row = await stored.find_turn(connection, request.agent_id, request.session_id, request.turn_id, ctx)
        for step in AgentTurn.model_validate_json(row.body).steps:
            if step.step_id == request.step_id:
                return AgentStepResponse(step=step)
        raise NotFound(f"there is no step {request.step_id[:100]!r}", code="step_not_found", param="step_id")


def _check(agent_id: str, session_id: str | None = None, turn_id: str | None = None) -> None:
    """Raises NotFound for what is no id: a database is asked for nothing else."""
    if not _ID.fullmatch(agent_id):
        raise stored.no_agent(agent_id)
    if session_id is not None and not _ID.fullmatch(session_id):
        raise stored.no_session(session_id)
    if turn_id is not None and not _ID.fullmatch(turn_id):
        raise stored.no_turn(turn_id)


def _known(ids: Sequence[str] | None) -> list[str] | None:
    return None if ids is None else [each for each in ids if _ID.fullmatch(each)]


def _fit(row: TurnRow, turn: AgentTurn, answers: Sequence[AgentToolResponse]) -> None:
    """Raises StackError where the turn waits for no answers, or for others."""
    if row.state != "waiting":
        message = f"the turn {row.id!r} waits for no answers of tools"
        raise Conflict(message, code="turn_not_waiting", param="turn_id")
    waiting = [each.call_id for each in turn.output_message.tool_calls or ()]
    given = [each.call_id for each in answers]
    if sorted(waiting) != sorted(given):
        message = f"expected one answer for each of {', '.join(waiting)}; found {', '.join(given)[:500] or 'none'}"
        raise BadRequest(message, code="other_tool_responses", param="tool_responses")


async def _config(connection: AsyncConnection, agent_id: str, ctx: Context) -> AgentConfig:
    return AgentConfig.model_validate_json((await stored.find_agent(connection, agent_id, ctx)).config)
