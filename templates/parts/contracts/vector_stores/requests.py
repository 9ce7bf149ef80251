"""What the requests of the vector_stores API are made of.

Generated from apis/vector_stores.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..shared.filters import ComparisonFilter, CompoundFilter
from ..shared.metadata import Metadata
from ..wire import WireModel

VectorStoreOrder: TypeAlias = Literal["asc", "desc"]
"""`asc` has the oldest first, `desc` the newest."""


VectorStoreFileStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "failed"]
"""How far it is."""


class VectorStoreExpirationAfter(WireModel):
    """When a store is given up."""

    anchor: Literal["last_active_at"]
    """The days count from its last use."""
    days: Annotated[int, Field(ge=1, le=365)]


VectorStoreFileAttributes: TypeAlias = dict[str, str | float | bool] | None
"""What filters go by: up to 16 pairs, keys of at most 64 characters, texts of at most 512."""


class AutoChunkingStrategyRequestParam(WireModel):
    """As the server sees fit."""

    type: Literal["auto"]


class StaticChunkingStrategy(WireModel):
    """How a text is cut. Tokens are counted by a rule that knows no model: up to six letters of a word, three digits,
    or one other sign.
    """

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    """The most that a chunk holds."""
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]
    """What a chunk begins with of the one before; at most half of a chunk."""


class StaticChunkingStrategyRequestParam(WireModel):
    """Chunks of one size."""

    type: Literal["static"]
    static: StaticChunkingStrategy


ChunkingStrategyRequestParam: TypeAlias = Annotated[
    AutoChunkingStrategyRequestParam | StaticChunkingStrategyRequestParam, Field(discriminator="type")
]
"""How files are cut into chunks."""


class CreateVectorStoreRequest(WireModel):
    """What the store is to be."""

    name: Annotated[str | None, Field(max_length=512)] = None
    description: Annotated[str | None, Field(max_length=4096)] = None
    """What it is for."""
    file_ids: Annotated[list[str] | None, Field(max_length=500)] = None
    """Files to attach."""
    expires_after: VectorStoreExpirationAfter | None = None
    chunking_strategy: ChunkingStrategyRequestParam | None = None
    metadata: Metadata | None = None
    embedding_model: Annotated[str | None, Field(min_length=1)] = None
    """What turns its texts into vectors; may be left out where there is one such model, or the server has one for this.
    """
    embedding_dimension: Annotated[int | None, Field(ge=1, le=65536)] = None
    """How many numbers its vectors have; the model's own if absent."""
    provider_id: Annotated[str | None, Field(min_length=1)] = None
    """The instance that keeps its vectors; may be left out where there is one."""


class VectorStoreChanges(WireModel):
    """What is to be otherwise; what is left out stays."""

    name: Annotated[str | None, Field(max_length=512)] = None
    expires_after: VectorStoreExpirationAfter | None = None
    """Null for never."""
    metadata: Metadata | None = None


class VectorStoreFileBody(WireModel):
    """A file, and how it is taken in."""

    file_id: Annotated[str, Field(min_length=1)]
    attributes: VectorStoreFileAttributes | None = None
    chunking_strategy: ChunkingStrategyRequestParam | None = None


class VectorStoreFileAttributesBody(WireModel):
    """The attributes that replace those of the file."""

    attributes: VectorStoreFileAttributes


class VectorStoreFileBatchBody(WireModel):
    """Files to attach: ids that share what is said beside them, or files of which each says it; one of the two."""

    file_ids: Annotated[list[str] | None, Field(max_length=2000, min_length=1)] = None
    files: Annotated[list[VectorStoreFileBody] | None, Field(max_length=2000, min_length=1)] = None
    attributes: VectorStoreFileAttributes | None = None
    chunking_strategy: ChunkingStrategyRequestParam | None = None


class VectorStoreRankingOptions(WireModel):
    """How what was found is sorted. `ranker`, `alpha` and `impact_factor` matter to hybrid searches; `neural` to all."""

    ranker: Literal["none", "auto", "default-2024-11-15", "rrf", "weighted", "normalized", "neural"] | None = None
    """`rrf` adds up 1 / (impact_factor + rank) of both searches, `weighted` their scores; `normalized` is `weighted`
    with half of each. `neural`: a model for reranking compares query and results. The others mean what the server has
    set.
    """
    score_threshold: Annotated[float | None, Field(ge=0.0, le=1.0)] = 0
    """Results of a lower score are left out."""
    alpha: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    """How much likeness of meaning counts in `weighted`; likeness of words has the rest."""
    impact_factor: Annotated[float | None, Field(gt=0.0)] = None
    """How much the first ranks stand out in `rrf`; 60 if absent."""
    model: Annotated[str | None, Field(min_length=1)] = None
    """Of `neural`: the model; the server's own for this if absent."""


VectorStoreSearchMode: TypeAlias = Literal["vector", "keyword", "hybrid"]
"""By meaning, by words, or by both."""


VectorStoreQueryTexts: TypeAlias = Annotated[list[str], Field(min_length=1)]


VectorStoreQuery: TypeAlias = str | VectorStoreQueryTexts
"""A text, or several, which are put together."""


class VectorStoreSearchBody(WireModel):
    """What is looked for."""

    query: VectorStoreQuery
    max_num_results: Annotated[int | None, Field(ge=1, le=50)] = 10
    filters: ComparisonFilter | CompoundFilter | None = None
    ranking_options: VectorStoreRankingOptions | None = None
    rewrite_query: bool | None = False
    """Whether a model may put the query into better words; needs a server that has one for this."""
    search_mode: VectorStoreSearchMode | None = None


class ListVectorStoresRequest(WireModel):
    """List the stores."""

    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """How many stores a page has at most."""
    order: VectorStoreOrder | None = "desc"
    """By `created_at`."""
    after: str | None = None
    """The id that the page goes on after: `last_id` of the page before."""
    before: str | None = None
    """The id that the page ends before: `first_id` of the page after."""


class RetrieveVectorStoreRequest(WireModel):
    """Describe a store."""

    vector_store_id: str
    """The store's id."""


class ModifyVectorStoreRequest(VectorStoreChanges):
    """Change what a store is called, and when it expires."""

    vector_store_id: str
    """The store's id."""


class DeleteVectorStoreRequest(WireModel):
    """Delete a store."""

    vector_store_id: str
    """The store's id."""


class SearchVectorStoreRequest(VectorStoreSearchBody):
    """Find the chunks that fit a query."""

    vector_store_id: str
    """The store's id."""


class ListVectorStoreFilesRequest(WireModel):
    """List the files of a store."""

    vector_store_id: str
    """The store's id."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """How many files a page has at most."""
    order: VectorStoreOrder | None = "desc"
    """By `created_at`."""
    after: str | None = None
    """The id that the page goes on after: `last_id` of the page before."""
    before: str | None = None
    """The id that the page ends before: `first_id` of the page after."""
    filter: VectorStoreFileStatus | None = None
    """Only files that are at this."""


class CreateVectorStoreFileRequest(VectorStoreFileBody):
    """Attach a file to a store."""

    vector_store_id: str
    """The store's id."""


class RetrieveVectorStoreFileRequest(WireModel):
    """Describe a file of a store."""

    vector_store_id: str
    """The store's id."""
    file_id: str
    """The file's id."""


class UpdateVectorStoreFileRequest(VectorStoreFileAttributesBody):
    """Replace a file's attributes."""

    vector_store_id: str
    """The store's id."""
    file_id: str
    """The file's id."""


class DeleteVectorStoreFileRequest(WireModel):
    """Take a file out of a store."""

    vector_store_id: str
    """The store's id."""
    file_id: str
    """The file's id."""


class RetrieveVectorStoreFileContentRequest(WireModel):
    """Give the text that was taken out of a file."""

    vector_store_id: str
    """The store's id."""
    file_id: str
    """The file's id."""


class CreateVectorStoreFileBatchRequest(VectorStoreFileBatchBody):
    """Attach many files to a store."""

    vector_store_id: str
    """The store's id."""


class RetrieveVectorStoreFileBatchRequest(WireModel):
    """Describe a batch."""

    vector_store_id: str
    """The store's id."""
    batch_id: str
    """The batch's id."""


class CancelVectorStoreFileBatchRequest(WireModel):
    """Stop taking in what a batch has left."""

    vector_store_id: str
    """The store's id."""
    batch_id: str
    """The batch's id."""


class ListVectorStoreFilesInBatchRequest(WireModel):
    """List the files of a batch."""

    vector_store_id: str
    """The store's id."""
    batch_id: str
    """The batch's id."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """How many files a page has at most."""
    order: VectorStoreOrder | None = "desc"
    """By `created_at`."""
    after: str | None = None
    """The id that the page goes on after: `last_id` of the page before."""
    before: str | None = None
    """The id that the page ends before: `first_id` of the page after."""
    filter: VectorStoreFileStatus | None = None
    """Only files that are at this."""
