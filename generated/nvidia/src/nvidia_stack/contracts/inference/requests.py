"""What the requests of the inference API are made of.

Generated from apis/inference.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.chat_messages import (
    ChatCompletionRequestMessage,
    ChatCompletionRequestMessageContentPartImage,
    ChatCompletionRequestMessageContentPartText,
    ChatCompletionTextContent,
)
from ..wire import WireModel


class ChatCompletionStreamOptions(WireModel):
    """Only with `stream`."""

    include_usage: bool | None = None
    """End the stream with one more chunk, without choices, that has `usage`."""
    include_obfuscation: bool | None = None
    """Pad the chunks so that their sizes tell nothing."""


StopSequences: TypeAlias = Annotated[list[str], Field(max_length=4, min_length=1)]


StopConfiguration: TypeAlias = str | StopSequences | None
"""Where to stop: the answer ends before any of these texts."""


class ResponseFormatText(WireModel):
    """Plain text."""

    type: Literal["text"]


class NamedJsonSchema(WireModel):
    """A JSON Schema and what it is called."""

    name: str
    description: str | None = None
    """What the answer is for; the model reads it."""
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None
    """Whether the answer must fit to the letter."""


class ResponseFormatJsonSchema(WireModel):
    """JSON that fits a schema."""

    type: Literal["json_schema"]
    json_schema: NamedJsonSchema


class ResponseFormatJsonObject(WireModel):
    """Some JSON object."""

    type: Literal["json_object"]


class FunctionObject(WireModel):
    """A function as the model sees it."""

    name: str
    description: str | None = None
    """When and how to call it."""
    parameters: dict[str, Any] | None = None
    """JSON Schema of the arguments."""
    strict: bool | None = None
    """Whether the arguments must fit to the letter."""


class ChatCompletionTool(WireModel):
    """A function the model may call."""

    type: Literal["function"]
    function: FunctionObject


class CustomToolTextFormat(WireModel):
    """Any text."""

    type: Literal["text"]


class Grammar(WireModel):
    """A grammar and its notation."""

    definition: str
    syntax: Literal["lark", "regex"]


class CustomToolGrammarFormat(WireModel):
    """Text that fits a grammar."""

    type: Literal["grammar"]
    grammar: Grammar


class CustomTool(WireModel):
    """A free-text tool as the model sees it."""

    name: str
    description: str | None = None
    """When and how to call it."""
    format: Annotated[CustomToolTextFormat | CustomToolGrammarFormat | None, Field(discriminator="type")] = None
    """What the input must be."""


class CustomToolChatCompletions(WireModel):
    """A tool that takes free text."""

    type: Literal["custom"]
    custom: CustomTool


class ServiceTool(WireModel):
    """A tool that the provider itself runs, such as Groq's `browser_search`; the provider checks the rest of it."""

    type: Annotated[str, Field(pattern="^([^cf]|c[^u]|f[^u])")]


class ChatCompletionAllowedTools(WireModel):
    """The tools that may be called, and whether one must be."""

    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


class ChatCompletionAllowedToolsChoice(WireModel):
    """Only some of the tools."""

    type: Literal["allowed_tools"]
    allowed_tools: ChatCompletionAllowedTools


class ChatCompletionFunctionCallOption(WireModel):
    """A tool by name."""

    name: str


class ChatCompletionNamedToolChoice(WireModel):
    """Exactly this function."""

    type: Literal["function"]
    function: ChatCompletionFunctionCallOption


class ChatCompletionNamedToolChoiceCustom(WireModel):
    """Exactly this free-text tool."""

    type: Literal["custom"]
    custom: ChatCompletionFunctionCallOption


ChatCompletionToolChoice: TypeAlias = Annotated[
    ChatCompletionAllowedToolsChoice | ChatCompletionNamedToolChoice | ChatCompletionNamedToolChoiceCustom,
    Field(discriminator="type"),
]
"""Which tools."""


ChatCompletionToolChoiceOption: TypeAlias = Literal["none", "auto", "required"] | ChatCompletionToolChoice
"""Whether tools are called, and which."""


class ChatCompletionFunctions(WireModel):
    """Older form of a function tool."""

    name: str
    description: str | None = None
    """When and how to call it."""
    parameters: dict[str, Any] | None = None
    """JSON Schema of the arguments."""


class CustomVoice(WireModel):
    """A voice by id."""

    id: str


class ChatCompletionAudioParameters(WireModel):
    """How spoken output should sound."""

    voice: str | CustomVoice
    """A voice's name, or a voice of your own."""
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]


class PredictionContent(WireModel):
    """Text of which much is expected to come back unchanged."""

    type: Literal["content"]
    content: ChatCompletionTextContent


class WebSearchLocation(WireModel):
    """A place."""

    country: str | None = None
    """Two letters, ISO 3166-1."""
    region: str | None = None
    city: str | None = None
    timezone: str | None = None
    """IANA name, e.g. Europe/Paris."""


class ApproximateLocation(WireModel):
    """Roughly where the user is."""

    type: Literal["approximate"]
    approximate: WebSearchLocation


class WebSearchOptions(WireModel):
    """How a model that searches the web should do so."""

    user_location: ApproximateLocation | None = None
    search_context_size: Literal["low", "medium", "high"] | None = None
    """How much of the results the model reads."""


class CreateChatCompletionRequest(WireModel):
    """A conversation, and how to answer it."""

    model: str
    """Which model answers: an id from `/v1/models`."""
    messages: Annotated[list[ChatCompletionRequestMessage], Field(min_length=1)]
    """The conversation so far, oldest message first."""
    stream: bool | None = None
    """Send the answer piece by piece as server-sent events."""
    stream_options: ChatCompletionStreamOptions | None = None
    max_completion_tokens: int | None = None
    """Most tokens to generate, reasoning included."""
    max_tokens: int | None = None
    """Older name of `max_completion_tokens`."""
    temperature: Annotated[float | None, Field(ge=0.0, le=2.0)] = None
    """Randomness of sampling; 0 is nearly none."""
    top_p: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    """Sample only from the likeliest tokens that together have this probability."""
    n: Annotated[int | None, Field(ge=1, le=128)] = None
    """How many answers to generate."""
    stop: StopConfiguration | None = None
    frequency_penalty: Annotated[float | None, Field(ge=-2.0, le=2.0)] = None
    """Above 0 makes a token less likely the more often it has occurred."""
    presence_penalty: Annotated[float | None, Field(ge=-2.0, le=2.0)] = None
    """Above 0 makes a token that has occurred at all less likely."""
    logit_bias: dict[str, float] | None = None
    """Token id (as text) → what is added to the token's logit, -100 to 100."""
    logprobs: bool | None = None
    """Give the log probability of each generated token."""
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    """How many likely alternatives to give for each token; needs `logprobs`."""
    seed: Annotated[int | None, Field(ge=-9223372036854775808, le=9223372036854775807)] = None
    """Equal seeds and parameters should give equal answers; not every provider can."""
    response_format: Annotated[
        ResponseFormatText | ResponseFormatJsonSchema | ResponseFormatJsonObject | None, Field(discriminator="type")
    ] = None
    """What the answer's text must be."""
    tools: list[ChatCompletionTool | CustomToolChatCompletions | ServiceTool] | None = None
    """What the model may call."""
    tool_choice: ChatCompletionToolChoiceOption | None = None
    parallel_tool_calls: bool | None = None
    """Whether one answer may hold several tool calls."""
    functions: Annotated[list[ChatCompletionFunctions] | None, Field(max_length=128, min_length=1)] = None
    """Older form of `tools`."""
    function_call: Literal["none", "auto"] | ChatCompletionFunctionCallOption | None = None
    """Older form of `tool_choice`."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "default"] | None = None
    """How long a reasoning model may think; `default` is known to Groq only."""
    verbosity: Literal["low", "medium", "high"] | None = None
    """How wordy the answer should be."""
    modalities: list[Literal["text", "audio"]] | None = None
    """Kinds of output to generate."""
    audio: ChatCompletionAudioParameters | None = None
    """Voice and encoding of spoken output."""
    prediction: PredictionContent | None = None
    web_search_options: WebSearchOptions | None = None
    metadata: dict[str, str] | None = None
    """Labels to keep with the request."""
    store: bool | None = None
    """Keep request and answer for later reading."""
    user: str | None = None
    """Id of the end user."""
    safety_identifier: Annotated[str | None, Field(max_length=64)] = None
    """Stable id of the end user for abuse detection."""
    prompt_cache_key: str | None = None
    """Requests with one key are likely to share a prompt cache."""
    prompt_cache_retention: Literal["in-memory", "24h"] | None = None
    """How long a cached prompt is kept."""
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "on_demand", "performance"] | None = None
    """Processing class; the last two are Groq's."""


Tokens: TypeAlias = Annotated[list[int], Field(min_length=1)]


TokenLists: TypeAlias = Annotated[list[Tokens], Field(min_length=1)]


class CreateCompletionRequest(WireModel):
    """A text to continue, and how."""

    model: str
    """Which model answers: an id from `/v1/models`."""
    prompt: str | list[str] | Tokens | TokenLists | None
    """A text, several, the tokens of one, or of several; null starts from nothing."""
    suffix: str | None = None
    """What follows the generated text."""
    stream: bool | None = None
    """Send the answer piece by piece as server-sent events."""
    stream_options: ChatCompletionStreamOptions | None = None
    max_tokens: Annotated[int | None, Field(ge=0)] = None
    """Most tokens to generate."""
    temperature: Annotated[float | None, Field(ge=0.0, le=2.0)] = None
    """Randomness of sampling; 0 is nearly none."""
    top_p: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    """Sample only from the likeliest tokens that together have this probability."""
    n: Annotated[int | None, Field(ge=1, le=128)] = None
    """How many continuations to generate per prompt."""
    best_of: Annotated[int | None, Field(ge=0, le=20)] = None
    """Generate this many, give back the likeliest `n`."""
    stop: StopConfiguration | None = None
    echo: bool | None = None
    """Give the prompt back before the continuation."""
    logprobs: Annotated[int | None, Field(ge=0, le=5)] = None
    """How many likely tokens to give at each place."""
    frequency_penalty: Annotated[float | None, Field(ge=-2.0, le=2.0)] = None
    """Above 0 makes a token less likely the more often it has occurred."""
    presence_penalty: Annotated[float | None, Field(ge=-2.0, le=2.0)] = None
    """Above 0 makes a token that has occurred at all less likely."""
    logit_bias: dict[str, float] | None = None
    """Token id (as text) → what is added to the token's logit, -100 to 100."""
    seed: int | None = None
    """Equal seeds and parameters should give equal answers."""
    user: str | None = None
    """Id of the end user."""


EmbeddingTexts: TypeAlias = Annotated[list[str], Field(max_length=2048, min_length=1)]


EmbeddingTokens: TypeAlias = Annotated[list[int], Field(max_length=2048, min_length=1)]


EmbeddingTokenLists: TypeAlias = Annotated[list[Tokens], Field(max_length=2048, min_length=1)]


class CreateEmbeddingRequest(WireModel):
    """Texts to turn into vectors."""

    model: str
    """Which model computes them: an id from `/v1/models`."""
    input: str | EmbeddingTexts | EmbeddingTokens | EmbeddingTokenLists
    """A text, several, the tokens of one, or of several."""
    encoding_format: Literal["float", "base64"] | None = None
    """Numbers, or 32-bit floats (little endian) in base64."""
    dimensions: Annotated[int | None, Field(ge=1)] = None
    """Length of the vectors, where the model lets one choose."""
    user: str | None = None
    """Id of the end user."""


RerankContentPart: TypeAlias = Annotated[
    ChatCompletionRequestMessageContentPartText | ChatCompletionRequestMessageContentPartImage,
    Field(discriminator="type"),
]
"""A text or an image as a part."""


RerankInput: TypeAlias = str | RerankContentPart
"""A text or an image."""


class RerankRequest(WireModel):
    """Items to sort by how well they fit a query."""

    model: str
    """Which model compares: an id from `/v1/models`."""
    query: RerankInput
    items: Annotated[list[RerankInput], Field(min_length=1)]
    max_num_results: Annotated[int | None, Field(ge=1)] = None
    """How many of the best to give back; all if absent."""
