"""What a turn asks of the model: an agent's settings as a request of chat completions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ...contracts.shared.agent_config import AgentGrammarFormat, AgentTool, AgentToolConfig
from ...contracts.shared.sampling import TopKSamplingStrategy, TopPSamplingStrategy
from ...contracts.wire import WireModel
from ...runtime.context import Context
from ...runtime.errors import BadRequest

if TYPE_CHECKING:
    from ...contracts.shared.agent_config import AgentConfig, AgentResponseFormat
    from ...contracts.shared.sampling import SamplingParams
    from .messages import Message

_PLACE = "{{function_definitions}}"
_CHOICES = ("auto", "required", "none")
DEFAULT_ITERATIONS = 10


class Means(WireModel):
    """What the request of a turn says of tools, kept for when it is resumed."""

    toolgroups: list[AgentTool] | None = None
    tool_config: AgentToolConfig | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """choice: auto, required, none, or a tool's name. spelled_out: whether the instructions hold the definitions."""

    choice: str
    spelled_out: bool


def tool_use(agent: AgentConfig, turn: AgentToolConfig | None, tools: Collection[str]) -> ToolUse:
    """How tools are used in a turn that may have a rule of its own. Raises BadRequest for a tool that it has not."""
    rule = turn or agent.tool_config
    choice = (agent.tool_choice if rule is None else rule.tool_choice) or "auto"
    if choice not in (*_CHOICES, *tools):
        message = f"tool_choice: expected {', '.join((*_CHOICES, *tools))}; found {choice[:200]!r}"
        raise BadRequest(message, code="tool_not_found", param="tool_config.tool_choice")
    return ToolUse(choice, rule is not None and rule.system_message_behavior == "replace")


def checked(agent: AgentConfig) -> AgentConfig:
    """The same. Raises BadRequest for what no model can be asked."""
    if isinstance(agent.response_format, AgentGrammarFormat):
        message = "agent_config.response_format: chat completions have no grammars; expected type json_schema"
        raise BadRequest(message, code="unsupported_response_format", param="agent_config.response_format")
    return agent


def instructions_of(agent: AgentConfig, use: ToolUse, tools: Sequence[Message]) -> str:
    """What the model is told first."""
    if not use.spelled_out:
        return agent.instructions
    return agent.instructions.replace(_PLACE, to_json([each["function"] for each in tools], indent=2).decode())


def request_body(
    agent: AgentConfig, use: ToolUse, messages: Sequence[Message], tools: Sequence[Message], *, first: bool
) -> bytes:
    """The JSON of a request. first: whether the turn has not called the model before: what has to be called then is
    not to be called for ever.
    """
    body: dict[str, object] = {"model": agent.model, "messages": messages, "stream": True}
    if tools and use.choice != "none":
        body["tools"] = tools
        if first and use.choice != "auto":
            named = {"type": "function", "function": {"name": use.choice}}
            body["tool_choice"] = "required" if use.choice == "required" else named
    if agent.response_format is not None:
        body["response_format"] = _format(agent.response_format)
    if agent.sampling_params is not None:
        body |= _sampling(agent.sampling_params)
    return to_json(body)


def _format(wanted: AgentResponseFormat) -> dict[str, object]:
    if isinstance(wanted, AgentGrammarFormat):
        raise BadRequest("agent_config.response_format: expected type json_schema", param="response_format")
    given = wanted.json_schema
    named = isinstance(given.get("schema"), dict) and isinstance(given.get("name"), str)
    return {"type": "json_schema", "json_schema": given if named else {"name": "answer", "schema": given}}


def _sampling(params: SamplingParams) -> dict[str, object]:
    """Those that are set. `top_k` and `repetition_penalty` are not OpenAI's; services of open models know them."""
    strategy = params.strategy
    wanted: dict[str, object] = {}
    if isinstance(strategy, TopPSamplingStrategy):
        wanted |= {"temperature": strategy.temperature, "top_p": strategy.top_p}
    elif isinstance(strategy, TopKSamplingStrategy):
        wanted["top_k"] = strategy.top_k
    elif strategy is not None:
        wanted["temperature"] = 0.0
    wanted["max_tokens"] = params.max_tokens or None
    wanted["stop"] = params.stop or None
    wanted["repetition_penalty"] = params.repetition_penalty if params.repetition_penalty != 1 else None
    return {name: value for name, value in wanted.items() if value is not None}


# ── whose request it is ─────────────────────────────────────────────────────────────────────────────────────────────


def within(ctx: Context, body: bytes = b"") -> Context:
    """The context of a call that a turn makes: its caller's, with an account of its own."""
    return Context(
        request_id=ctx.request_id,
        body=body,
        provider_data=ctx.provider_data,
        principal=ctx.principal,
        attributes=ctx.attributes,
        trace=ctx.trace,
    )


def account(ctx: Context, used: Context) -> None:
    """Adds what a call of the model used to the account of the request."""
    usage, more = ctx.usage, used.usage
    usage.instance, usage.model = more.instance, more.model
    if more.prompt_tokens is not None:
        usage.prompt_tokens = (usage.prompt_tokens or 0) + more.prompt_tokens
    if more.completion_tokens is not None:
        usage.completion_tokens = (usage.completion_tokens or 0) + more.completion_tokens
