"""What the requests of the vector_io API are made of.

Generated from apis/vector_io.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.filters import ComparisonFilter, CompoundFilter
from ..wire import WireModel


class ChunkTextItem(WireModel):
    """A piece of text."""

    type: Literal["text"] = "text"
    text: str


ChunkContent: TypeAlias = str | ChunkTextItem | list[ChunkTextItem]
"""A text, or pieces of one. Images have no vectors here."""


class ChunkMetadata(WireModel):
    """What the server or its client knows of a chunk, beside what is the client's to say."""

    chunk_id: str | None = None
    document_id: str | None = None
    source: str | None = None
    created_timestamp: int | None = None
    updated_timestamp: int | None = None
    chunk_window: str | None = None
    chunk_tokenizer: str | None = None
    content_token_count: int | None = None
    metadata_token_count: int | None = None


class Chunk(WireModel):
    """A chunk to put into a store."""

    content: ChunkContent
    chunk_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """Its id; one is made of document and text if it is absent here and in `chunk_metadata`."""
    stored_chunk_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """The same in early requests."""
    metadata: dict[str, Any] | None = None
    """What is known of it; `document_id` says of what document it is, and texts, numbers and booleans can be filtered
    by.
    """
    chunk_metadata: ChunkMetadata | None = None
    embedding: Annotated[list[float] | None, Field(min_length=1)] = None
    """Its vector; computed by the store's model if absent."""
    embedding_model: str | None = None
    embedding_dimension: int | None = None


class InsertChunksRequest(WireModel):
    """Chunks, and the store that they go into."""

    vector_store_id: Annotated[str | None, Field(min_length=1)] = None
    vector_db_id: Annotated[str | None, Field(min_length=1)] = None
    """The same in requests of early clients."""
    chunks: Annotated[list[Chunk], Field(max_length=2048, min_length=1)]
    ttl_seconds: Annotated[int | None, Field(ge=1)] = None
    """How long they are kept; for ever if absent."""


class QueryChunksParams(WireModel):
    """How to look."""

    max_chunks: Annotated[int | None, Field(ge=1, le=1000)] = None
    """10 if absent."""
    k: Annotated[int | None, Field(ge=1, le=1000)] = None
    """The same in requests of early clients."""
    mode: Literal["vector", "keyword", "hybrid"] | None = None
    """By meaning, by words, or by both."""
    score_threshold: float | None = None
    """Chunks of a lower score are left out."""
    ranker: dict[str, Any] | None = None
    """`{type: rrf, impact_factor: 60}` or `{type: weighted, alpha: 0.5}`."""
    filters: ComparisonFilter | CompoundFilter | None = None


class QueryChunksRequest(WireModel):
    """What is looked for, and where."""

    vector_store_id: Annotated[str | None, Field(min_length=1)] = None
    vector_db_id: Annotated[str | None, Field(min_length=1)] = None
    """The same in requests of early clients."""
    query: ChunkContent
    params: QueryChunksParams | None = None
