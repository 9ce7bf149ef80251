"""How the suites ask, and what they look at in every answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from pydantic_core import from_json, to_json

from ...contracts.agents import Agents
from ...contracts.agents.requests import (
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
from ...contracts.agents.responses import AgentTurn, AgentTurnChunk
from ...runtime.context import Context
from ...runtime.reply import Answer, Events
from ...runtime.sse import data, events
from ..suite import Suite
from .server import MODEL, FakeServer, Json


class OverAServer(Suite[Agents]):
    """A provider that is opened over a server of the suite's own. server: that of the test that runs."""

    server: FakeServer

    @abstractmethod
    def opens_over(self, server: FakeServer) -> AbstractAsyncContextManager[Agents]:
        """The provider, over this inference, these tools and shields; what it keeps is kept until the test's end."""

    def opens(self) -> AbstractAsyncContextManager[Agents]:
        self.server = FakeServer()
        return self.opens_over(self.server)


def caller(principal: str | None = None) -> Context:
    """Whoever makes a request; None where the server does not ask."""
    return Context(request_id="suite", principal=principal)


def user(text: str, **more: object) -> Json:
    return {"role": "user", "content": text, **more}


class Asking:
    """A provider, asked as the server asks it: requests are validated, answers are what clients read."""

    def __init__(self, provider: Agents, ctx: Context | None = None) -> None:
        self.provider = provider
        self.ctx = ctx or caller()

    async def agent(self, **config: object) -> str:
        """A new agent's id."""
        body = {"agent_config": {"model": MODEL, "instructions": "Be brief.", **config}}
        return (await self.provider.create_agent(CreateAgentRequest.model_validate(body), self.ctx)).agent_id

    async def described(self, agent_id: str) -> Json:
        return _read(await self.provider.get_agent(GetAgentRequest(agent_id=agent_id), self.ctx))

    async def agents(self, **query: object) -> Json:
        return _read(await self.provider.list_agents(ListAgentsRequest.model_validate(query), self.ctx))

    async def delete(self, agent_id: str) -> None:
        await self.provider.delete_agent(DeleteAgentRequest(agent_id=agent_id), self.ctx)

    async def session(self, agent_id: str, name: str = "a session") -> str:
        request = CreateAgentSessionRequest(agent_id=agent_id, session_name=name)
        return (await self.provider.create_agent_session(request, self.ctx)).session_id

    async def sessions(self, agent_id: str, **query: object) -> Json:
        request = ListAgentSessionsRequest.model_validate({"agent_id": agent_id, **query})
        return _read(await self.provider.list_agent_sessions(request, self.ctx))

    async def shown(self, agent_id: str, session_id: str, turn_ids: Sequence[str] | None = None) -> Json:
        body = {"agent_id": agent_id, "session_id": session_id, "turn_ids": turn_ids}
        return _read(await self.provider.get_agent_session(GetAgentSessionRequest.model_validate(body), self.ctx))

    async def delete_session(self, agent_id: str, session_id: str) -> None:
        request = DeleteAgentSessionRequest(agent_id=agent_id, session_id=session_id)
        await self.provider.delete_agent_session(request, self.ctx)

    async def begun(self, **config: object) -> Talk:
        """A session of a new agent."""
        agent = await self.agent(**config)
        return Talk(self, agent, await self.session(agent))


class Talk:
    """One session."""

    def __init__(self, asking: Asking, agent: str, session: str) -> None:
        self.asking, self.agent, self.session = asking, agent, session

    async def turn(self, *messages: str | Json, **more: object) -> Json:
        """A turn, whole."""
        answer = await self._create(messages, more)
        assert isinstance(answer, Answer), "no stream was asked for"
        return _turn(answer)

    async def stream(self, *messages: str | Json, **more: object) -> list[Json]:
        """The payloads of a turn's events."""
        return await _heard(await self._create(messages, {**more, "stream": True}))

    async def opened(self, *messages: str | Json) -> Events[AgentTurnChunk]:
        """A turn's stream, not read yet."""
        answer = await self._create(messages, {"stream": True})
        assert isinstance(answer, Events), "a stream was asked for"
        return answer

    async def resume(self, turn: str, *answers: Json) -> Json:
        answer = await self._resume(turn, answers, stream=False)
        assert isinstance(answer, Answer), "no stream was asked for"
        return _turn(answer)

    async def resume_stream(self, turn: str, *answers: Json) -> list[Json]:
        return await _heard(await self._resume(turn, answers, stream=True))

    async def shown(self, turn_ids: Sequence[str] | None = None) -> list[Json]:
        turns: list[Json] = (await self.asking.shown(self.agent, self.session, turn_ids))["turns"]
        return turns

    async def found(self, turn: str) -> Json:
        request = GetAgentTurnRequest(agent_id=self.agent, session_id=self.session, turn_id=turn)
        return _read(await self.asking.provider.get_agent_turn(request, self.asking.ctx))

    async def step(self, turn: str, step: str) -> Json:
        request = GetAgentStepRequest(agent_id=self.agent, session_id=self.session, turn_id=turn, step_id=step)
        found: Json = _read(await self.asking.provider.get_agent_step(request, self.asking.ctx))["step"]
        return found

    async def _create(
        self, messages: Sequence[str | Json], more: Mapping[str, object]
    ) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
        said = [user(each) if isinstance(each, str) else each for each in messages]
        body = {"agent_id": self.agent, "session_id": self.session, "messages": said, **more}
        request = CreateAgentTurnRequest.model_validate(body)
        return await self.asking.provider.create_agent_turn(request, self.asking.ctx)

    async def _resume(
        self, turn: str, answers: Sequence[Json], *, stream: bool
    ) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
        body = {"agent_id": self.agent, "session_id": self.session, "turn_id": turn, "tool_responses": list(answers)}
        request = ResumeAgentTurnRequest.model_validate({**body, "stream": stream})
        return await self.asking.provider.resume_agent_turn(request, self.asking.ctx)


def kinds(payloads: Sequence[Json]) -> list[str]:
    """What happened, deltas left out: `turn_start`, `inference+`, `inference-`, …"""
    signs = {"step_start": "+", "step_complete": "-"}
    told = [each for each in payloads if each["event_type"] != "step_progress"]
    return [str(each.get("step_type", each["event_type"])) + signs.get(each["event_type"], "") for each in told]


def deltas(payloads: Sequence[Json]) -> list[Json]:
    return [each["delta"] for each in payloads if each["event_type"] == "step_progress"]


def steps_of(turn: Json) -> list[str]:
    return [each["step_type"] for each in turn["steps"]]


def _read(answer: Any) -> Json:
    """What a client reads of it."""
    found: Json = from_json(to_json(answer, exclude_none=True))
    return found


def _turn(answer: Answer[AgentTurn]) -> Json:
    AgentTurn.model_validate_json(answer.body)
    turn: Json = from_json(answer.body)
    return turn


async def _heard(answer: Answer[AgentTurn] | Events[AgentTurnChunk]) -> list[Json]:
    assert isinstance(answer, Events), "a stream was asked for"
    assert not answer.done, "clients of agents take `[DONE]` for an event"
    found: list[Json] = []
    async for block in answer:
        for each in events(block):
            body = data(each)
            assert body is not None, "an event says something"
            AgentTurnChunk.model_validate_json(body)
            found.append(from_json(body)["event"]["payload"])
    check_nested(found)
    return found


def check_nested(payloads: Sequence[Json]) -> None:
    """Of steps one at a time is under way, and an end of the turn comes last."""
    under_way: str | None = None
    for each in payloads:
        kind, step = each["event_type"], each.get("step_id")
        if kind == "step_start":
            assert under_way is None, f"{step} began within {under_way}"
            under_way = step
        elif kind == "step_progress":
            assert step == under_way, f"more of {step}, which is not under way"
        elif kind == "step_complete":
            assert under_way in (step, None), f"{step} ended within {under_way}"
            assert each["step_details"]["step_id"] == step
            under_way = None
    ends = [each["event_type"] in ("turn_complete", "turn_awaiting_input") for each in payloads]
    assert ends == [*([False] * (len(ends) - 1)), True], "the turn's end is the last event"
