"""The ToolRuntime API: what its providers offer and the server calls.

Generated from apis/tool_runtime.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ..shared.tool_defs import ListToolDefsResponse
    from .requests import InsertDocumentsRequest, InvokeToolRequest, ListRuntimeToolsRequest, QueryDocumentsRequest
    from .responses import RAGQueryResult, ToolInvocationResult


class Tools(Protocol):
    """Run a tool. List the tools of a group, of a server, or of all groups."""

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        """Run a tool."""

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        """List the tools of a group, of a server, or of all groups."""


class Rag(Protocol):
    """Put documents into a vector store. Find what helps to answer something, put so that a model can be given it."""

    async def insert_documents(self, request: InsertDocumentsRequest, ctx: Context) -> None:
        """Put documents into a vector store."""

    async def query_documents(self, request: QueryDocumentsRequest, ctx: Context) -> RAGQueryResult:
        """Find what helps to answer something, put so that a model can be given it."""


class ToolRuntime(Tools, Rag, Protocol):
    """Tools, listed and run; the wire format is Llama Stack's. A tool is known by its name, or by its group's and its
    own, `group/name`. Of tools of one name the first is meant, in the distribution's order and then in that of
    registration.
    """
