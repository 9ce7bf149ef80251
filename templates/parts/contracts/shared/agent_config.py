"""What several APIs use.

Generated from apis/shared/agent-config.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel
from .sampling import SamplingParams
from .tool_defs import ToolDef


class AgentToolGroupWithArgs(WireModel):
    """A tool group, or a tool of it, with arguments that its tools are always called with."""

    name: str
    """The group's id, or `group/tool`."""
    args: dict[str, Any]
    """Arguments, which stand over what the model says."""


AgentTool: TypeAlias = str | AgentToolGroupWithArgs
"""A tool group by its id, or one of its tools as `group/tool`; or one of these with arguments."""


AgentToolChoice: TypeAlias = Literal["auto", "required", "none"]
"""`auto`: as the model likes. `required`: it calls one. `none`: it has none."""


AgentToolPromptFormat: TypeAlias = Literal["json", "function_tag", "python_list"]
"""How calls of tools are written."""


class AgentToolConfig(WireModel):
    """How tools are used."""

    tool_choice: AgentToolChoice | str | None = "auto"
    """Whether the model calls tools, or the name of the one that it calls. It is free again once it has called one."""
    tool_prompt_format: AgentToolPromptFormat | None = None
    """Taken and not looked at. How a model writes calls is known to what serves it."""
    system_message_behavior: Literal["append", "replace"] | None = "append"
    """`replace`: `{{function_definitions}}` in the instructions becomes the tools' definitions. `append`: the
    instructions are sent as they are.
    """


class AgentJsonSchemaFormat(WireModel):
    """JSON that fits a schema."""

    type: Literal["json_schema"]
    json_schema: dict[str, Any]
    """The JSON Schema; or OpenAI's object of `name` and `schema`."""


class AgentGrammarFormat(WireModel):
    """Text that fits a grammar."""

    type: Literal["grammar"]
    bnf: dict[str, Any]
    """The grammar."""


AgentResponseFormat: TypeAlias = Annotated[AgentJsonSchemaFormat | AgentGrammarFormat, Field(discriminator="type")]
"""A form that answers have."""


class AgentConfig(WireModel):
    """What an agent is."""

    model: Annotated[str, Field(min_length=1)]
    """The model that answers: an id from `/v1/models`."""
    instructions: str
    """What the model is told before each conversation."""
    name: str | None = None
    """What people call it."""
    sampling_params: SamplingParams | None = None
    """How the model chooses its words; its own way if absent."""
    input_shields: list[str] | None = None
    """Shields that judge what is said to it, by their ids."""
    output_shields: list[str] | None = None
    """Shields that judge its answers. Of a stream, the text has been sent by then."""
    toolgroups: list[AgentTool] | None = None
    """The server's tools that it may use."""
    client_tools: list[ToolDef] | None = None
    """Tools of the client. A turn waits where the model calls one."""
    tool_config: AgentToolConfig | None = None
    """How it uses tools."""
    tool_choice: AgentToolChoice | None = None
    """As that of `tool_config`, which counts where both are there."""
    tool_prompt_format: AgentToolPromptFormat | None = None
    """As that of `tool_config`."""
    max_infer_iters: Annotated[int | None, Field(ge=1)] = 10
    """The most times that a turn calls the model."""
    response_format: AgentResponseFormat | None = None
    """The form that its answers have."""
    enable_session_persistence: bool | None = False
    """Taken and not looked at, as sessions are always kept."""
