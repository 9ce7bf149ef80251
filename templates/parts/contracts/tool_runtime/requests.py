"""What the requests of the tool_runtime API are made of.

Generated from apis/tool_runtime.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..shared.tool_defs import McpEndpoint
from ..wire import WireModel


class InvokeToolRequest(WireModel):
    """A tool to be run. `tool_group_id` and `mcp_endpoint` are ours; Llama Stack's clients do not send them."""

    tool_name: Annotated[str, Field(max_length=1024, min_length=1)]
    """Its name, or `group/name`."""
    kwargs: dict[str, Any]
    """Its arguments."""
    authorization: Annotated[str | None, Field(max_length=16384)] = None
    """The token for the server that the tool is at; sent there as a bearer token, and kept nowhere."""
    tool_group_id: str | None = None
    """The group that the tool is of, where several have one of its name."""
    mcp_endpoint: McpEndpoint | None = None
    """The server that the tool is at, in place of a group."""


class ListRuntimeToolsRequest(WireModel):
    """List the tools of a group, of a server, or of all groups."""

    tool_group_id: str | None = None
    """The tool group to list; all of them if absent."""
    mcp_endpoint: McpEndpoint | None = None
    """A server to list in place of a tool group, as `mcp_endpoint[uri]=…`."""
    authorization: Annotated[str | None, Field(max_length=16384)] = None
    """The token for the server that is listed. A URL is more often logged than a header: better sent as `mcp_headers`
    in the provider-data header.
    """
