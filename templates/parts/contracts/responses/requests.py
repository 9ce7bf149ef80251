"""What the requests of the responses API are made of.

Generated from apis/responses.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.items import ConversationInputItem, InputFileContent, InputImageContent, InputTextContent, ItemInclude
from ..shared.metadata import Metadata
from ..shared.tools import Tool
from ..wire import WireModel

ResponseOrder: TypeAlias = Literal["asc", "desc"]
"""By age."""


ResponseInput: TypeAlias = str | list[ConversationInputItem] | None
"""What is to be answered: a text of the user, or items."""


class ResponseConversation(WireModel):
    """A conversation."""

    id: str


ResponseConversationParam: TypeAlias = str | ResponseConversation | None
"""The conversation that this is part of, by its id; input and output are added to it."""


ResponsePromptVariable: TypeAlias = str | InputTextContent | InputImageContent | InputFileContent
"""A text, an image or a file."""


class ResponsePromptTemplate(WireModel):
    """A prompt that was kept, and its variables."""

    id: str
    version: str | None = None
    """The default one if absent."""
    variables: dict[str, Any] | None = None
    """What stands in place of each variable."""


ResponsePrompt: TypeAlias = ResponsePromptTemplate | None
"""A prompt that was kept, and its variables."""


class ResponseStreamOptionsObject(WireModel):
    """Only with `stream`."""

    include_obfuscation: bool | None = None
    """Pad the events so that their sizes tell nothing; nothing is padded here."""


ResponseStreamOptions: TypeAlias = ResponseStreamOptionsObject | None
"""Only with `stream`."""


class ResponseToolChoiceAllowed(WireModel):
    """Only some of the tools."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


class ResponseToolChoiceFunction(WireModel):
    """Exactly this function."""

    type: Literal["function"]
    name: str


class ResponseToolChoiceMCP(WireModel):
    """A tool of this MCP server."""

    type: Literal["mcp"]
    server_label: str
    name: str | None = None


class ResponseToolChoiceCustom(WireModel):
    """Exactly this custom tool."""

    type: Literal["custom"]
    name: str


class ResponseToolChoicePatch(WireModel):
    """A change of files."""

    type: Literal["apply_patch"]


class ResponseToolChoiceShell(WireModel):
    """A command."""

    type: Literal["shell"]


class ResponseToolChoiceType(WireModel):
    """A tool that the server runs."""

    type: Literal[
        "file_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "computer",
        "computer_use",
        "computer_use_preview",
        "image_generation",
        "code_interpreter",
    ]


ResponseToolChoice: TypeAlias = (
    Literal["none", "auto", "required"]
    | ResponseToolChoiceAllowed
    | ResponseToolChoiceFunction
    | ResponseToolChoiceMCP
    | ResponseToolChoiceCustom
    | ResponseToolChoicePatch
    | ResponseToolChoiceShell
    | ResponseToolChoiceType
    | None
)
"""Whether the model has to call a tool, and which."""


class ResponsePlainText(WireModel):
    """Plain text."""

    type: Literal["text"]


class ResponseJsonSchema(WireModel):
    """JSON that fits a schema."""

    type: Literal["json_schema"]
    name: str
    description: str | None = None
    """What the answer is for; the model reads it."""
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    """JSON Schema."""
    strict: bool | None = None
    """Whether the answer must fit to the letter."""


class ResponseJsonObject(WireModel):
    """Some JSON object."""

    type: Literal["json_object"]


ResponseTextFormat: TypeAlias = Annotated[
    ResponsePlainText | ResponseJsonSchema | ResponseJsonObject, Field(discriminator="type")
]
"""Plain text, JSON, or JSON that fits a schema."""


class ResponseText(WireModel):
    """What the answer's text must be."""

    format: ResponseTextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    """How wordy it should be."""


ResponseTextParam: TypeAlias = ResponseText | None
"""What the answer's text must be."""


class ResponseReasoningOptions(WireModel):
    """How a model that reasons does it."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """How long it may think."""
    summary: Literal["auto", "concise", "detailed"] | None = None
    """How it sums up what it thought."""
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


ResponseReasoning: TypeAlias = ResponseReasoningOptions | None
"""How a model that reasons does it."""


class ResponseContextManagement(WireModel):
    """A way to keep a conversation short."""

    type: str
    compact_threshold: Annotated[int | None, Field(ge=1000)] = None
    """From how many tokens on."""


class ResponseGuardrail(WireModel):
    """A shield."""

    type: Annotated[str, Field(min_length=1)]
    """Its id, from `/v1/shields`."""


ResponseServiceTier: TypeAlias = Literal["auto", "default", "flex", "scale", "priority"] | None
"""The processing class at the provider."""


class CreateResponseRequest(WireModel):
    """What is to be answered, by whom, and with which tools."""

    model: str
    """Which model answers: an id from `/v1/models`."""
    input: ResponseInput | None = None
    instructions: str | None = None
    """What the model is told first; those of the response before do not go on."""
    previous_response_id: str | None = None
    """The response that this one goes on from; not with `conversation`."""
    conversation: ResponseConversationParam | None = None
    prompt: ResponsePrompt | None = None
    store: bool | None = None
    """Whether the response is kept, to be read or gone on from; it is unless this is false."""
    stream: bool | None = None
    """Send events while the response is made."""
    stream_options: ResponseStreamOptions | None = None
    background: bool | None = None
    """Answer at once, and make the response afterwards; not with `stream`. Keys that a client brings itself do not
    reach it.
    """
    include: list[ItemInclude] | None = None
    """What of the output is shown beyond the usual."""
    metadata: Metadata | None = None
    temperature: Annotated[float | None, Field(ge=0.0, le=2.0)] = None
    """Randomness of sampling; 0 is nearly none."""
    top_p: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    """Sample only from the likeliest tokens that together have this probability."""
    frequency_penalty: Annotated[float | None, Field(ge=-2.0, le=2.0)] = None
    """Above 0 makes a token less likely the more often it has occurred."""
    presence_penalty: Annotated[float | None, Field(ge=-2.0, le=2.0)] = None
    """Above 0 makes a token that has occurred at all less likely."""
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    """How many likely alternatives to give for each token."""
    max_output_tokens: Annotated[int | None, Field(ge=1)] = None
    """Most tokens to generate, reasoning and calls of tools included."""
    max_tool_calls: Annotated[int | None, Field(ge=1)] = None
    """Most calls of tools that the server runs; the model is told that further ones are skipped."""
    max_infer_iters: Annotated[int | None, Field(ge=1, le=100)] = None
    """How often the model is asked at most."""
    parallel_tool_calls: bool | None = None
    """Whether one answer of the model may hold several calls."""
    tools: list[Tool] | None = None
    """What the model may call."""
    tool_choice: ResponseToolChoice | None = None
    text: ResponseTextParam | None = None
    reasoning: ResponseReasoning | None = None
    truncation: Literal["auto", "disabled"] | None = None
    """What becomes of a conversation that is too long for the model: with `auto` its oldest items are left out."""
    context_management: Annotated[list[ResponseContextManagement] | None, Field(min_length=1)] = None
    """How a conversation is kept short."""
    guardrails: list[str | ResponseGuardrail] | None = None
    """The shields that judge what goes in and what comes out."""
    service_tier: ResponseServiceTier | None = None
    user: str | None = None
    safety_identifier: Annotated[str | None, Field(max_length=64)] = None
    """Who uses the application, as it tells them apart."""
    prompt_cache_key: str | None = None
    """What requests with a like beginning have in common."""
    prompt_cache_retention: Literal["in-memory", "24h"] | None = None
    """How long a service may remember a beginning."""


class CompactResponseRequest(WireModel):
    """A conversation, and who sums it up."""

    model: str
    """Which model sums it up: an id from `/v1/models`."""
    input: ResponseInput | None = None
    previous_response_id: str | None = None
    """The response up to which the conversation goes."""
    instructions: str | None = None
    """What the model is told first."""
    prompt_cache_key: Annotated[str | None, Field(max_length=64)] = None
    """What requests with a like beginning have in common."""


class ListResponsesRequest(WireModel):
    """List the responses that were kept."""

    model: str | None = None
    """Only those of this model, as the request named it."""
    after: str | None = None
    """The last id of the page before."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 50
    """How many to give at most."""
    order: ResponseOrder | None = None
    """The newest first unless told otherwise."""


class GetResponseRequest(WireModel):
    """Read a response that was kept."""

    response_id: str
    """The response's id."""
    include: list[ItemInclude] | None = None
    """What of an item is shown beyond the usual."""
    stream: bool | None = None
    """Not here: events are not kept."""
    starting_after: Annotated[int | None, Field(ge=0)] = None
    """Only with `stream`."""
    include_obfuscation: bool | None = None
    """Only with `stream`."""


class DeleteResponseRequest(WireModel):
    """Remove a response that was kept."""

    response_id: str
    """The response's id."""


class CancelResponseRequest(WireModel):
    """Stop a response in the background."""

    response_id: str
    """The response's id."""


class ListResponseInputItemsRequest(WireModel):
    """List what a response answers."""

    response_id: str
    """The response's id."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """Most items of a page."""
    order: ResponseOrder | None = None
    """The last item first unless told otherwise."""
    after: str | None = None
    """The id of the item before the page's first."""
    before: str | None = None
    """The id of the item after the page's last."""
    include: list[ItemInclude] | None = None
    """What of an item is shown beyond the usual."""
