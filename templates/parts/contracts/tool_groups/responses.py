"""What the answers of the tool_groups API are made of.

Generated from apis/tool_groups.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from ..shared.tool_defs import McpEndpoint
from ..wire import WireModel


class ToolGroup(WireModel):
    """A tool group."""

    identifier: str
    """The name clients use."""
    provider_id: str
    """The instance that runs its tools."""
    provider_resource_id: str
    """The same as `identifier`."""
    type: Literal["tool_group"]
    """Always `tool_group`."""
    mcp_endpoint: McpEndpoint | None = None
    """The server that it is."""
    args: dict[str, Any] | None = None
    """What else was said of it."""


class ListToolGroupsResponse(WireModel):
    """Tool groups, all on one page."""

    data: list[ToolGroup]
