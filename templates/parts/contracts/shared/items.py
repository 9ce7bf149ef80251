"""What several APIs use.

Generated from apis/shared/items.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel
from .tools import ContainerReference, LocalEnvironment, Tool, ToolSearchExecution

ItemRole: TypeAlias = Literal["user", "assistant", "system", "developer"]
"""Who said it."""


class InputTextContent(WireModel):
    """A text."""

    type: Literal["input_text"]
    text: str


ContentDetail: TypeAlias = Literal["low", "high", "auto", "original"]
"""How closely the model looks."""


class InputImageContent(WireModel):
    """An image, by address, content or id."""

    type: Literal["input_image"]
    image_url: str | None = None
    """An address, or the image itself as a `data:` URL."""
    file_id: str | None = None
    """Id of an uploaded file."""
    detail: ContentDetail | None = None


class InputFileContent(WireModel):
    """A document, by id, address or content."""

    type: Literal["input_file"]
    file_id: str | None = None
    """Id of an uploaded file."""
    filename: str | None = None
    file_data: str | None = None
    """Base64."""
    file_url: str | None = None


class FileCitationBody(WireModel):
    """A file that a statement is taken from."""

    type: Literal["file_citation"]
    file_id: str
    index: int
    filename: str | None = None


class UrlCitationBody(WireModel):
    """A page that a statement is taken from."""

    type: Literal["url_citation"]
    url: str
    start_index: int
    end_index: int
    title: str


class ContainerFileCitationBody(WireModel):
    """A file in a container."""

    type: Literal["container_file_citation"]
    container_id: str
    file_id: str
    start_index: int
    end_index: int
    filename: str


class FilePath(WireModel):
    """A file that was made."""

    type: Literal["file_path"]
    file_id: str
    index: int


Annotation: TypeAlias = Annotated[
    FileCitationBody | UrlCitationBody | ContainerFileCitationBody | FilePath, Field(discriminator="type")
]
"""What a piece of a text refers to."""


class OutputTopLogProb(WireModel):
    """A likely token."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class OutputLogProb(WireModel):
    """How likely a token was, and which others were."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[OutputTopLogProb] | None = None


class OutputTextContent(WireModel):
    """A text of a model, with what it refers to."""

    type: Literal["output_text"]
    text: str
    annotations: list[Annotation] | None = None
    logprobs: list[OutputLogProb] | None = None


class RefusalContent(WireModel):
    """A refusal of a model."""

    type: Literal["refusal"]
    refusal: str


class TextContent(WireModel):
    """A text, of whomever."""

    type: Literal["text"]
    text: str


class SummaryTextContent(WireModel):
    """What a model thought, in short."""

    type: Literal["summary_text"]
    text: str


class ReasoningTextContent(WireModel):
    """What a model thought."""

    type: Literal["reasoning_text"]
    text: str


class ComputerScreenshotContent(WireModel):
    """A picture of a screen."""

    type: Literal["computer_screenshot"]
    image_url: str | None = None
    file_id: str | None = None
    detail: ContentDetail | None = None


ContentPart: TypeAlias = Annotated[
    InputTextContent
    | InputImageContent
    | InputFileContent
    | OutputTextContent
    | RefusalContent
    | TextContent
    | SummaryTextContent
    | ReasoningTextContent
    | ComputerScreenshotContent,
    Field(discriminator="type"),
]
"""One part of a message."""


MessageItemContent: TypeAlias = str | list[ContentPart]
"""A text, whole or in parts."""


MessagePhase: TypeAlias = Literal["commentary", "final_answer"]
"""Of what an assistant said: whether it was said on the way, or is the answer."""


ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]
"""How far it has come."""


class MessageItem(WireModel):
    """What somebody said."""

    type: Literal["message"]
    id: str | None = None
    role: ItemRole
    content: MessageItemContent
    phase: MessagePhase | None = None
    status: ItemStatus | None = None


class FunctionToolCall(WireModel):
    """A call of a function of the application."""

    type: Literal["function_call"]
    id: str | None = None
    call_id: str
    namespace: str | None = None
    name: str
    arguments: str
    """JSON."""
    status: ItemStatus | None = None
    created_by: str | None = None


InputContentPart: TypeAlias = Annotated[
    InputTextContent | InputImageContent | InputFileContent, Field(discriminator="type")
]
"""One part of what a tool gave back."""


class FunctionToolCallOutput(WireModel):
    """What a function gave back."""

    type: Literal["function_call_output"]
    id: str | None = None
    call_id: Annotated[str, Field(min_length=1)]
    output: str | list[InputContentPart]
    status: ItemStatus | None = None
    created_by: str | None = None


class CustomToolCallItem(WireModel):
    """A call of a custom tool of the application."""

    type: Literal["custom_tool_call"]
    id: str | None = None
    call_id: str
    namespace: str | None = None
    name: str
    input: str


class CustomToolCallOutput(WireModel):
    """What a custom tool gave back."""

    type: Literal["custom_tool_call_output"]
    id: str | None = None
    call_id: str
    output: str | list[InputContentPart]


class ToolSearchCall(WireModel):
    """A search for tools."""

    type: Literal["tool_search_call"]
    id: str | None = None
    call_id: Annotated[str | None, Field(min_length=1)] = None
    execution: ToolSearchExecution | None = None
    arguments: dict[str, Any]
    status: ItemStatus | None = None
    created_by: str | None = None


class ToolSearchOutput(WireModel):
    """The tools that a search found."""

    type: Literal["tool_search_output"]
    id: str | None = None
    call_id: Annotated[str | None, Field(min_length=1)] = None
    execution: ToolSearchExecution | None = None
    tools: list[Tool]
    status: ItemStatus | None = None
    created_by: str | None = None


class ReasoningItem(WireModel):
    """What a model thought before it answered."""

    type: Literal["reasoning"]
    id: str | None = None
    encrypted_content: str | None = None
    summary: list[SummaryTextContent]
    content: list[ReasoningTextContent] | None = None
    status: ItemStatus | None = None


class CompactionItem(WireModel):
    """What stands for the part of a conversation that was too long to go on with."""

    type: Literal["compaction"]
    id: str | None = None
    encrypted_content: str
    created_by: str | None = None


FileAttribute: TypeAlias = str | float | bool
"""A text, a number, or yes or no."""


FileAttributes: TypeAlias = dict[str, FileAttribute]
"""What is attached to a file of a vector store."""


class FileSearchResult(WireModel):
    """A piece of a file that was found."""

    file_id: str | None = None
    text: str | None = None
    filename: str | None = None
    attributes: FileAttributes | None = None
    score: float | None = None
    """From 0 to 1; more is better."""


class FileSearchToolCall(WireModel):
    """A search of vector stores, and what it found."""

    type: Literal["file_search_call"]
    id: str | None = None
    queries: list[str]
    results: list[FileSearchResult] | None = None
    status: Literal["in_progress", "searching", "completed", "incomplete", "failed"] | None = None


class WebSearchSource(WireModel):
    """A page that was found."""

    type: Literal["url"]
    url: str


class WebSearchQuery(WireModel):
    """Something was searched for."""

    type: Literal["search"]
    query: str | None = None
    queries: list[str] | None = None
    sources: list[WebSearchSource] | None = None


class WebSearchOpenPage(WireModel):
    """A page was opened."""

    type: Literal["open_page"]
    url: str | None = None


class WebSearchFind(WireModel):
    """Something was looked for in a page."""

    type: Literal["find_in_page"]
    url: str
    pattern: str


WebSearchAction: TypeAlias = Annotated[WebSearchQuery | WebSearchOpenPage | WebSearchFind, Field(discriminator="type")]
"""What was done on the web."""


class WebSearchToolCall(WireModel):
    """A search of the web."""

    type: Literal["web_search_call"]
    id: str | None = None
    action: WebSearchAction | None = None
    status: Literal["in_progress", "searching", "completed", "failed"] | None = None


class ImageGenToolCall(WireModel):
    """An image that was made."""

    type: Literal["image_generation_call"]
    id: str | None = None
    result: str | None = None
    """Base64."""
    status: Literal["in_progress", "completed", "generating", "failed"] | None = None


class CodeInterpreterLogs(WireModel):
    """What code printed."""

    type: Literal["logs"]
    logs: str


class CodeInterpreterImage(WireModel):
    """What code drew."""

    type: Literal["image"]
    url: str


CodeInterpreterOutput: TypeAlias = Annotated[CodeInterpreterLogs | CodeInterpreterImage, Field(discriminator="type")]
"""What code gave."""


class CodeInterpreterToolCall(WireModel):
    """Code that was run."""

    type: Literal["code_interpreter_call"]
    id: str | None = None
    container_id: str
    code: str | None = None
    outputs: list[CodeInterpreterOutput] | None = None
    status: Literal["in_progress", "completed", "incomplete", "interpreting", "failed"] | None = None


class ClickAction(WireModel):
    """A click."""

    type: Literal["click"]
    button: Literal["left", "right", "wheel", "back", "forward"]
    x: int
    y: int
    keys: list[str] | None = None
    """Held down meanwhile."""


class DoubleClickAction(WireModel):
    """Two clicks at once."""

    type: Literal["double_click"]
    x: int
    y: int
    keys: list[str] | None = None
    """Held down meanwhile."""


class ScreenPoint(WireModel):
    """A point of the screen, in pixels."""

    x: int
    y: int


class DragAction(WireModel):
    """The mouse is moved with its button down."""

    type: Literal["drag"]
    path: list[ScreenPoint]
    keys: list[str] | None = None
    """Held down meanwhile."""


class KeyPressAction(WireModel):
    """Keys are pressed together."""

    type: Literal["keypress"]
    keys: list[str]


class MoveAction(WireModel):
    """The mouse is moved."""

    type: Literal["move"]
    x: int
    y: int
    keys: list[str] | None = None
    """Held down meanwhile."""


class ScreenshotAction(WireModel):
    """The screen is looked at."""

    type: Literal["screenshot"]


class ScrollAction(WireModel):
    """The wheel is turned."""

    type: Literal["scroll"]
    x: int
    y: int
    scroll_x: int
    scroll_y: int
    keys: list[str] | None = None
    """Held down meanwhile."""


class TypeAction(WireModel):
    """A text is typed."""

    type: Literal["type"]
    text: str


class WaitAction(WireModel):
    """Nothing, for a while."""

    type: Literal["wait"]


ComputerAction: TypeAlias = Annotated[
    ClickAction
    | DoubleClickAction
    | DragAction
    | KeyPressAction
    | MoveAction
    | ScreenshotAction
    | ScrollAction
    | TypeAction
    | WaitAction,
    Field(discriminator="type"),
]
"""What is done with a mouse or a keyboard."""


class SafetyCheck(WireModel):
    """Something that a person should look at first."""

    id: str
    code: str | None = None
    message: str | None = None


class ComputerToolCall(WireModel):
    """Something to be done on a computer by its screen."""

    type: Literal["computer_call"]
    id: str | None = None
    call_id: str
    action: ComputerAction | None = None
    actions: list[ComputerAction] | None = None
    pending_safety_checks: list[SafetyCheck] | None = None
    status: ItemStatus | None = None


class ComputerScreenshot(WireModel):
    """A picture of the screen."""

    type: Literal["computer_screenshot"]
    image_url: str | None = None
    file_id: str | None = None


class ComputerToolCallOutput(WireModel):
    """What the screen showed afterwards."""

    type: Literal["computer_call_output"]
    id: str | None = None
    call_id: Annotated[str, Field(min_length=1)]
    output: ComputerScreenshot
    acknowledged_safety_checks: list[SafetyCheck] | None = None
    status: Literal["in_progress", "completed", "incomplete", "failed"] | None = None
    created_by: str | None = None


class LocalShellAction(WireModel):
    """The command."""

    type: Literal["exec"]
    command: list[str]
    timeout_ms: int | None = None
    working_directory: str | None = None
    env: dict[str, str]
    user: str | None = None


class LocalShellToolCall(WireModel):
    """A command to be run where the application runs."""

    type: Literal["local_shell_call"]
    id: str | None = None
    call_id: str
    action: LocalShellAction
    status: ItemStatus | None = None


class LocalShellToolCallOutput(WireModel):
    """What the command printed."""

    type: Literal["local_shell_call_output"]
    id: str | None = None
    call_id: str | None = None
    output: str
    status: ItemStatus | None = None


class ShellAction(WireModel):
    """The commands."""

    commands: list[str]
    timeout_ms: int | None = None
    max_output_length: int | None = None


ShellEnvironment: TypeAlias = Annotated[LocalEnvironment | ContainerReference, Field(discriminator="type")]
"""Where the commands run."""


class ShellToolCall(WireModel):
    """Commands to be run in an environment."""

    type: Literal["shell_call"]
    id: str | None = None
    call_id: Annotated[str, Field(min_length=1)]
    action: ShellAction
    environment: ShellEnvironment | None = None
    status: ItemStatus | None = None
    created_by: str | None = None


class ShellTimeout(WireModel):
    """It took too long."""

    type: Literal["timeout"]


class ShellExit(WireModel):
    """By itself."""

    type: Literal["exit"]
    exit_code: int


ShellOutcome: TypeAlias = Annotated[ShellTimeout | ShellExit, Field(discriminator="type")]
"""How a command ended."""


class ShellOutput(WireModel):
    """What one command printed, and how it ended."""

    stdout: str
    stderr: str
    outcome: ShellOutcome
    created_by: str | None = None


class ShellToolCallOutput(WireModel):
    """What the commands printed."""

    type: Literal["shell_call_output"]
    id: str | None = None
    call_id: Annotated[str, Field(min_length=1)]
    output: list[ShellOutput]
    max_output_length: int | None = None
    status: ItemStatus | None = None
    created_by: str | None = None


class PatchCreateFile(WireModel):
    """A file is made."""

    type: Literal["create_file"]
    path: Annotated[str, Field(min_length=1)]
    diff: str


class PatchDeleteFile(WireModel):
    """A file is removed."""

    type: Literal["delete_file"]
    path: Annotated[str, Field(min_length=1)]


class PatchUpdateFile(WireModel):
    """A file is changed."""

    type: Literal["update_file"]
    path: Annotated[str, Field(min_length=1)]
    diff: str


PatchOperation: TypeAlias = Annotated[PatchCreateFile | PatchDeleteFile | PatchUpdateFile, Field(discriminator="type")]
"""The change."""


class ApplyPatchToolCall(WireModel):
    """A change of a file."""

    type: Literal["apply_patch_call"]
    id: str | None = None
    call_id: Annotated[str, Field(min_length=1)]
    operation: PatchOperation
    status: Literal["in_progress", "completed"] | None = None
    created_by: str | None = None


class ApplyPatchToolCallOutput(WireModel):
    """What came of a change."""

    type: Literal["apply_patch_call_output"]
    id: str | None = None
    call_id: Annotated[str, Field(min_length=1)]
    output: str | None = None
    status: Literal["completed", "failed"] | None = None
    created_by: str | None = None


class MCPListedTool(WireModel):
    """A tool of an MCP server."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any]
    annotations: dict[str, Any] | None = None


class MCPListTools(WireModel):
    """The tools of an MCP server."""

    type: Literal["mcp_list_tools"]
    id: str | None = None
    server_label: str
    tools: list[MCPListedTool]
    error: str | None = None


class MCPApprovalRequest(WireModel):
    """A call that waits for somebody's leave."""

    type: Literal["mcp_approval_request"]
    id: str | None = None
    server_label: str
    name: str
    arguments: str
    """JSON."""


class MCPApprovalResponse(WireModel):
    """The leave, or its refusal."""

    type: Literal["mcp_approval_response"]
    id: str | None = None
    approval_request_id: str
    approve: bool
    reason: str | None = None


class MCPToolCall(WireModel):
    """A call of a tool of an MCP server, and what came of it."""

    type: Literal["mcp_call"]
    id: str | None = None
    server_label: str
    name: str
    arguments: str
    """JSON."""
    approval_request_id: str | None = None
    output: str | None = None
    error: str | None = None
    status: Literal["in_progress", "completed", "incomplete", "calling", "failed"] | None = None


ConversationItem: TypeAlias = Annotated[
    MessageItem
    | FunctionToolCall
    | FunctionToolCallOutput
    | CustomToolCallItem
    | CustomToolCallOutput
    | ToolSearchCall
    | ToolSearchOutput
    | ReasoningItem
    | CompactionItem
    | FileSearchToolCall
    | WebSearchToolCall
    | ImageGenToolCall
    | CodeInterpreterToolCall
    | ComputerToolCall
    | ComputerToolCallOutput
    | LocalShellToolCall
    | LocalShellToolCallOutput
    | ShellToolCall
    | ShellToolCallOutput
    | ApplyPatchToolCall
    | ApplyPatchToolCallOutput
    | MCPListTools
    | MCPApprovalRequest
    | MCPApprovalResponse
    | MCPToolCall,
    Field(discriminator="type"),
]
"""An item, told by its type. In an answer it has an id, and a status where its type knows one; a message's content is
parts then.
"""


class EasyInputMessage(WireModel):
    """A message that does not say its type."""

    type: Literal["message"] | None = None
    id: str | None = None
    role: ItemRole
    content: MessageItemContent
    phase: MessagePhase | None = None
    status: ItemStatus | None = None


class ItemReference(WireModel):
    """An item of another conversation, which is to be in this one too."""

    type: Literal["item_reference"] | None = None
    id: Annotated[str, Field(min_length=1)]


ConversationInputItem: TypeAlias = ConversationItem | EasyInputMessage | ItemReference
"""An item to be kept, or the name of one that is."""


ItemInclude: TypeAlias = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]
"""What of an item is long, and shown only to those who ask for it."""
