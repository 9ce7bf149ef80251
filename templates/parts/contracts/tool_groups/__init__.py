"""The ToolGroups API: what its providers offer and the server calls.

Generated from apis/tool_groups.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ..shared.tool_defs import ListToolDefsResponse, ToolDef
    from .requests import (
        GetToolGroupRequest,
        GetToolRequest,
        ListToolGroupsRequest,
        ListToolsRequest,
        RegisterToolGroupRequest,
        UnregisterToolGroupRequest,
    )
    from .responses import ListToolGroupsResponse, ToolGroup


class Listing(Protocol):
    """List the tool groups. Describe one tool group. List the tools of a group, or of all. Describe one tool."""

    async def list_tool_groups(self, request: ListToolGroupsRequest, ctx: Context) -> ListToolGroupsResponse:
        """List the tool groups."""

    async def get_tool_group(self, request: GetToolGroupRequest, ctx: Context) -> ToolGroup:
        """Describe one tool group."""

    async def list_tools(self, request: ListToolsRequest, ctx: Context) -> ListToolDefsResponse:
        """List the tools of a group, or of all."""

    async def get_tool(self, request: GetToolRequest, ctx: Context) -> ToolDef:
        """Describe one tool."""


class Registration(Protocol):
    """Register a tool group. Unregister a tool group."""

    async def register_tool_group(self, request: RegisterToolGroupRequest, ctx: Context) -> ToolGroup:
        """Register a tool group."""

    async def unregister_tool_group(self, request: UnregisterToolGroupRequest, ctx: Context) -> None:
        """Unregister a tool group."""


class ToolGroups(Listing, Registration, Protocol):
    """Which tools there are, by the groups that they are of: a group is an instance that runs tools, or one server of
    the Model Context Protocol that such an instance talks to. The wire format is that of all Llama Stack versions at
    once.
    """
