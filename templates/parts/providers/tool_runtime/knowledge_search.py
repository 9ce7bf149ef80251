"""A tool that searches vector stores, and Llama Stack's rag-tool over the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...runtime.upstream_config import NetworkConfig
from .knowledge.documents import Allowed, open_documents
from .knowledge.putting import ContextPromptParams, FileSearchParams, Forms
from .knowledge.service import Knowledge, Usual

if TYPE_CHECKING:
    from ...contracts.inference import Inference
    from ...contracts.vector_io import VectorIo


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSearchConfig:
    """max_chunks, max_tokens_in_context, search_mode: of queries that do not say; mode None for the stores' own.
    document_urls: which documents are fetched.
    """

    max_chunks: int = 5
    max_tokens_in_context: int = 4096
    search_mode: Literal["vector", "keyword", "hybrid"] | None = None
    file_search_params: FileSearchParams = field(default_factory=FileSearchParams)
    context_prompt_params: ContextPromptParams = field(default_factory=ContextPromptParams)
    document_urls: Allowed = "public"
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_knowledge_search(
    config: KnowledgeSearchConfig, *, instance: str, tool: str, vector_io: VectorIo, inference: Inference
) -> AsyncIterator[Knowledge]:
    """tool: what it is called."""
    forms = Forms(tool=tool, around=config.file_search_params, within=config.context_prompt_params)
    usual = Usual(max_chunks=config.max_chunks, max_tokens=config.max_tokens_in_context, mode=config.search_mode)
    async with open_documents(config.document_urls, config.network) as documents:
        yield Knowledge(vector_io, inference, documents, forms, usual, instance)
