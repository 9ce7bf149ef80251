"""What several APIs use.

Generated from apis/shared/tools.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel
from .filters import ComparisonFilter, CompoundFilter


class FunctionTool(WireModel):
    """A function of the application, described by the schema of its arguments."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    """A JSON Schema of the arguments."""
    strict: bool | None = None
    """Whether the arguments must keep to the schema."""
    defer_loading: bool | None = None
    """Whether the model sees it only once a search has found it."""


class HybridSearchOptions(WireModel):
    """How much likeness of meaning and likeness of words count, beside each other."""

    embedding_weight: float
    text_weight: float


class RankingOptions(WireModel):
    """How what was found is sorted."""

    ranker: Literal["auto", "default-2024-11-15"] | None = None
    score_threshold: float | None = None
    """Results of a lower score are left out."""
    hybrid_search: HybridSearchOptions | None = None


class FileSearchTool(WireModel):
    """Searches vector stores."""

    type: Literal["file_search"]
    vector_store_ids: list[str]
    max_num_results: int | None = None
    ranking_options: RankingOptions | None = None
    filters: ComparisonFilter | CompoundFilter | None = None


class ComputerTool(WireModel):
    """Works a computer by its screen."""

    type: Literal["computer"]


class ComputerUsePreviewTool(WireModel):
    """Works a computer by its screen; the older form."""

    type: Literal["computer_use_preview"]
    environment: Literal["windows", "mac", "linux", "ubuntu", "browser"]
    display_width: int
    display_height: int


class WebSearchFilters(WireModel):
    """Where a search of the web looks."""

    allowed_domains: list[str] | None = None


class UserLocation(WireModel):
    """Where the user is, more or less."""

    type: Literal["approximate"] | None = None
    country: str | None = None
    """Two letters, ISO 3166-1."""
    region: str | None = None
    city: str | None = None
    timezone: str | None = None
    """A name of IANA's, like `Europe/Lisbon`."""


class WebSearchTool(WireModel):
    """Searches the web."""

    type: Literal["web_search", "web_search_2025_08_26"]
    filters: WebSearchFilters | None = None
    user_location: UserLocation | None = None
    search_context_size: Literal["low", "medium", "high"] | None = None


class WebSearchPreviewTool(WireModel):
    """Searches the web; the older form."""

    type: Literal["web_search_preview", "web_search_preview_2025_03_11"]
    user_location: UserLocation | None = None
    search_context_size: Literal["low", "medium", "high"] | None = None
    search_content_types: list[Literal["text", "image"]] | None = None


class MCPToolFilter(WireModel):
    """Some of a server's tools."""

    tool_names: list[str] | None = None
    read_only: bool | None = None


class MCPToolApproval(WireModel):
    """Which tools ask before they run."""

    always: MCPToolFilter | None = None
    never: MCPToolFilter | None = None


class MCPTool(WireModel):
    """The tools of an MCP server."""

    type: Literal["mcp"]
    server_label: str
    server_url: str | None = None
    connector_id: (
        Literal[
            "connector_dropbox",
            "connector_gmail",
            "connector_googlecalendar",
            "connector_googledrive",
            "connector_microsoftteams",
            "connector_outlookcalendar",
            "connector_outlookemail",
            "connector_sharepoint",
        ]
        | None
    ) = None
    authorization: str | None = None
    """A token for the server."""
    server_description: str | None = None
    headers: dict[str, Any] | None = None
    allowed_tools: list[str] | MCPToolFilter | None = None
    require_approval: MCPToolApproval | Literal["always", "never"] | None = None
    defer_loading: bool | None = None
    """Whether the model sees them only once a search has found them."""


class ContainerNetworkDisabled(WireModel):
    """Nothing."""

    type: Literal["disabled"]


class ContainerDomainSecret(WireModel):
    """A secret that is sent to one domain."""

    domain: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    value: Annotated[str, Field(min_length=1)]


class ContainerNetworkAllowlist(WireModel):
    """These domains."""

    type: Literal["allowlist"]
    allowed_domains: Annotated[list[str], Field(min_length=1)]
    domain_secrets: list[ContainerDomainSecret] | None = None


ContainerNetworkPolicy: TypeAlias = Annotated[
    ContainerNetworkDisabled | ContainerNetworkAllowlist, Field(discriminator="type")
]
"""What a container may reach."""


class CodeInterpreterContainer(WireModel):
    """A container that is made when it is needed."""

    type: Literal["auto"]
    file_ids: Annotated[list[str] | None, Field(max_length=50)] = None
    memory_limit: Literal["1g", "4g", "16g", "64g"] | None = None
    network_policy: ContainerNetworkPolicy | None = None


class CodeInterpreterTool(WireModel):
    """Runs Python in a container."""

    type: Literal["code_interpreter"]
    container: str | CodeInterpreterContainer


class ImageMask(WireModel):
    """Which part of an image is to be changed."""

    image_url: str | None = None
    file_id: str | None = None


class ImageGenTool(WireModel):
    """Makes and changes images."""

    type: Literal["image_generation"]
    model: str | None = None
    quality: Literal["low", "medium", "high", "auto"] | None = None
    size: Literal["1024x1024", "1024x1536", "1536x1024", "auto"] | None = None
    output_format: Literal["png", "webp", "jpeg"] | None = None
    output_compression: Annotated[int | None, Field(ge=0, le=100)] = None
    moderation: Literal["auto", "low"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    input_fidelity: Literal["high", "low"] | None = None
    input_image_mask: ImageMask | None = None
    partial_images: Annotated[int | None, Field(ge=0, le=3)] = None
    action: Literal["generate", "edit", "auto"] | None = None


class LocalShellTool(WireModel):
    """Runs commands where the application runs."""

    type: Literal["local_shell"]


class SkillReference(WireModel):
    """A skill that was uploaded."""

    type: Literal["skill_reference"]
    skill_id: Annotated[str, Field(max_length=64, min_length=1)]
    version: str | None = None


class InlineSkillSource(WireModel):
    """An archive of the skill's files."""

    type: Literal["base64"]
    media_type: Literal["application/zip"]
    data: Annotated[str, Field(min_length=1)]
    """Base64."""


class InlineSkill(WireModel):
    """A skill, sent along."""

    type: Literal["inline"]
    name: str
    description: str
    source: InlineSkillSource


ContainerSkill: TypeAlias = Annotated[SkillReference | InlineSkill, Field(discriminator="type")]
"""A skill for a container."""


class AutoContainer(WireModel):
    """A container that is made when it is needed."""

    type: Literal["container_auto"]
    file_ids: Annotated[list[str] | None, Field(max_length=50)] = None
    memory_limit: Literal["1g", "4g", "16g", "64g"] | None = None
    network_policy: ContainerNetworkPolicy | None = None
    skills: Annotated[list[ContainerSkill] | None, Field(max_length=200)] = None


class LocalSkill(WireModel):
    """A skill that lies in a folder."""

    name: str
    description: str
    path: str


class LocalEnvironment(WireModel):
    """The application's own machine."""

    type: Literal["local"]
    skills: Annotated[list[LocalSkill] | None, Field(max_length=200)] = None


class ContainerReference(WireModel):
    """A container that is there."""

    type: Literal["container_reference"]
    container_id: str


ShellToolEnvironment: TypeAlias = Annotated[
    AutoContainer | LocalEnvironment | ContainerReference, Field(discriminator="type")
]
"""Where commands run."""


class ShellTool(WireModel):
    """Runs commands in an environment."""

    type: Literal["shell"]
    environment: ShellToolEnvironment | None = None


class CustomTextFormat(WireModel):
    """Any text."""

    type: Literal["text"]


class CustomGrammarFormat(WireModel):
    """A text that a grammar describes."""

    type: Literal["grammar"]
    syntax: Literal["lark", "regex"]
    definition: str


CustomToolFormat: TypeAlias = Annotated[CustomTextFormat | CustomGrammarFormat, Field(discriminator="type")]
"""What the text must look like."""


class CustomToolParam(WireModel):
    """A tool of the application that takes a text."""

    type: Literal["custom"]
    name: str
    description: str | None = None
    format: CustomToolFormat | None = None
    defer_loading: bool | None = None
    """Whether the model sees it only once a search has found it."""


NamespaceMember: TypeAlias = Annotated[FunctionTool | CustomToolParam, Field(discriminator="type")]
"""A tool within a namespace."""


class NamespaceTool(WireModel):
    """Functions and custom tools that belong together under one name."""

    type: Literal["namespace"]
    name: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]
    tools: Annotated[list[NamespaceMember], Field(min_length=1)]


ToolSearchExecution: TypeAlias = Literal["server", "client"]
"""Who searches."""


class ToolSearchTool(WireModel):
    """Lets the model look for tools whose loading was put off."""

    type: Literal["tool_search"]
    execution: ToolSearchExecution | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    """A JSON Schema of the search's arguments."""


class ApplyPatchTool(WireModel):
    """Changes files by patches."""

    type: Literal["apply_patch"]


Tool: TypeAlias = (
    FunctionTool
    | FileSearchTool
    | ComputerTool
    | ComputerUsePreviewTool
    | WebSearchTool
    | WebSearchPreviewTool
    | MCPTool
    | CodeInterpreterTool
    | ImageGenTool
    | LocalShellTool
    | ShellTool
    | CustomToolParam
    | NamespaceTool
    | ToolSearchTool
    | ApplyPatchTool
)
"""A tool that a model may use, told by its type."""
