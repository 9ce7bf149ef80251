"""What the model is told of a session: its turns as messages of a chat.

    user: …  →  assistant: calls c1, c2  →  tool c1: …  →  tool c2: …  →  assistant: …

Models' services refuse a chat in which a call is not answered by exactly one message right after it. So each call is
answered here, by what the tool said wherever that stands, or by a line that it was not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ...contracts.agents.requests import AgentToolMessage
from ...contracts.agents.responses import AgentInferenceStep, AgentToolExecutionStep
from ...runtime.errors import BadRequest
from .answers import blocked
from .content import parts_of, text_of

if TYPE_CHECKING:
    from ...contracts.agents.responses import AgentCompletionMessage, AgentToolCall, AgentTurn

Message: TypeAlias = dict[str, object]
"""A message of a chat, as JSON."""

NOT_RUN = "This tool was not run."


def chat_of(instructions: str, turns: Sequence[AgentTurn]) -> list[Message]:
    """The messages of a session, the last turn being the one that goes on. Raises BadRequest where a tool's message
    answers no call.
    """
    system: list[Message] = [{"role": "system", "content": instructions}] if instructions else []
    return [*system, *_settled([each for turn in turns for each in _messages(turn)])]


def _messages(turn: AgentTurn) -> Iterator[Message]:
    """A turn's. Of what a shield has stopped the model sees nothing: neither what was said nor what it said itself."""
    if blocked(turn) and not any(isinstance(each, AgentInferenceStep) for each in turn.steps):
        return
    for said in turn.input_messages:
        if isinstance(said, AgentToolMessage):
            yield _tool(said.call_id, text_of(said.content))
        else:
            yield {"role": "user", "content": parts_of(said.content, said.context)}
    if blocked(turn):
        yield {"role": "assistant", "content": text_of(turn.output_message.content)}
        return
    for step in turn.steps:
        if isinstance(step, AgentInferenceStep):
            yield _assistant(step.model_response)
        elif isinstance(step, AgentToolExecutionStep):
            for answer in step.tool_responses:
                yield _tool(answer.call_id, text_of(answer.content))


def _assistant(message: AgentCompletionMessage) -> Message:
    said: Message = {"role": "assistant", "content": text_of(message.content)}
    if message.tool_calls:
        said["tool_calls"] = [_call(each) for each in message.tool_calls]
    return said


def _call(call: AgentToolCall) -> Message:
    function = {"name": call.tool_name, "arguments": call.arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _tool(call_id: str, content: str) -> Message:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def _settled(messages: Sequence[Message]) -> list[Message]:
    """The same messages, each call's answer behind it."""
    settled: list[Message] = []
    # Where an answer belongs. Ids are the model's own, and some number their calls anew each time: the last one counts.
    places: dict[str, int] = {}
    for each in messages:
        if each["role"] == "tool":
            call_id = str(each["tool_call_id"])
            place = places.pop(call_id, None)
            if place is None:
                raise BadRequest(f"there is no call {call_id[:200]!r} that waits for an answer", param="messages")
            settled[place] = each
            continue
        settled.append(each)
        for call_id in _calls(each):
            places[call_id] = len(settled)
            settled.append(_tool(call_id, NOT_RUN))
    return settled


def _calls(message: Message) -> list[str]:
    calls = message.get("tool_calls")
    return [str(each["id"]) for each in calls] if isinstance(calls, list) else []
