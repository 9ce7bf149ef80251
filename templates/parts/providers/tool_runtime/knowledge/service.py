"""Documents in, and what helps to answer something out: a tool for models, and Llama Stack's rag-tool for clients."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from ....contracts.shared.tool_defs import ListToolDefsResponse, ToolDef
from ....contracts.tool_runtime.requests import QueryDocumentsRequest, RAGQueryConfig
from ....contracts.tool_runtime.responses import RAGQueryResult, ToolInvocationResult
from ....contracts.vector_io.requests import (
    Chunk,
    ChunkMetadata,
    InsertChunksRequest,
    QueryChunksParams,
    QueryChunksRequest,
)
from ....runtime.errors import BadRequest, NotFound
from ....runtime.wiring import Health
from ...vector_stores.kept.chunking import Chunking, chunks, count
from .putting import Forms, Hit, context, fitting, lacking
from .queries import query_of, said

if TYPE_CHECKING:
    from ....contracts.inference import Inference
    from ....contracts.shared.content import InterleavedContent
    from ....contracts.tool_runtime.requests import (
        InsertDocumentsRequest,
        InvokeToolRequest,
        ListRuntimeToolsRequest,
        RAGDocument,
    )
    from ....contracts.vector_io import VectorIo
    from ....runtime.context import Context
    from .documents import Documents

TOKENS = 512
CHUNKS_AT_ONCE = 256
STORES = ("vector_store_ids", "vector_db_ids")
LONGEST_QUERY = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What queries go by that do not say."""

    max_chunks: int
    max_tokens: int
    mode: Literal["vector", "keyword", "hybrid"] | None


class Knowledge:
    """A tool that searches vector stores, which whoever calls it names."""

    takes_endpoints = False

    def __init__(
        self, vector_io: VectorIo, inference: Inference, documents: Documents, forms: Forms, usual: Usual, instance: str
    ) -> None:
        self._vector_io = vector_io
        self._inference = inference
        self._documents = documents
        self._forms = forms
        self._usual = usual
        self._instance = instance

    # ── tools ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        if request.tool_name != self._forms.tool:
            message = f"{self._instance} has no tool {request.tool_name[:200]!r}; it has {self._forms.tool}"
            raise NotFound(message, code="tool_not_found", param="tool_name")
        asked = _asked(request.kwargs)
        try:
            content, metadata = await self._look(asked, ctx)
        except NotFound as error:
            # Here that would say that there is no such tool.
            raise BadRequest(error.message, code=error.code, param="kwargs.vector_store_ids") from None
        except BadRequest as error:
            param = f"kwargs.{error.param}" if error.param else None
            raise BadRequest(error.message, code=error.code, param=param) from None
        return ToolInvocationResult(content=content, metadata=metadata)

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        schema = {
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_QUERY,
                    "description": "What to look for: a sentence, or words.",
                },
                "vector_store_ids": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The vector stores to look in.",
                },
            },
            "required": ["query"],
        }
        description = "Searches documents for what helps to answer something."
        return ListToolDefsResponse(data=[ToolDef(name=self._forms.tool, description=description, input_schema=schema)])

    async def offers(self, name: str, request: ListRuntimeToolsRequest, ctx: Context) -> bool:
        return name == self._forms.tool

    def check_endpoint(self, uri: str | None) -> None:
        if uri is not None:
            message = f"provider {self._instance!r} talks to no server, so a group of it has no mcp_endpoint"
            raise BadRequest(message, param="mcp_endpoint")

    async def health(self) -> Health:
        return Health("OK")

    # ── rag-tool ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def insert_documents(self, request: InsertDocumentsRequest, ctx: Context) -> None:
        store = request.vector_store_id or request.vector_db_id
        if store is None:
            message = "vector_store_id: expected the id of a vector store"
            raise BadRequest(message, code="missing_required_parameter", param="vector_store_id")
        size = request.chunk_size_in_tokens or TOKENS
        chunking = Chunking(size, size // 4)
        # All are read before any is put in: what cannot be read puts nothing in.
        found = [
            chunk
            for number, each in enumerate(request.documents)
            for chunk in _chunks(each, await self._documents.text(each, f"documents.{number}"), chunking)
        ]
        for start in range(0, len(found), CHUNKS_AT_ONCE):
            some = InsertChunksRequest(vector_store_id=store, chunks=found[start : start + CHUNKS_AT_ONCE])
            await self._vector_io.insert_chunks(some, ctx)

    async def query_documents(self, request: QueryDocumentsRequest, ctx: Context) -> RAGQueryResult:
        content, metadata = await self._look(request, ctx)
        return RAGQueryResult(content=content if metadata["chunks"] else None, metadata=metadata)

    async def _look(self, request: QueryDocumentsRequest, ctx: Context) -> tuple[InterleavedContent, dict[str, object]]:
        """(what a model is given, what is in it)"""
        stores = list(dict.fromkeys(request.vector_store_ids or request.vector_db_ids or ()))
        if not stores:
            message = "vector_store_ids: expected the id of one vector store at least"
            raise BadRequest(message, code="missing_required_parameter", param="vector_store_ids")
        config = request.query_config or RAGQueryConfig()
        template = config.chunk_template or self._forms.within.chunk_annotation_template
        if absent := lacking(template, ("index", "chunk.content")):
            message = f"query_config.chunk_template: expected {' and '.join(absent)} in it"
            raise BadRequest(message, code="invalid_template", param="query_config.chunk_template")
        query = await query_of(request.content, config.query_generator_config, self._inference, ctx)
        most = config.max_chunks or self._usual.max_chunks
        hits = await self._hits(stores, query, most, config, ctx)
        shown = fitting(hits[:most], template, config.max_tokens_in_context or self._usual.max_tokens)
        metadata: dict[str, object] = {
            "document_ids": [_document(each.chunk.metadata, each.chunk.chunk_metadata) for each, _ in shown],
            "chunks": [each.chunk.content for each, _ in shown],
            "scores": [each.score for each, _ in shown],
            "vector_store_ids": [each.store for each, _ in shown],
        }
        texts = [text for _, text in shown]
        return [*context(texts, said(request.content), self._forms)], metadata

    async def _hits(
        self, stores: Sequence[str], query: str, most: int, config: RAGQueryConfig, ctx: Context
    ) -> list[Hit]:
        """Of all stores at once, best first."""
        params = QueryChunksParams(max_chunks=most, mode=config.mode or self._usual.mode, ranker=config.ranker)
        asked = [QueryChunksRequest(vector_store_id=each, query=query, params=params) for each in stores]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._vector_io.query_chunks(each, ctx)) for each in asked]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        found = [
            Hit(chunk, score, store)
            for store, task in zip(stores, tasks, strict=True)
            for chunk, score in zip(task.result().chunks, task.result().scores, strict=True)
        ]
        return sorted(found, key=lambda each: -each.score)


def _asked(kwargs: Mapping[str, object]) -> QueryDocumentsRequest:
    """The arguments of the tool as a query. Others are not looked at: models like to add some."""
    query = kwargs.get("query")
    if not isinstance(query, str) or not query.strip() or len(query) > LONGEST_QUERY:
        message = f"kwargs.query: expected a text of 1 to {LONGEST_QUERY} characters"
        raise BadRequest(message, param="kwargs.query")
    try:
        query.encode()
        known = {key: kwargs[key] for key in (*STORES, "query_config") if kwargs.get(key) is not None}
        return QueryDocumentsRequest.model_validate({"content": query, **known})
    except UnicodeEncodeError:
        raise BadRequest("kwargs.query holds half a surrogate pair, which is no text", param="kwargs.query") from None
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(("kwargs", *map(str, fault["loc"])))[:200]
        raise BadRequest(f"{place}: {fault['msg']}", code="invalid_arguments", param=place) from None


def _chunks(document: RAGDocument, text: str, chunking: Chunking) -> list[Chunk]:
    metadata = {**(document.metadata or {}), "document_id": document.document_id}
    return [
        Chunk(
            content=each,
            metadata=metadata,
            chunk_metadata=ChunkMetadata(document_id=document.document_id, content_token_count=count(each)),
        )
        for each in chunks(text, chunking)
    ]


def _document(metadata: Mapping[str, object], notes: ChunkMetadata) -> str:
    return str(notes.document_id or metadata.get("document_id") or "")
