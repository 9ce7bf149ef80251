"""What the answers of the agents API are made of.

Generated from apis/agents.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ..shared.agent_config import AgentConfig
from ..shared.content import InterleavedContent
from ..shared.violation import SafetyViolation
from ..wire import WireModel
from .requests import AgentDocument, AgentInputMessage, AgentToolResponse


class AgentCreated(WireModel):
    """An agent that was made."""

    agent_id: str
    """Its id."""


class Agent(WireModel):
    """An agent."""

    agent_id: str
    """Its id."""
    agent_config: AgentConfig
    created_at: AwareDatetime
    """When it was made."""


class AgentList(WireModel):
    """Agents."""

    data: list[Agent]
    has_more: bool
    """Whether there are more after these."""
    url: str | None = None
    """Where the list is."""


class AgentSessionCreated(WireModel):
    """A session that was begun."""

    session_id: str
    """Its id."""


class AgentToolCall(WireModel):
    """A call of a tool."""

    call_id: str
    """Its id."""
    tool_name: str
    """The tool."""
    arguments: str
    """Its arguments, an object as JSON text; as the model wrote it, which may be wrong."""
    arguments_json: str | None = None
    """The same, where Llama Stack's first clients look for it."""


class AgentCompletionMessage(WireModel):
    """What the model says."""

    role: Literal["assistant"]
    content: InterleavedContent
    stop_reason: Literal["end_of_turn", "end_of_message", "out_of_tokens"]
    """Why it ended. `end_of_message`: there is more to come; `out_of_tokens`: it was cut off."""
    tool_calls: list[AgentToolCall] | None = None
    """The calls of tools that it asks for."""


class AgentInferenceStep(WireModel):
    """The model was called."""

    turn_id: str
    """The turn that it is of."""
    step_id: str
    """Its id."""
    started_at: AwareDatetime | None = None
    """When it began."""
    completed_at: AwareDatetime | None = None
    """When it ended."""
    step_type: Literal["inference"]
    model_response: AgentCompletionMessage


class AgentToolExecutionStep(WireModel):
    """Tools were run, by the server or the client."""

    turn_id: str
    """The turn that it is of."""
    step_id: str
    """Its id."""
    started_at: AwareDatetime | None = None
    """When it began."""
    completed_at: AwareDatetime | None = None
    """When it ended."""
    step_type: Literal["tool_execution"]
    tool_calls: list[AgentToolCall]
    """The calls."""
    tool_responses: list[AgentToolResponse]
    """Their answers."""


class AgentShieldCallStep(WireModel):
    """Shields judged what was said."""

    turn_id: str
    """The turn that it is of."""
    step_id: str
    """Its id."""
    started_at: AwareDatetime | None = None
    """When it began."""
    completed_at: AwareDatetime | None = None
    """When it ended."""
    step_type: Literal["shield_call"]
    violation: SafetyViolation | None = None
    """What they found."""


class AgentMemoryRetrievalStep(WireModel):
    """Documents were searched."""

    turn_id: str
    """The turn that it is of."""
    step_id: str
    """Its id."""
    started_at: AwareDatetime | None = None
    """When it began."""
    completed_at: AwareDatetime | None = None
    """When it ended."""
    step_type: Literal["memory_retrieval"]
    vector_db_ids: str
    """The vector stores, joined by commas."""
    inserted_context: InterleavedContent


AgentStep: TypeAlias = Annotated[
    AgentInferenceStep | AgentToolExecutionStep | AgentShieldCallStep | AgentMemoryRetrievalStep,
    Field(discriminator="step_type"),
]
"""One thing that was done in a turn."""


class AgentTurn(WireModel):
    """What was said to an agent, and what it did and answered."""

    turn_id: str
    """Its id."""
    session_id: str
    """The session that it is of."""
    input_messages: list[AgentInputMessage]
    """What was said."""
    steps: list[AgentStep]
    """What was done, in its order."""
    output_message: AgentCompletionMessage
    output_attachments: list[AgentDocument] | None = None
    """Files of the answer."""
    started_at: AwareDatetime
    """When it began."""
    completed_at: AwareDatetime | None = None
    """When it ended; absent where it has not, or broke off."""


class AgentSession(WireModel):
    """A session."""

    session_id: str
    """Its id."""
    session_name: str
    """What people call it."""
    turns: list[AgentTurn]
    """Its turns, oldest first; none in a list."""
    started_at: AwareDatetime
    """When it began."""


class AgentSessionList(WireModel):
    """Sessions."""

    data: list[AgentSession]
    has_more: bool
    """Whether there are more after these."""
    url: str | None = None
    """Where the list is."""


class AgentStepResponse(WireModel):
    """A step."""

    step: AgentStep


AgentStepType: TypeAlias = Literal["inference", "tool_execution", "shield_call", "memory_retrieval"]
"""What kind of step it is."""


class AgentStepStart(WireModel):
    """A step began."""

    event_type: Literal["step_start"]
    step_type: AgentStepType
    step_id: str
    """The step's id."""
    metadata: dict[str, Any] | None = None
    """What else is known of it."""


class AgentTextDelta(WireModel):
    """More text."""

    type: Literal["text"]
    text: str
    """The text."""


class AgentImageDelta(WireModel):
    """An image."""

    type: Literal["image"]
    image: str
    """The image, in base64."""


class AgentToolCallDelta(WireModel):
    """More of a call of a tool."""

    type: Literal["tool_call"]
    tool_call: str | AgentToolCall
    """More of the arguments' text, or the whole call."""
    parse_status: Literal["started", "in_progress", "failed", "succeeded"]
    """How far it is. `failed`: the arguments are no JSON object."""


AgentDelta: TypeAlias = Annotated[AgentTextDelta | AgentImageDelta | AgentToolCallDelta, Field(discriminator="type")]
"""What a step added."""


class AgentStepProgress(WireModel):
    """A step went on."""

    event_type: Literal["step_progress"]
    step_type: AgentStepType
    step_id: str
    """The step's id."""
    delta: AgentDelta


class AgentStepComplete(WireModel):
    """A step ended."""

    event_type: Literal["step_complete"]
    step_type: AgentStepType
    step_id: str
    """The step's id."""
    step_details: AgentStep


class AgentTurnStart(WireModel):
    """The turn began."""

    event_type: Literal["turn_start"]
    turn_id: str
    """The turn's id."""


class AgentTurnComplete(WireModel):
    """The turn ended."""

    event_type: Literal["turn_complete"]
    turn: AgentTurn


class AgentTurnAwaitingInput(WireModel):
    """The turn waits for answers of the client's tools."""

    event_type: Literal["turn_awaiting_input"]
    turn: AgentTurn


AgentTurnPayload: TypeAlias = Annotated[
    AgentStepStart
    | AgentStepProgress
    | AgentStepComplete
    | AgentTurnStart
    | AgentTurnComplete
    | AgentTurnAwaitingInput,
    Field(discriminator="event_type"),
]
"""What happened."""


class AgentTurnEvent(WireModel):
    """Something happened."""

    payload: AgentTurnPayload


class AgentTurnChunk(WireModel):
    """One event of a turn."""

    event: AgentTurnEvent
