"""What the requests of the tool_runtime API are made of.

Generated from apis/tool_runtime.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..shared.content import ContentItem, InterleavedContent
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


class DocumentURL(WireModel):
    """Where a document is."""

    uri: Annotated[str, Field(max_length=8192, min_length=1)]
    """An http://, https:// or data: URL."""


class RAGDocument(WireModel):
    """A document to be found."""

    document_id: Annotated[str, Field(max_length=512, min_length=1)]
    """Its id."""
    content: str | ContentItem | list[ContentItem] | DocumentURL
    """Its text, or where it is; a text that begins with http://, https:// or data: is a URL."""
    mime_type: str | None = None
    """What it is, where it is not plain text; that of a URL's answer goes before it."""
    metadata: dict[str, Any] | None = None
    """What is known of it; kept with each chunk, and shown with it."""


class InsertDocumentsRequest(WireModel):
    """Documents, and the store that they go into."""

    documents: Annotated[list[RAGDocument], Field(max_length=500, min_length=1)]
    """The documents."""
    vector_store_id: Annotated[str | None, Field(min_length=1)] = None
    """The store."""
    vector_db_id: Annotated[str | None, Field(min_length=1)] = None
    """The same in requests of early clients."""
    chunk_size_in_tokens: Annotated[int | None, Field(ge=1, le=8192)] = 512
    """The most that a chunk holds; a quarter of it is in the next one too."""


class DefaultRAGQueryGeneratorConfig(WireModel):
    """The content is the query."""

    type: Literal["default"] = "default"
    separator: Annotated[str | None, Field(max_length=100)] = " "
    """What stands between pieces of text."""


class LLMRAGQueryGeneratorConfig(WireModel):
    """A model makes the query."""

    type: Literal["llm"] = "llm"
    model: Annotated[str, Field(min_length=1)]
    """The model."""
    template: Annotated[str, Field(max_length=65536, min_length=1)]
    """What it is asked; `{{ messages }}` or `{query}` stands for the content."""


class RAGQueryConfig(WireModel):
    """How to look, and how to put what is found."""

    query_generator_config: DefaultRAGQueryGeneratorConfig | LLMRAGQueryGeneratorConfig | None = None
    """How the query is made of the content."""
    max_tokens_in_context: Annotated[int | None, Field(ge=1)] = None
    """The most that the chunks together hold."""
    max_chunks: Annotated[int | None, Field(ge=1, le=1000)] = None
    """The most chunks."""
    chunk_template: Annotated[str | None, Field(max_length=65536)] = None
    """How a chunk is put; `{index}` (from 1) and `{chunk.content}` have to be in it, `{metadata}` may."""
    mode: Literal["vector", "keyword", "hybrid"] | None = None
    """By meaning, by words, or by both."""
    ranker: dict[str, Any] | None = None
    """Of hybrid searches: `{type: rrf, impact_factor: 60}` or `{type: weighted, alpha: 0.5}`."""


class QueryDocumentsRequest(WireModel):
    """What is looked for, and where."""

    content: InterleavedContent
    """What is to be answered. Images are not looked at."""
    vector_store_ids: Annotated[list[str] | None, Field(max_length=100)] = None
    """The stores."""
    vector_db_ids: Annotated[list[str] | None, Field(max_length=100)] = None
    """The same in requests of early clients."""
    query_config: RAGQueryConfig | None = None
    """How to look."""


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
