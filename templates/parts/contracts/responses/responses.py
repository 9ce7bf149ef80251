"""What the answers of the responses API are made of.

Generated from apis/responses.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.items import (
    ConversationInputItem,
    ConversationItem,
    OutputLogProb,
    OutputTextContent,
    ReasoningTextContent,
    RefusalContent,
    SummaryTextContent,
)
from ..shared.metadata import Metadata
from ..shared.tools import Tool
from ..wire import WireModel
from .requests import (
    ResponseConversation,
    ResponsePrompt,
    ResponseReasoning,
    ResponseServiceTier,
    ResponseTextParam,
    ResponseToolChoice,
)


class ResponseErrorObject(WireModel):
    """Why a response failed."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


ResponseError: TypeAlias = ResponseErrorObject | None
"""Why it is `failed`; null where it is not."""


class ResponseIncompleteReason(WireModel):
    """Why a response ended early."""

    reason: str | None = None
    """`max_output_tokens` or `content_filter`; `max_iterations_exceeded` where the model was asked as often as it may
    be.
    """


ResponseIncompleteDetails: TypeAlias = ResponseIncompleteReason | None
"""Why it is `incomplete`; null where it is not."""


class ResponseInputTokensDetails(WireModel):
    """What the read tokens were."""

    cached_tokens: int
    """Read from the prompt cache."""


class ResponseOutputTokensDetails(WireModel):
    """What the generated tokens were."""

    reasoning_tokens: int


class ResponseTokens(WireModel):
    """Tokens used."""

    input_tokens: int
    input_tokens_details: ResponseInputTokensDetails
    output_tokens: int
    output_tokens_details: ResponseOutputTokensDetails
    total_tokens: int


ResponseUsage: TypeAlias = ResponseTokens | None
"""Tokens of all that the model was asked; null until the response has ended, and where no provider said."""


class Response(WireModel):
    """What a model answered, with what was done on the way."""

    id: str
    """`resp_` and 48 hexadecimal digits."""
    object: Literal["response"]
    created_at: int
    """Unix time, seconds."""
    completed_at: int | None = None
    """Unix time, seconds; null unless it is `completed`."""
    status: Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"]
    error: ResponseError
    incomplete_details: ResponseIncompleteDetails
    model: str
    """The model as the request named it."""
    output: list[ConversationItem]
    """What was said and done, in its order."""
    output_text: str | None = None
    """Not sent: clients put it together from the output."""
    usage: ResponseUsage | None = None
    instructions: str | list[ConversationInputItem] | None
    """Those of the request."""
    previous_response_id: str | None = None
    conversation: ResponseConversation | None = None
    prompt: ResponsePrompt | None = None
    background: bool | None = None
    store: bool | None = None
    metadata: Metadata
    temperature: float | None
    top_p: float | None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_logprobs: int | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    parallel_tool_calls: bool
    tools: list[Tool]
    """Without the credentials that they were given."""
    tool_choice: ResponseToolChoice
    text: ResponseTextParam | None = None
    reasoning: ResponseReasoning | None = None
    truncation: Literal["auto", "disabled"] | None = None
    service_tier: ResponseServiceTier | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in-memory", "24h"] | None = None


class ResponseWithInput(WireModel):
    """A response, and what it answers."""

    input: list[ConversationItem]
    """What it answers."""
    id: str
    """`resp_` and 48 hexadecimal digits."""
    object: Literal["response"]
    created_at: int
    """Unix time, seconds."""
    completed_at: int | None = None
    """Unix time, seconds; null unless it is `completed`."""
    status: Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"]
    error: ResponseError
    incomplete_details: ResponseIncompleteDetails
    model: str
    """The model as the request named it."""
    output: list[ConversationItem]
    """What was said and done, in its order."""
    output_text: str | None = None
    """Not sent: clients put it together from the output."""
    usage: ResponseUsage | None = None
    instructions: str | list[ConversationInputItem] | None
    """Those of the request."""
    previous_response_id: str | None = None
    conversation: ResponseConversation | None = None
    prompt: ResponsePrompt | None = None
    background: bool | None = None
    store: bool | None = None
    metadata: Metadata
    temperature: float | None
    top_p: float | None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_logprobs: int | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    parallel_tool_calls: bool
    tools: list[Tool]
    """Without the credentials that they were given."""
    tool_choice: ResponseToolChoice
    text: ResponseTextParam | None = None
    reasoning: ResponseReasoning | None = None
    truncation: Literal["auto", "disabled"] | None = None
    service_tier: ResponseServiceTier | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in-memory", "24h"] | None = None


class ResponseDeleted(WireModel):
    """A response that is no more."""

    id: str
    object: Literal["response"]
    deleted: Literal[True]


class CompactedResponse(WireModel):
    """A conversation made short."""

    id: str
    object: Literal["response.compaction"]
    created_at: int
    """Unix time, seconds."""
    output: list[ConversationItem]
    """A `compaction`, whose content is for this server to read."""
    usage: ResponseTokens


class ResponseList(WireModel):
    """Responses that were kept."""

    object: Literal["list"]
    data: list[ResponseWithInput]
    first_id: str
    """The first id; empty where there is none."""
    last_id: str
    """The last id, for the next page's `after`; empty where there is none."""
    has_more: bool
    """Whether others follow."""


class ResponseItemList(WireModel):
    """What a response answers."""

    object: Literal["list"]
    data: list[ConversationItem]
    first_id: str
    """The first item's id; empty where there is none."""
    last_id: str
    """The last item's id, for the next page's `after`; empty where there is none."""
    has_more: bool
    """Whether more items come after these."""


class ResponseCreatedEvent(WireModel):
    """The response was begun."""

    type: Literal["response.created"]
    response: Response
    sequence_number: int


class ResponseQueuedEvent(WireModel):
    """It waits for its turn."""

    type: Literal["response.queued"]
    response: Response
    sequence_number: int


class ResponseInProgressEvent(WireModel):
    """It is being made."""

    type: Literal["response.in_progress"]
    response: Response
    sequence_number: int


class ResponseCompletedEvent(WireModel):
    """It is there."""

    type: Literal["response.completed"]
    response: Response
    sequence_number: int


class ResponseIncompleteEvent(WireModel):
    """It ended early."""

    type: Literal["response.incomplete"]
    response: Response
    sequence_number: int


class ResponseFailedEvent(WireModel):
    """It failed."""

    type: Literal["response.failed"]
    response: Response
    sequence_number: int


class ResponseErrorEvent(WireModel):
    """The stream cannot go on."""

    type: Literal["error"]
    code: str | None
    message: str
    param: str | None
    sequence_number: int


class ResponseOutputItemAddedEvent(WireModel):
    """An item of the output was begun."""

    type: Literal["response.output_item.added"]
    output_index: int
    item: ConversationItem
    sequence_number: int


class ResponseOutputItemDoneEvent(WireModel):
    """An item of the output is whole."""

    type: Literal["response.output_item.done"]
    output_index: int
    item: ConversationItem
    sequence_number: int


ResponseOutputContent: TypeAlias = Annotated[
    OutputTextContent | RefusalContent | ReasoningTextContent, Field(discriminator="type")
]
"""A part of what a model said."""


class ResponseContentPartAddedEvent(WireModel):
    """A part of an item was begun."""

    type: Literal["response.content_part.added"]
    item_id: str
    output_index: int
    content_index: int
    part: ResponseOutputContent
    sequence_number: int


class ResponseContentPartDoneEvent(WireModel):
    """A part of an item is whole."""

    type: Literal["response.content_part.done"]
    item_id: str
    output_index: int
    content_index: int
    part: ResponseOutputContent
    sequence_number: int


class ResponseTextDeltaEvent(WireModel):
    """The next piece of a text."""

    type: Literal["response.output_text.delta"]
    item_id: str
    output_index: int
    content_index: int
    delta: str
    logprobs: list[OutputLogProb]
    sequence_number: int


class ResponseTextDoneEvent(WireModel):
    """A text is whole."""

    type: Literal["response.output_text.done"]
    item_id: str
    output_index: int
    content_index: int
    text: str
    logprobs: list[OutputLogProb]
    sequence_number: int


class ResponseAnnotationAddedEvent(WireModel):
    """A text refers to something."""

    type: Literal["response.output_text.annotation.added"]
    item_id: str
    output_index: int
    content_index: int
    annotation_index: int
    annotation: dict[str, Any]
    sequence_number: int


class ResponseRefusalDeltaEvent(WireModel):
    """The next piece of a refusal."""

    type: Literal["response.refusal.delta"]
    item_id: str
    output_index: int
    content_index: int
    delta: str
    sequence_number: int


class ResponseRefusalDoneEvent(WireModel):
    """A refusal is whole."""

    type: Literal["response.refusal.done"]
    item_id: str
    output_index: int
    content_index: int
    refusal: str
    sequence_number: int


class ResponseReasoningTextDeltaEvent(WireModel):
    """The next piece of what the model thinks."""

    type: Literal["response.reasoning_text.delta"]
    item_id: str
    output_index: int
    content_index: int
    delta: str
    sequence_number: int


class ResponseReasoningTextDoneEvent(WireModel):
    """What the model thought is whole."""

    type: Literal["response.reasoning_text.done"]
    item_id: str
    output_index: int
    content_index: int
    text: str
    sequence_number: int


class ResponseReasoningSummaryPartAddedEvent(WireModel):
    """A part of a summary was begun."""

    type: Literal["response.reasoning_summary_part.added"]
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryTextContent
    sequence_number: int


class ResponseReasoningSummaryPartDoneEvent(WireModel):
    """A part of a summary is whole."""

    type: Literal["response.reasoning_summary_part.done"]
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryTextContent
    sequence_number: int


class ResponseReasoningSummaryTextDeltaEvent(WireModel):
    """The next piece of a summary."""

    type: Literal["response.reasoning_summary_text.delta"]
    item_id: str
    output_index: int
    summary_index: int
    delta: str
    sequence_number: int


class ResponseReasoningSummaryTextDoneEvent(WireModel):
    """A text of a summary is whole."""

    type: Literal["response.reasoning_summary_text.done"]
    item_id: str
    output_index: int
    summary_index: int
    text: str
    sequence_number: int


class ResponseFunctionArgumentsDeltaEvent(WireModel):
    """The next piece of a function's arguments."""

    type: Literal["response.function_call_arguments.delta"]
    item_id: str
    output_index: int
    delta: str
    sequence_number: int


class ResponseFunctionArgumentsDoneEvent(WireModel):
    """A function's arguments are whole."""

    type: Literal["response.function_call_arguments.done"]
    item_id: str
    output_index: int
    name: str
    arguments: str
    sequence_number: int


class ResponseCustomInputDeltaEvent(WireModel):
    """The next piece of a custom tool's input."""

    type: Literal["response.custom_tool_call_input.delta"]
    item_id: str
    output_index: int
    delta: str
    sequence_number: int


class ResponseCustomInputDoneEvent(WireModel):
    """A custom tool's input is whole."""

    type: Literal["response.custom_tool_call_input.done"]
    item_id: str
    output_index: int
    input: str
    sequence_number: int


class ResponseWebSearchInProgressEvent(WireModel):
    """A search of the web was begun."""

    type: Literal["response.web_search_call.in_progress"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseWebSearchSearchingEvent(WireModel):
    """A search of the web is under way."""

    type: Literal["response.web_search_call.searching"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseWebSearchCompletedEvent(WireModel):
    """A search of the web has ended."""

    type: Literal["response.web_search_call.completed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseFileSearchInProgressEvent(WireModel):
    """A search of files was begun."""

    type: Literal["response.file_search_call.in_progress"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseFileSearchSearchingEvent(WireModel):
    """A search of files is under way."""

    type: Literal["response.file_search_call.searching"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseFileSearchCompletedEvent(WireModel):
    """A search of files has ended."""

    type: Literal["response.file_search_call.completed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseMcpListToolsInProgressEvent(WireModel):
    """An MCP server is asked for its tools."""

    type: Literal["response.mcp_list_tools.in_progress"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseMcpListToolsCompletedEvent(WireModel):
    """An MCP server has said which tools it has."""

    type: Literal["response.mcp_list_tools.completed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseMcpListToolsFailedEvent(WireModel):
    """An MCP server did not say which tools it has."""

    type: Literal["response.mcp_list_tools.failed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseMcpCallInProgressEvent(WireModel):
    """A tool of an MCP server runs."""

    type: Literal["response.mcp_call.in_progress"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseMcpCallArgumentsDeltaEvent(WireModel):
    """The next piece of such a tool's arguments."""

    type: Literal["response.mcp_call_arguments.delta"]
    item_id: str
    output_index: int
    delta: str
    sequence_number: int


class ResponseMcpCallArgumentsDoneEvent(WireModel):
    """Such a tool's arguments are whole."""

    type: Literal["response.mcp_call_arguments.done"]
    item_id: str
    output_index: int
    arguments: str
    sequence_number: int


class ResponseMcpCallCompletedEvent(WireModel):
    """A tool of an MCP server has answered."""

    type: Literal["response.mcp_call.completed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseMcpCallFailedEvent(WireModel):
    """A tool of an MCP server has failed."""

    type: Literal["response.mcp_call.failed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseCodeInterpreterInProgressEvent(WireModel):
    """Code is about to be run."""

    type: Literal["response.code_interpreter_call.in_progress"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseCodeInterpreterInterpretingEvent(WireModel):
    """Code runs."""

    type: Literal["response.code_interpreter_call.interpreting"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseCodeInterpreterCompletedEvent(WireModel):
    """Code has been run."""

    type: Literal["response.code_interpreter_call.completed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseCodeDeltaEvent(WireModel):
    """The next piece of code."""

    type: Literal["response.code_interpreter_call_code.delta"]
    item_id: str
    output_index: int
    delta: str
    sequence_number: int


class ResponseCodeDoneEvent(WireModel):
    """The code is whole."""

    type: Literal["response.code_interpreter_call_code.done"]
    item_id: str
    output_index: int
    code: str
    sequence_number: int


class ResponseImageInProgressEvent(WireModel):
    """An image was begun."""

    type: Literal["response.image_generation_call.in_progress"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseImageGeneratingEvent(WireModel):
    """An image is being made."""

    type: Literal["response.image_generation_call.generating"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseImagePartialEvent(WireModel):
    """An image, as far as it is."""

    type: Literal["response.image_generation_call.partial_image"]
    item_id: str
    output_index: int
    partial_image_index: int
    partial_image_b64: str
    sequence_number: int


class ResponseImageCompletedEvent(WireModel):
    """An image is there."""

    type: Literal["response.image_generation_call.completed"]
    item_id: str
    output_index: int
    sequence_number: int


class ResponseAudioDeltaEvent(WireModel):
    """The next piece of what is spoken."""

    type: Literal["response.audio.delta"]
    delta: str
    sequence_number: int


class ResponseAudioDoneEvent(WireModel):
    """What is spoken is whole."""

    type: Literal["response.audio.done"]
    sequence_number: int


class ResponseAudioTranscriptDeltaEvent(WireModel):
    """The next piece of a transcript."""

    type: Literal["response.audio.transcript.delta"]
    delta: str
    sequence_number: int


class ResponseAudioTranscriptDoneEvent(WireModel):
    """A transcript is whole."""

    type: Literal["response.audio.transcript.done"]
    sequence_number: int


ResponseStreamEvent: TypeAlias = Annotated[
    ResponseCreatedEvent
    | ResponseQueuedEvent
    | ResponseInProgressEvent
    | ResponseCompletedEvent
    | ResponseIncompleteEvent
    | ResponseFailedEvent
    | ResponseErrorEvent
    | ResponseOutputItemAddedEvent
    | ResponseOutputItemDoneEvent
    | ResponseContentPartAddedEvent
    | ResponseContentPartDoneEvent
    | ResponseTextDeltaEvent
    | ResponseTextDoneEvent
    | ResponseAnnotationAddedEvent
    | ResponseRefusalDeltaEvent
    | ResponseRefusalDoneEvent
    | ResponseReasoningTextDeltaEvent
    | ResponseReasoningTextDoneEvent
    | ResponseReasoningSummaryPartAddedEvent
    | ResponseReasoningSummaryPartDoneEvent
    | ResponseReasoningSummaryTextDeltaEvent
    | ResponseReasoningSummaryTextDoneEvent
    | ResponseFunctionArgumentsDeltaEvent
    | ResponseFunctionArgumentsDoneEvent
    | ResponseCustomInputDeltaEvent
    | ResponseCustomInputDoneEvent
    | ResponseWebSearchInProgressEvent
    | ResponseWebSearchSearchingEvent
    | ResponseWebSearchCompletedEvent
    | ResponseFileSearchInProgressEvent
    | ResponseFileSearchSearchingEvent
    | ResponseFileSearchCompletedEvent
    | ResponseMcpListToolsInProgressEvent
    | ResponseMcpListToolsCompletedEvent
    | ResponseMcpListToolsFailedEvent
    | ResponseMcpCallInProgressEvent
    | ResponseMcpCallArgumentsDeltaEvent
    | ResponseMcpCallArgumentsDoneEvent
    | ResponseMcpCallCompletedEvent
    | ResponseMcpCallFailedEvent
    | ResponseCodeInterpreterInProgressEvent
    | ResponseCodeInterpreterInterpretingEvent
    | ResponseCodeInterpreterCompletedEvent
    | ResponseCodeDeltaEvent
    | ResponseCodeDoneEvent
    | ResponseImageInProgressEvent
    | ResponseImageGeneratingEvent
    | ResponseImagePartialEvent
    | ResponseImageCompletedEvent
    | ResponseAudioDeltaEvent
    | ResponseAudioDoneEvent
    | ResponseAudioTranscriptDeltaEvent
    | ResponseAudioTranscriptDoneEvent,
    Field(discriminator="type"),
]
"""What happens while a response is made."""
