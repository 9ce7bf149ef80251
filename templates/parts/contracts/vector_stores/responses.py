"""What the answers of the vector_stores API are made of.

Generated from apis/vector_stores.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..shared.metadata import Metadata
from ..wire import WireModel
from .requests import (
    StaticChunkingStrategy,
    VectorStoreExpirationAfter,
    VectorStoreFileAttributes,
    VectorStoreFileStatus,
)


class VectorStoreSearchResultContentObject(WireModel):
    """The chunk's text."""

    type: Literal["text"]
    text: str


class VectorStoreSearchResultItem(WireModel):
    """A chunk, and how well it fits."""

    file_id: str
    """The file that it is of; of a chunk that was inserted by itself, its document."""
    filename: str
    score: float
    """0 to 1; what it means depends on the search: the cosine of the vectors, how rare the words are that both have, or
    what the ranker adds up.
    """
    attributes: VectorStoreFileAttributes
    content: list[VectorStoreSearchResultContentObject]


class VectorStoreSearchResultsPage(WireModel):
    """What was found."""

    object: Literal["vector_store.search_results.page"]
    search_query: list[str]
    """What was looked for."""
    data: list[VectorStoreSearchResultItem]
    has_more: bool
    """Never; `max_num_results` says how many there are."""
    next_page: str | None


class VectorStoreFileCounts(WireModel):
    """How many files there are."""

    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int


class VectorStoreObject(WireModel):
    """A store."""

    id: str
    object: Literal["vector_store"]
    created_at: int
    """Unix time, seconds, as all that follow."""
    name: str
    description: str | None = None
    usage_bytes: int
    """Texts and vectors of its files."""
    file_counts: VectorStoreFileCounts
    status: Literal["expired", "in_progress", "completed"]
    """`in_progress` while a file is."""
    expires_after: VectorStoreExpirationAfter | None = None
    expires_at: int | None = None
    last_active_at: int | None
    """To the minute."""
    metadata: Metadata
    embedding_model: str | None = None
    embedding_dimension: int | None = None
    provider_id: str | None = None
    """The instance that keeps its vectors."""


class ListVectorStoresResponse(WireModel):
    """A page of stores."""

    object: Literal["list"]
    data: list[VectorStoreObject]
    first_id: str
    """The first one's id; empty on an empty page."""
    last_id: str
    """The last one's, for `after`."""
    has_more: bool
    """Whether there is a page after this."""


class DeleteVectorStoreResponse(WireModel):
    """That a store is gone."""

    id: str
    object: Literal["vector_store.deleted"]
    deleted: bool


class VectorStoreFileLastError(WireModel):
    """Why a file was not taken in."""

    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


class StaticChunkingStrategyResponseParam(WireModel):
    """Chunks of one size."""

    type: Literal["static"]
    static: StaticChunkingStrategy


class OtherChunkingStrategyResponseParam(WireModel):
    """Nobody knows; this server never says so."""

    type: Literal["other"]


class VectorStoreFileObject(WireModel):
    """A file of a store."""

    id: str
    """That of the file."""
    object: Literal["vector_store.file"]
    usage_bytes: int
    """Its texts and vectors."""
    created_at: int
    """When it was attached."""
    vector_store_id: str
    status: VectorStoreFileStatus
    last_error: VectorStoreFileLastError | None
    chunking_strategy: Annotated[
        StaticChunkingStrategyResponseParam | OtherChunkingStrategyResponseParam | None, Field(discriminator="type")
    ] = None
    attributes: VectorStoreFileAttributes | None = None


class ListVectorStoreFilesResponse(WireModel):
    """A page of files."""

    object: Literal["list"]
    data: list[VectorStoreFileObject]
    first_id: str
    """The first one's id; empty on an empty page."""
    last_id: str
    """The last one's, for `after`."""
    has_more: bool
    """Whether there is a page after this."""


class DeleteVectorStoreFileResponse(WireModel):
    """That a file is out of a store."""

    id: str
    object: Literal["vector_store.file.deleted"]
    deleted: bool


class VectorStoreFileContent(WireModel):
    """A chunk."""

    type: str
    text: str


class VectorStoreFileContentResponse(WireModel):
    """The text of a file, chunk by chunk."""

    object: Literal["vector_store.file_content.page"]
    data: list[VectorStoreFileContent]
    has_more: bool
    next_page: str | None


class VectorStoreFileBatchObject(WireModel):
    """Files that were attached together."""

    id: str
    object: Literal["vector_store.files_batch"]
    created_at: int
    vector_store_id: str
    status: VectorStoreFileStatus
    file_counts: VectorStoreFileCounts
