"""What the requests of the agents API are made of.

Generated from apis/agents.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.content import ImageAddress, InterleavedContent
from ..shared.sampling import SamplingParams
from ..shared.tool_defs import ToolDef
from ..wire import WireModel


class AgentToolGroupWithArgs(WireModel):
    """A tool group, or a tool of it, with arguments that its tools are always called with."""

    name: str
    """The group's id, or `group/tool`."""
    args: dict[str, Any]
    """Arguments, which stand over what the model says."""


AgentTool: TypeAlias = str | AgentToolGroupWithArgs
"""A tool group by its id, or one of its tools as `group/tool`; or one of these with arguments."""


AgentToolChoice: TypeAlias = Literal["auto", "required", "none"]
"""`auto`: as the model likes. `required`: it calls one. `none`: it has none."""


AgentToolPromptFormat: TypeAlias = Literal["json", "function_tag", "python_list"]
"""How calls of tools are written."""


class AgentToolConfig(WireModel):
    """How tools are used."""

    tool_choice: AgentToolChoice | str | None = "auto"
    """Whether the model calls tools, or the name of the one that it calls. It is free again once it has called one."""
    tool_prompt_format: AgentToolPromptFormat | None = None
    """Taken and not looked at. How a model writes calls is known to what serves it."""
    system_message_behavior: Literal["append", "replace"] | None = "append"
    """`replace`: `{{function_definitions}}` in the instructions becomes the tools' definitions. `append`: the
    instructions are sent as they are.
    """


class AgentJsonSchemaFormat(WireModel):
    """JSON that fits a schema."""

    type: Literal["json_schema"]
    json_schema: dict[str, Any]
    """The JSON Schema; or OpenAI's object of `name` and `schema`."""


class AgentGrammarFormat(WireModel):
    """Text that fits a grammar."""

    type: Literal["grammar"]
    bnf: dict[str, Any]
    """The grammar."""


AgentResponseFormat: TypeAlias = Annotated[AgentJsonSchemaFormat | AgentGrammarFormat, Field(discriminator="type")]
"""A form that answers have."""


class AgentConfig(WireModel):
    """What an agent is."""

    model: Annotated[str, Field(min_length=1)]
    """The model that answers: an id from `/v1/models`."""
    instructions: str
    """What the model is told before each conversation."""
    name: str | None = None
    """What people call it."""
    sampling_params: SamplingParams | None = None
    """How the model chooses its words; its own way if absent."""
    input_shields: list[str] | None = None
    """Shields that judge what is said to it, by their ids."""
    output_shields: list[str] | None = None
    """Shields that judge its answers. Of a stream, the text has been sent by then."""
    toolgroups: list[AgentTool] | None = None
    """The server's tools that it may use."""
    client_tools: list[ToolDef] | None = None
    """Tools of the client. A turn waits where the model calls one."""
    tool_config: AgentToolConfig | None = None
    """How it uses tools."""
    tool_choice: AgentToolChoice | None = None
    """As that of `tool_config`, which counts where both are there."""
    tool_prompt_format: AgentToolPromptFormat | None = None
    """As that of `tool_config`."""
    max_infer_iters: Annotated[int | None, Field(ge=1)] = 10
    """The most times that a turn calls the model."""
    response_format: AgentResponseFormat | None = None
    """The form that its answers have."""
    enable_session_persistence: bool | None = False
    """Taken and not looked at, as sessions are always kept."""


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

    start_index: Annotated[int | None, Field(ge=0)] = 0
    """How many are left out at the beginning."""
    limit: Annotated[int | None, Field(ge=-1)] = None
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
    start_index: Annotated[int | None, Field(ge=0)] = 0
    """How many are left out at the beginning."""
    limit: Annotated[int | None, Field(ge=-1)] = None
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
