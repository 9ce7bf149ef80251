"""The tools of a turn: the client's, and those of the server's tool groups, which are run here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...contracts.agents.requests import AgentToolResponse
from ...contracts.agents.responses import AgentToolCall
from ...contracts.shared.agent_config import AgentToolGroupWithArgs
from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from ...runtime.errors import BadRequest, Forbidden, NotFound, StackError, Unauthenticated, Unavailable
from .asking import within
from .folding import arguments_of

if TYPE_CHECKING:
    from ...contracts.shared.agent_config import AgentConfig, AgentTool
    from ...contracts.shared.tool_defs import ToolDef
    from ...contracts.tool_runtime import Tools
    from ...runtime.context import Context
    from .messages import Message

_NOTHING: Mapping[str, object] = MappingProxyType({})
_RETRIEVING = {"builtin::rag": "knowledge_search", "builtin::file_search": "file_search"}
"""The tools that look into vector stores, by their groups."""
_STORES = ("vector_store_ids", "vector_db_ids")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. group: None for one of the client's. args: what it is always called with."""

    definition: ToolDef
    group: str | None = None
    args: Mapping[str, object] = field(default_factory=lambda: _NOTHING)

    def shown(self) -> Message:
        """As a request of chat completions has it."""
        function: Message = {"name": self.definition.name, "parameters": _parameters(self.definition)}
        if self.definition.description:
            function["description"] = self.definition.description
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Toolbox:
    """tools: by name. runtime: None where the server runs no tools."""

    tools: Mapping[str, Tool]
    runtime: Tools | None

    def shown(self) -> list[Message]:
        return [each.shown() for each in self.tools.values()]

    def of_client(self, call: AgentToolCall) -> bool:
        tool = self.tools.get(call.tool_name)
        return tool is not None and tool.group is None

    def stores_of(self, call: AgentToolCall) -> str | None:
        """The vector stores that a call looks into; None where it is no such call."""
        tool = self.tools.get(call.tool_name)
        if tool is None or tool.group is None or _RETRIEVING.get(tool.group) != call.tool_name:
            return None
        said = {**(arguments_of(call) or {}), **tool.args}
        named = next((said[each] for each in _STORES if said.get(each)), ())
        return ",".join(map(str, named)) if isinstance(named, list | tuple) else str(named)

    async def run(self, call: AgentToolCall, ctx: Context) -> AgentToolResponse:
        """What a tool of the server answers, or why it did not, for the model to read. Raises StackError where the
        caller's credentials are not accepted, of which a model knows nothing.
        """
        tool = self.tools.get(call.tool_name)
        if tool is None or tool.group is None or self.runtime is None:
            names = ", ".join(self.tools) or "none"
            return _answer(call, f"There is no tool {call.tool_name!r}. The tools are: {names}.", failed=True)
        arguments = arguments_of(call)
        if arguments is None:
            return _answer(call, "The arguments are no JSON object.", failed=True)
        request = InvokeToolRequest(
            tool_name=call.tool_name, kwargs={**arguments, **tool.args}, tool_group_id=tool.group
        )
        try:
            result = await self.runtime.invoke_tool(request, within(ctx))
        except (Unauthenticated, Forbidden):
            raise
        except StackError as error:
            return _answer(call, f"The tool could not be run: {error.message}", failed=True)
        if result.error_message or result.error_code:
            return _answer(call, f"The tool failed: {result.error_message or result.error_code}", failed=True)
        answer = AgentToolResponse(
            call_id=call.call_id, tool_name=call.tool_name, content=result.content if result.content is not None else ""
        )
        if result.metadata is not None:
            answer.metadata = result.metadata
        return answer


async def gathered(agent: AgentConfig, more: Sequence[AgentTool], runtime: Tools | None, ctx: Context) -> Toolbox:
    """The tools of a turn that may have more than the agent's. Raises StackError where they cannot be listed, or two
    have one name.
    """
    found = [Tool(each) for each in agent.client_tools or ()]
    for wanted in _once([*(agent.toolgroups or ()), *more]):
        if runtime is None:
            message = f"tool group {wanted.name[:200]!r}: this server runs no tools"
            raise Unavailable(message, code="tools_unavailable")
        found += await _listed(wanted, runtime, ctx)
    tools: dict[str, Tool] = {}
    for each in found:
        name = each.definition.name
        if name in tools:
            where = " and ".join(one.group or "the client" for one in (tools[name], each))
            message = f"there are two tools {name[:200]!r}, of {where}; name one as `group/tool`"
            raise BadRequest(message, code="ambiguous_tool", param="toolgroups")
        tools[name] = each
    return Toolbox(tools, runtime)


def _once(wanted: Iterable[AgentTool]) -> Iterable[AgentToolGroupWithArgs]:
    """Each of them by its name, as it was last wanted."""
    named = [AgentToolGroupWithArgs(name=each, args={}) if isinstance(each, str) else each for each in wanted]
    return {each.name: each for each in named}.values()


async def _listed(wanted: AgentToolGroupWithArgs, runtime: Tools, ctx: Context) -> list[Tool]:
    """The tools of a group, or the one of it that is named."""
    group, slash, name = wanted.name, "", ""
    try:
        listed = await runtime.list_runtime_tools(ListRuntimeToolsRequest(tool_group_id=group), within(ctx))
    except NotFound:
        group, slash, name = wanted.name.rpartition("/")
        if not (slash and group):
            raise
        listed = await runtime.list_runtime_tools(ListRuntimeToolsRequest(tool_group_id=group), within(ctx))
    tools = [Tool(each, group, wanted.args) for each in listed.data if not slash or each.name == name]
    if slash and not tools:
        message = f"tool group {group[:200]!r} has no tool {name[:200]!r}"
        raise NotFound(message, code="tool_not_found", param="toolgroups")
    return tools


def _answer(call: AgentToolCall, text: str, *, failed: bool) -> AgentToolResponse:
    answer = AgentToolResponse(call_id=call.call_id, tool_name=call.tool_name, content=text)
    if failed:
        answer.metadata = {"failed": True}
    return answer


def _parameters(tool: ToolDef) -> Mapping[str, object]:
    """The JSON Schema of a tool's arguments, which older clients tell argument by argument."""
    if tool.input_schema is not None:
        return tool.input_schema
    said = tool.parameters or ()
    properties: dict[str, object] = {}
    for each in said:
        properties[each.name] = {"type": _TYPES.get(each.parameter_type, each.parameter_type)}
        if each.description:
            properties[each.name] = {**properties[each.name], "description": each.description}  # type: ignore[dict-item]
    schema: dict[str, object] = {"type": "object", "properties": properties}
    if required := [each.name for each in said if each.required]:
        schema["required"] = required
    return schema


_TYPES = {"int": "integer", "float": "number", "str": "string", "bool": "boolean", "list": "array", "dict": "object"}
"""What Llama Stack's clients call types, by the annotations of Python's functions."""
