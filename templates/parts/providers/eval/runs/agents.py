"""Answers to rows, by an agent: one that is made for the row, told what it says, and removed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....contracts.agents.requests import (
    CreateAgentRequest,
    CreateAgentSessionRequest,
    CreateAgentTurnRequest,
    DeleteAgentRequest,
)
from ....contracts.agents.responses import AgentTurn
from ....runtime.errors import BadRequest
from ....runtime.http_request import validate
from .asking import Row, told_of
from .replies import AnswerRow, Generation, nonsense, whole

if TYPE_CHECKING:
    from ....contracts.agents import Agents
    from ....contracts.shared.agent_config import AgentConfig
    from ....contracts.shared.content import InterleavedContent
    from ....runtime.context import Context

CANDIDATE = "benchmark_config.eval_candidate"


def by_agent(config: AgentConfig, agents: Agents | None) -> AnswerRow:
    """Raises BadRequest where there are no agents, and for one that would ask its client."""
    if agents is None:
        message = "an agent cannot be evaluated here, as this server makes none; a model can"
        raise BadRequest(message, code="unsupported_operation", param=f"{CANDIDATE}.type")
    if config.client_tools:
        message = "an agent that is evaluated can have no client_tools, as there is no client to answer their calls"
        raise BadRequest(message, code="unsupported_parameter", param=f"{CANDIDATE}.config.client_tools")

    async def answer(row: Row, ctx: Context) -> Generation:
        messages = told_of(row)
        agent = (await agents.create_agent(CreateAgentRequest(agent_config=config), ctx)).agent_id
        try:
            session = await agents.create_agent_session(
                CreateAgentSessionRequest(agent_id=agent, session_name="evaluation"), ctx
            )
            said = {"agent_id": agent, "session_id": session.session_id, "messages": messages, "stream": False}
            request = validate(CreateAgentTurnRequest, to_json(said))
            return _answered(await whole(await agents.create_agent_turn(request, ctx), AgentTurn))
        finally:
            await agents.delete_agent(DeleteAgentRequest(agent_id=agent), ctx)

    return answer


def _answered(turn: AgentTurn) -> Generation:
    """What was said; with it what was read for it, which some scoring functions compare with."""
    if turn.output_message.tool_calls:
        raise nonsense("the agent waits for a tool, and does not answer")
    read = [text_of(step.inserted_context) for step in turn.steps if step.step_type == "memory_retrieval"]
    answer = {"generated_answer": text_of(turn.output_message.content)}
    return {**answer, "context": " ".join(read)} if read else answer


def text_of(content: InterleavedContent) -> str:
    """What a content says in words."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "\n".join(part.text for part in parts if part.type == "text")
