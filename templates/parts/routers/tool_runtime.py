"""Sends each call of a tool to the instance that runs it.

The table knows which group a tool is of; the request goes on with the group's id, its endpoint and the tool's own name:

    tool_runtime = ToolRuntimeRouter(table=tool_groups, tools={"tavily-search": tavily_search, …})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from ..runtime.context import Context

if TYPE_CHECKING:
    from ..contracts.shared.tool_defs import ListToolDefsResponse
    from ..contracts.tool_runtime import Tools
    from ..contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
    from ..contracts.tool_runtime.responses import ToolInvocationResult


class ToolTable(Protocol):
    """What the router asks of the table of tool groups."""

    async def route(self, request: InvokeToolRequest, ctx: Context) -> str:
        """The instance that runs the tool; the request names group, endpoint and tool as the instance knows them
        afterwards. Raises StackError.
        """

    async def tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        """The tools of one group, of one endpoint, or of all groups. Raises StackError."""


class ToolRuntimeRouter:
    """The tool runtime API over many instances."""

    def __init__(self, *, table: ToolTable, tools: Mapping[str, Tools]) -> None:
        self._table = table
        self._tools = tools

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        instance = await self._table.route(request, ctx)
        ctx.usage.instance = instance
        return await self._tools[instance].invoke_tool(request, ctx)

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        return await self._table.tools(request, ctx)
