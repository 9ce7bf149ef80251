"""What several APIs use.

Generated from apis/shared/tool-defs.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..wire import WireModel


class ToolParameter(WireModel):
    """One argument of a tool."""

    name: str
    """Its name."""
    parameter_type: str
    """Its type as in JSON Schema; `object` where that is more than a word."""
    description: str
    """What it is for; may be empty."""
    required: bool
    """Whether it must be given."""
    default: Any | None = None
    """What is meant where it is not given."""


class ToolDef(WireModel):
    """A tool that can be invoked, as Llama Stack's clients know it: older ones read `identifier` and `parameters`,
    newer ones `name` and `input_schema`.
    """

    name: str
    """What it is invoked by."""
    description: str | None = None
    """What it does."""
    toolgroup_id: str | None = None
    """The tool group that it is of."""
    input_schema: dict[str, Any] | None = None
    """The JSON Schema of its arguments."""
    output_schema: dict[str, Any] | None = None
    """The JSON Schema of what it answers, where it has one."""
    metadata: dict[str, Any] | None = None
    """What else is known of it."""
    identifier: str | None = None
    """The same as `name`."""
    type: Literal["tool"] | None = None
    """Always `tool`."""
    provider_id: str | None = None
    """The instance that runs it."""
    provider_resource_id: str | None = None
    """The same as `name`."""
    parameters: list[ToolParameter] | None = None
    """What `input_schema` says, argument by argument."""


class UnavailableTools(WireModel):
    """A tool group whose tools could not be listed."""

    toolgroup_id: str
    """The tool group."""
    message: str
    """Why not."""


class ListToolDefsResponse(WireModel):
    """Tools, all on one page."""

    data: list[ToolDef]
    unavailable: list[UnavailableTools] | None = None
    """Where all groups were asked: those that did not answer, whose tools are missing here."""


class McpEndpoint(WireModel):
    """Where a server of the Model Context Protocol is."""

    uri: Annotated[str, Field(max_length=2048, min_length=1)]
    """Its URL, http:// or https://."""
