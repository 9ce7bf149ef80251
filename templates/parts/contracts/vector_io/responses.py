"""What the answers of the vector_io API are made of.

Generated from apis/vector_io.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any

from ..wire import WireModel
from .requests import ChunkMetadata


class EmbeddedChunk(WireModel):
    """A chunk that was found."""

    content: str
    chunk_id: str
    metadata: dict[str, Any]
    chunk_metadata: ChunkMetadata
    embedding: list[float]
    """Empty: vectors are not given back."""
    embedding_model: str
    embedding_dimension: int


class QueryChunksResponse(WireModel):
    """What was found: chunks and, in the same order, how well they fit."""

    chunks: list[EmbeddedChunk]
    scores: list[float]
