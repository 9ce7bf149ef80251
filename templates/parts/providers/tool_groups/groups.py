"""What a tool group is, and how groups and tools are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ...contracts.shared.tool_defs import McpEndpoint, ToolDef, ToolParameter
from ...contracts.tool_groups.responses import ToolGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResource:
    """uri: None where there is no server."""

    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolGroupResource:
    """A tool group of the distribution.

    toolgroup_id, provider_id: None (an empty slot) leaves it out.
    """

    toolgroup_id: str | None
    provider_id: str | None
    mcp_endpoint: EndpointResource = field(default_factory=EndpointResource)
    args: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A tool group. instance: what runs its tools. endpoint: the URL of its server, where it has one."""

    id: str
    instance: str
    endpoint: str | None
    args: Mapping[str, object]


def group_of(resource: ToolGroupResource) -> Group | None:
    """The group that the distribution declares; None where a slot of it is empty."""
    if not resource.toolgroup_id or not resource.provider_id:
        return None
    return Group(
        id=resource.toolgroup_id,
        instance=resource.provider_id,
        endpoint=resource.mcp_endpoint.uri,
        args=resource.args,
    )


def present(group: Group) -> ToolGroup:
    """A group as Llama Stack's clients know it."""
    shown = ToolGroup(identifier=group.id, provider_id=group.instance, provider_resource_id=group.id, type="tool_group")
    if group.endpoint is not None:
        shown.mcp_endpoint = McpEndpoint(uri=group.endpoint)
    if group.args:
        shown.args = dict(group.args)
    return shown


def present_tool(tool: ToolDef, instance: str, group: str | None) -> ToolDef:
    """A tool as every version of Llama Stack's clients knows it. group: None for one of a server that is in none."""
    shown = tool.model_copy()
    shown.identifier = shown.provider_resource_id = tool.name
    shown.type = "tool"
    shown.provider_id = instance
    shown.toolgroup_id = group or ""
    shown.description = tool.description or ""
    shown.parameters = list(_parameters(tool.input_schema or {}))
    return shown


def _parameters(schema: Mapping[str, object]) -> Iterator[ToolParameter]:
    properties, required = schema.get("properties"), schema.get("required")
    for name, rules in (properties if isinstance(properties, dict) else {}).items():
        said = rules if isinstance(rules, dict) else {}
        kind, text = said.get("type"), said.get("description")
        parameter = ToolParameter(
            name=name,
            parameter_type=kind if isinstance(kind, str) else "object",
            description=text if isinstance(text, str) else "",
            required=isinstance(required, list) and name in required,
        )
        if "default" in said:
            parameter.default = said["default"]
        yield parameter
