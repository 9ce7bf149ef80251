"""What the requests of the agents API are made of.

Generated from apis/agents.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.agent_config import AgentConfig, AgentTool, AgentToolConfig
from ..shared.content import ImageAddress, InterleavedContent
from ..wire import WireModel


class CreateAgentRequest(WireModel):
    """An agent to be made."""

    agent_config: AgentConfig


class CreateAgentSessionBody(WireModel):
    """A session to be begun."""

    session_name: str
    """What people call it."""


class AgentUserMessage(WireModel):
    """What a user says."""

    role: Literal["user"]
    content: InterleavedContent
    context: InterleavedContent | None = None
    """What the model reads after it."""


class AgentToolMessage(WireModel):
    """What a tool answered."""

    role: Literal["tool"]
    call_id: str
    """The call that it answers."""
    content: InterleavedContent


AgentInputMessage: TypeAlias = Annotated[AgentUserMessage | AgentToolMessage, Field(discriminator="role")]
"""What a user or a tool says."""


class AgentToolResponse(WireModel):
    """What a tool answered."""

    call_id: str
    """The call that it answers."""
    tool_name: str
    """The tool."""
    content: InterleavedContent
    metadata: dict[str, Any] | None = None
    """What else it said, which the model does not read."""


class AgentDocument(WireModel):
    """Something to read."""

    content: InterleavedContent | ImageAddress
    """The document itself. A URL has to be a data: URL of text, as the server fetches nothing."""
    mime_type: str
    """Its media type."""


class CreateAgentTurnBody(WireModel):
    """What is said to an agent."""

    messages: Annotated[list[AgentInputMessage], Field(min_length=1)]
    """What is said, in its order."""
    stream: bool | None = None
    """Send the turn as server-sent events while it goes on."""
    documents: list[AgentDocument] | None = None
    """What the model is to read with the last message."""
    toolgroups: list[AgentTool] | None = None
    """Tools for this turn beside the agent's own."""
    tool_config: AgentToolConfig | None = None
    """How tools are used in this turn; as the agent has it if absent."""


class ResumeAgentTurnBody(WireModel):
    """What the client's tools answered."""

    tool_responses: list[AgentToolResponse]
    """One for each call that the turn waits for."""
    stream: bool | None = None
    """Send the rest of the turn as server-sent events."""


class ListAgentsRequest(WireModel):
    """List the agents, oldest first."""

    start_index: Annotated[int | None, Field(ge=0, le=2147483647)] = 0
    """How many are left out at the beginning."""
    limit: Annotated[int | None, Field(ge=-1, le=2147483646)] = None
    """The most that are wanted; all of them if absent or -1."""


class GetAgentRequest(WireModel):
    """Describe an agent."""

    agent_id: str
    """The agent's id."""


class DeleteAgentRequest(WireModel):
    """Remove an agent with all its sessions."""

    agent_id: str
    """The agent's id."""


class ListAgentSessionsRequest(WireModel):
    """List an agent's sessions, oldest first, without their turns."""

    agent_id: str
    """The agent's id."""
    start_index: Annotated[int | None, Field(ge=0, le=2147483647)] = 0
    """How many are left out at the beginning."""
    limit: Annotated[int | None, Field(ge=-1, le=2147483646)] = None
    """The most that are wanted; all of them if absent or -1."""


class CreateAgentSessionRequest(CreateAgentSessionBody):
    """Begin a session."""

    agent_id: str
    """The agent's id."""


class GetAgentSessionRequest(WireModel):
    """Show a session with its turns."""

    agent_id: str
    """The agent's id."""
    session_id: str
    """The session's id."""
    turn_ids: list[str] | None = None
    """Which turns are shown; all of them if absent."""


class DeleteAgentSessionRequest(WireModel):
    """Remove a session with its turns."""

    agent_id: str
    """The agent's id."""
    session_id: str
    """The session's id."""


class CreateAgentTurnRequest(CreateAgentTurnBody):
    """Say something to an agent."""

    agent_id: str
    """The agent's id."""
    session_id: str
    """The session's id."""


class GetAgentTurnRequest(WireModel):
    """Show a turn."""

    agent_id: str
    """The agent's id."""
    session_id: str
    """The session's id."""
    turn_id: str
    """The turn's id."""


class ResumeAgentTurnRequest(ResumeAgentTurnBody):
    """Give a turn the answers of the client's tools that it waits for."""

    agent_id: str
    """The agent's id."""
    session_id: str
    """The session's id."""
    turn_id: str
    """The turn's id."""


class GetAgentStepRequest(WireModel):
    """Show a step of a turn."""

    agent_id: str
    """The agent's id."""
    session_id: str
    """The session's id."""
    turn_id: str
    """The turn's id."""
    step_id: str
    """The step's id."""
