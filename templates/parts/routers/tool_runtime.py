"""Sends each call of a tool to the instance that runs it.

The table knows which group a tool is of; the request goes on with the group's id, its endpoint and the tool's own name:

    tool_runtime = ToolRuntimeRouter(table=tool_groups, tools={"tavily-search": tavily_search, …}, rag={})

Documents go to the first instance that knows what to do with them: they name a vector store, which all see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from ..runtime.context import Context
from ..runtime.errors import BadRequest

if TYPE_CHECKING:
    from ..contracts.shared.tool_defs import ListToolDefsResponse
    from ..contracts.tool_runtime import Rag, Tools
    from ..contracts.tool_runtime.requests import (
        InsertDocumentsRequest,
        InvokeToolRequest,
        ListRuntimeToolsRequest,
        QueryDocumentsRequest,
    )
    from ..contracts.tool_runtime.responses import RAGQueryResult, ToolInvocationResult


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

    def __init__(self, *, table: ToolTable, tools: Mapping[str, Tools], rag: Mapping[str, Rag]) -> None:
        self._table = table
        self._tools = tools
        self._rag = rag

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        instance = await self._table.route(request, ctx)
        ctx.usage.instance = instance
        return await self._tools[instance].invoke_tool(request, ctx)

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        return await self._table.tools(request, ctx)

    async def insert_documents(self, request: InsertDocumentsRequest, ctx: Context) -> None:
        await self._first(ctx).insert_documents(request, ctx)

    async def query_documents(self, request: QueryDocumentsRequest, ctx: Context) -> RAGQueryResult:
        return await self._first(ctx).query_documents(request, ctx)

    def _first(self, ctx: Context) -> Rag:
        for name, instance in self._rag.items():
            ctx.usage.instance = name
            return instance
        raise BadRequest("no provider of tools here looks things up in documents", code="unsupported_operation")
