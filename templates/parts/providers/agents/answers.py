"""What a turn answers in the end, where that is not what the model said last."""

from __future__ import annotations

from ...contracts.agents.responses import AgentCompletionMessage, AgentShieldCallStep, AgentTurn

BLOCKED = "This cannot be answered here: a shield does not let it pass."


def said_of(text: str) -> AgentCompletionMessage:
    return AgentCompletionMessage(role="assistant", content=text, stop_reason="end_of_turn", tool_calls=[])


def not_yet() -> AgentCompletionMessage:
    """Of a turn that has not answered, and of one that broke off before it did."""
    return AgentCompletionMessage(role="assistant", content="", stop_reason="end_of_message", tool_calls=[])


def without_calls(message: AgentCompletionMessage) -> AgentCompletionMessage:
    """An answer whose calls nobody will make."""
    if not message.tool_calls:
        return message
    stop = "end_of_turn" if message.stop_reason == "end_of_message" else message.stop_reason
    return message.model_copy(update={"tool_calls": [], "stop_reason": stop})


def blocked(turn: AgentTurn) -> bool:
    """Whether a shield has let something of the turn not pass."""
    return any(
        isinstance(each, AgentShieldCallStep)
        and each.violation is not None
        and each.violation.violation_level == "error"
        for each in turn.steps
    )
