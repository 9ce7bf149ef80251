"""The Agents API: what its providers offer and the server calls.

Generated from apis/agents.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.reply import Answer, Events
    from .requests import (
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
    from .responses import (
        Agent,
        AgentCreated,
        AgentList,
        AgentSession,
        AgentSessionCreated,
        AgentSessionList,
        AgentStepResponse,
        AgentTurn,
        AgentTurnChunk,
    )


class Agents(Protocol):
    """Agents that answer in turns and use tools on the way: Llama Stack's API of its first two versions. An agent is a
    model with instructions and tools; a session is a conversation with it; a turn is what is said to it until it has
    answered; a step is one call of the model, a tool or a shield.
    """

    async def list_agents(self, request: ListAgentsRequest, ctx: Context) -> AgentList:
        """List the agents, oldest first."""

    async def create_agent(self, request: CreateAgentRequest, ctx: Context) -> AgentCreated:
        """Make an agent."""

    async def get_agent(self, request: GetAgentRequest, ctx: Context) -> Agent:
        """Describe an agent."""

    async def delete_agent(self, request: DeleteAgentRequest, ctx: Context) -> None:
        """Remove an agent with all its sessions."""

    async def list_agent_sessions(self, request: ListAgentSessionsRequest, ctx: Context) -> AgentSessionList:
        """List an agent's sessions, oldest first, without their turns."""

    async def create_agent_session(self, request: CreateAgentSessionRequest, ctx: Context) -> AgentSessionCreated:
        """Begin a session."""

    async def get_agent_session(self, request: GetAgentSessionRequest, ctx: Context) -> AgentSession:
        """Show a session with its turns."""

    async def delete_agent_session(self, request: DeleteAgentSessionRequest, ctx: Context) -> None:
        """Remove a session with its turns."""

    async def create_agent_turn(
        self, request: CreateAgentTurnRequest, ctx: Context
    ) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
        """Say something to an agent."""

    async def get_agent_turn(self, request: GetAgentTurnRequest, ctx: Context) -> AgentTurn:
        """Show a turn."""

    async def resume_agent_turn(
        self, request: ResumeAgentTurnRequest, ctx: Context
    ) -> Answer[AgentTurn] | Events[AgentTurnChunk]:
        """Give a turn the answers of the client's tools that it waits for."""

    async def get_agent_step(self, request: GetAgentStepRequest, ctx: Context) -> AgentStepResponse:
        """Show a step of a turn."""
