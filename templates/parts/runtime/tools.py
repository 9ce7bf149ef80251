"""What the table of tool groups asks of an instance that runs tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .context import Context

if TYPE_CHECKING:
    from ..contracts.shared.tool_defs import ListToolDefsResponse
    from ..contracts.tool_runtime.requests import ListRuntimeToolsRequest


class ToolSource(Protocol):
    """The side of a tool provider that the table of tool groups sees.

    takes_endpoints: whether its groups are servers elsewhere, each known by its `mcp_endpoint`; then a request that is
        routed to it names one.
    """

    @property
    def takes_endpoints(self) -> bool: ...

    def check_endpoint(self, uri: str | None) -> None:
        """Raises a StackError where a client may not have a group with this endpoint, or without one."""

    async def offers(self, name: str, request: ListRuntimeToolsRequest, ctx: Context) -> bool:
        """Whether it has a tool of this name, as it was a moment ago; a list that lacks it is made anew first.

        Raises StackError where that cannot be told.
        """

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        """The tools, as they are now."""
