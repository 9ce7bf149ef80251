"""Agents that are evaluated: one is made for each row, and none is left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from eval_stand_ins import evaluating
from parts.contracts.agents.requests import (
    CreateAgentRequest,
    CreateAgentSessionRequest,
    CreateAgentTurnRequest,
    DeleteAgentRequest,
)
from parts.contracts.agents.responses import AgentCreated, AgentSessionCreated, AgentTurn
from parts.contracts.eval.requests import EvaluateRowsRequest
from parts.contracts.eval.responses import EvaluateResponse
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError, UpstreamError
from parts.runtime.reply import Answer

CTX = Context("r")
CONFIG: dict[str, object] = {"model": "m", "instructions": "Be brief."}
READ = {"turn_id": "t", "step_id": "s", "step_type": "memory_retrieval", "vector_db_ids": "v"}


class Parrot:
    """Stands in for the agents of the server: says what it is told. steps, calls: of each turn."""

    def __init__(self, *steps: object, calls: Sequence[object] = (), fails: StackError | None = None) -> None:
        self.there: dict[str, CreateAgentRequest] = {}
        self.told: list[object] = []
        self.made = 0
        self._steps = steps
        self._calls = calls
        self._fails = fails

    async def create_agent(self, request: CreateAgentRequest, ctx: Context) -> AgentCreated:
        self.made += 1
        self.there[str(self.made)] = request
        return AgentCreated(agent_id=str(self.made))

    async def delete_agent(self, request: DeleteAgentRequest, ctx: Context) -> None:
        del self.there[request.agent_id]

    async def create_agent_session(self, request: CreateAgentSessionRequest, ctx: Context) -> AgentSessionCreated:
        return AgentSessionCreated(session_id=f"session of {request.agent_id}")

    async def create_agent_turn(self, request: CreateAgentTurnRequest, ctx: Context) -> Answer[AgentTurn]:
        assert request.session_id == f"session of {request.agent_id}"
        assert self.there[request.agent_id].agent_config.instructions == CONFIG["instructions"]
        if self._fails is not None:
            raise self._fails
        said = json.loads(request.model_dump_json(exclude_none=True))["messages"]
        self.told.append(said)
        answer = {"role": "assistant", "content": said[-1]["content"], "stop_reason": "end_of_turn"}
        turn = {"turn_id": "t", "session_id": request.session_id, "input_messages": said, "steps": self._steps}
        whole = {**turn, "output_message": {**answer, "tool_calls": self._calls}, "started_at": "2026-01-01T00:00:00Z"}
        return Answer(json.dumps(whole).encode())


async def evaluated(path: Path, agents: Parrot | None, *rows: object, **config: object) -> EvaluateResponse:
    candidate = {"type": "agent", "config": {**CONFIG, **config}}
    said = {"benchmark_id": "b", "input_rows": rows, "scoring_functions": ["basic::equality"]}
    request = EvaluateRowsRequest.model_validate({**said, "benchmark_config": {"eval_candidate": candidate}})
    more = {} if agents is None else {"agents": agents}
    async with evaluating(path, **more) as made:  # type: ignore[typeddict-item]  # of agents it has what is asked for
        return await made.evaluate_rows(request, CTX)


async def test_an_agent_answers_each_row_and_is_gone(tmp_path: Path) -> None:
    agents = Parrot()
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    shown = [{"type": "text", "text": "two"}, image]
    found = await evaluated(
        tmp_path,
        agents,
        {"input_query": "one", "expected_answer": "one"},
        {"chat_completion_input": [{"role": "user", "content": shown}], "expected_answer": "two"},
        {"completion_input": '"three"', "expected_answer": "3"},
    )
    assert [each["generated_answer"] for each in found.generations] == ["one", "two", "three"]
    assert [each["score"] for each in found.scores["basic::equality"].score_rows] == [1.0, 1.0, 0.0]
    assert (agents.made, agents.there) == (3, {})
    address = {"uri": "data:image/png;base64,AA"}
    parts = [{"type": "text", "text": "two"}, {"type": "image", "image": {"url": address}}]
    assert [{"role": "user", "content": parts}] in agents.told


async def test_what_an_agent_has_read_is_told(tmp_path: Path) -> None:
    read = {**READ, "inserted_context": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    found = await evaluated(tmp_path, Parrot(read), {"input_query": "one", "expected_answer": "one"})
    assert found.generations == [{"generated_answer": "one", "context": "a\nb"}]


@pytest.mark.parametrize(
    ("agents", "kind"),
    [
        (Parrot(fails=BadRequest("no")), BadRequest),
        (Parrot(calls=[{"call_id": "c", "tool_name": "t", "arguments": "{}"}]), UpstreamError),
    ],
)
async def test_an_agent_that_fails_is_gone_too(tmp_path: Path, agents: Parrot, kind: type[StackError]) -> None:
    with pytest.raises(kind):
        await evaluated(tmp_path, agents, {"input_query": "one"})
    assert (agents.made, agents.there) == (1, {})


async def test_what_others_have_said_cannot_be_told_to_an_agent(tmp_path: Path) -> None:
    agents = Parrot()
    talk = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}]
    odd = [{"role": "user", "content": [{"type": "sound"}]}]
    for said in (talk, odd):
        with pytest.raises(BadRequest):
            await evaluated(tmp_path, agents, {"chat_completion_input": said})
    assert agents.there == {}


async def test_agents_that_cannot_be_evaluated_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="makes none"):
        await evaluated(tmp_path, None, {"input_query": "one"})
    with pytest.raises(BadRequest, match="no client"):
        await evaluated(tmp_path, Parrot(), {"input_query": "one"}, client_tools=[{"name": "t"}])
