"""MCP servers that a request names: their tools, and calls of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ...contracts.shared.content import TextContentItem
from ...contracts.shared.tool_defs import McpEndpoint
from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from ...runtime.errors import BadRequest, StackError
from ...runtime.secret import Secret
from .script import Script

if TYPE_CHECKING:
    from ...contracts.shared.content import ContentItem
    from ...contracts.tool_runtime import Tools
    from ...runtime.context import Context

Item = dict[str, Any]
"""JSON."""

_HEADERS = "mcp_headers"
"""The name in the provider data by which providers of tools read headers for a server."""


@dataclass(slots=True)
class Server:
    """A server for one request. tool: as the request has it. by_default: whether its tools ask before they run, where
    that does not say. tools: those that the request allows, with name, description and input_schema.
    """

    tool: Item
    by_default: bool
    tools: list[Item]

    @property
    def label(self) -> str:
        label: str = self.tool["server_label"]
        return label

    def asks(self, tool: Item) -> bool:
        """Whether somebody has to allow each call of the tool."""
        rule = self.tool.get("require_approval")
        if rule is None or isinstance(rule, str):
            return self.by_default if rule is None else rule == "always"
        if _meant(rule.get("never"), tool):
            return False
        return True if _meant(rule.get("always"), tool) else self.by_default

    def allow(self, listed: Iterable[Item]) -> None:
        """Takes those of a server's tools that the request allows."""
        allowed = self.tool.get("allowed_tools")
        rule = {"tool_names": allowed} if isinstance(allowed, list) else allowed
        self.tools = [each for each in listed if rule is None or _meant(rule, each)]

    # ── at the server ───────────────────────────────────────────────────────────────────────────────────────────────

    async def list_tools(self, runtime: Tools, ctx: Context) -> list[Item]:
        """All that it has. Raises StackError."""
        request = ListRuntimeToolsRequest(authorization=self.tool.get("authorization"))
        if endpoint := self._endpoint():
            request.mcp_endpoint = endpoint
        else:
            request.tool_group_id = self.label
        listed = await runtime.list_runtime_tools(request, self._showing(ctx))
        found: list[Item] = []
        for each in listed.data:
            tool: Item = {
                "name": each.name,
                "description": each.description,
                "input_schema": each.input_schema or {"type": "object", "properties": {}},
                "annotations": (each.metadata or {}).get("annotations"),
            }
            found.append(tool)
        return found

    async def call(self, runtime: Tools, name: str, said: str, ctx: Context) -> tuple[str | None, str | None]:
        """What the tool gave, and why it failed; one of the two. said: JSON of its arguments."""
        try:
            arguments = from_json(said or "{}")
        except ValueError:
            return None, "the arguments are no JSON"
        if not isinstance(arguments, dict):
            return None, "the arguments are no JSON object"
        request = InvokeToolRequest(tool_name=name, kwargs=arguments, authorization=self.tool.get("authorization"))
        if endpoint := self._endpoint():
            request.mcp_endpoint = endpoint
        else:
            request.tool_group_id = self.label
        try:
            result = await runtime.invoke_tool(request, self._showing(ctx))
        except StackError as error:
            return None, error.message
        if result.error_code or result.error_message:
            return None, result.error_message or "the tool has failed"
        return text_of(result.content), None

    def _endpoint(self) -> McpEndpoint | None:
        """None for one that is a tool group of the server's, by its label."""
        if self.tool.get("connector_id"):
            message = f"tools: {self.label[:100]!r} is a connector of OpenAI's, which this server has not"
            raise BadRequest(message, code="unsupported_tool", param="tools")
        url = self.tool.get("server_url")
        return McpEndpoint(uri=url) if url else None

    def _showing(self, ctx: Context) -> Context:
        """The request's context, with the headers that it has for this server."""
        if not (headers := self.tool.get("headers")):
            return ctx
        known = ctx.provider_data.get(_HEADERS)
        by_url = from_json(known.reveal()) if known is not None else {}
        url = self.tool.get("server_url") or ""
        by_url[url] = {**(by_url.get(url) or {}), **headers}
        return replace(ctx, provider_data={**ctx.provider_data, _HEADERS: Secret(to_json(by_url).decode())})


def listing(server: Server, ids: Callable[[str], str], output: list[Item], script: Script) -> tuple[Item, int]:
    """The item that says what the server has, begun."""
    item: Item = {"type": "mcp_list_tools", "id": ids("mcpl"), "server_label": server.label, "tools": []}
    place = len(output)
    output.append(item)
    script.say("response.output_item.added", output_index=place, item=item)
    script.say("response.mcp_list_tools.in_progress", item_id=item["id"], output_index=place)
    return item, place


def listed(item: Item, place: int, script: Script, error: StackError | None = None) -> None:
    """The same, ended."""
    if error is not None:
        item["error"] = error.message
    state = "failed" if error is not None else "completed"
    script.say(f"response.mcp_list_tools.{state}", item_id=item["id"], output_index=place)
    script.say("response.output_item.done", output_index=place, item=item)


def known(server: Item, before: Iterable[Item], tools_before: Iterable[Item] | None) -> list[Item] | None:
    """The tools that a server had earlier in this conversation, None where it has to be asked.

    tools_before: the tools of the response before, where there is one: what was listed for another server, or for other
    tools of it, does not count.
    """
    if tools_before is not None and server not in tools_before:
        return None
    label = server["server_label"]
    for item in reversed(list(before)):
        if item["type"] == "mcp_list_tools" and item["server_label"] == label and not item.get("error"):
            tools: list[Item] = item["tools"]
            return tools
    return None


def text_of(content: str | ContentItem | list[ContentItem] | None) -> str:
    """What a tool gave, as a text: images are named, not shown."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = content if isinstance(content, list) else [content]
    return "\n".join(each.text if isinstance(each, TextContentItem) else "[an image]" for each in parts)


def _meant(rule: Item | None, tool: Item) -> bool:
    """Whether a filter means the tool."""
    if rule is None:
        return False
    names, read_only = rule.get("tool_names"), rule.get("read_only")
    if names is not None and tool["name"] not in names:
        return False
    hint = bool((tool.get("annotations") or {}).get("readOnlyHint"))
    return read_only is None or read_only == hint
