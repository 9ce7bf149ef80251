"""What the requests of the tool_groups API are made of.

Generated from apis/tool_groups.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..shared.tool_defs import McpEndpoint
from ..wire import WireModel


class RegisterToolGroupRequest(WireModel):
    """A tool group to be registered."""

    toolgroup_id: Annotated[str, Field(max_length=512, min_length=1)]
    """The name clients use."""
    provider_id: Annotated[str, Field(min_length=1)]
    """The instance that runs its tools."""
    mcp_endpoint: McpEndpoint | None = None
    """For an instance that talks to servers: the server. Whoever may list the group sees the URL, so it holds no
    credential.
    """
    args: dict[str, Any] | None = None
    """What else is to be shown of it, at most 64 KiB."""


class ListToolGroupsRequest(WireModel):
    """List the tool groups."""


class GetToolGroupRequest(WireModel):
    """Describe one tool group."""

    toolgroup_id: str
    """The id; it may hold slashes."""


class UnregisterToolGroupRequest(WireModel):
    """Unregister a tool group."""

    toolgroup_id: str
    """The id; it may hold slashes."""


class ListToolsRequest(WireModel):
    """List the tools of a group, or of all."""

    toolgroup_id: str | None = None
    """The tool group; all of them if absent."""


class GetToolRequest(WireModel):
    """Describe one tool."""

    tool_name: str
    """Its name, or `group/name`."""
