"""The vector stores API, and what the router of vector_io asks for: each call does its part and rings for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from ....contracts.vector_stores.responses import (
    VectorStoreSearchResultContentObject,
    VectorStoreSearchResultItem,
    VectorStoreSearchResultsPage,
)
from ....runtime.errors import BadRequest, StackError
from ....runtime.wiring import Health
from . import attaching, batches, inserting, stores
from .checks import checked_filter
from .desk import find_store
from .models import reranked, rewritten
from .ranking import Fusion
from .searching import Looked, search
from .tables import STORES

if TYPE_CHECKING:
    from ....contracts.vector_io.requests import InsertChunksRequest, QueryChunksRequest
    from ....contracts.vector_io.responses import QueryChunksResponse
    from ....contracts.vector_stores.requests import (
        CancelVectorStoreFileBatchRequest,
        CreateVectorStoreFileBatchRequest,
        CreateVectorStoreFileRequest,
        CreateVectorStoreRequest,
        DeleteVectorStoreFileRequest,
        DeleteVectorStoreRequest,
        ListVectorStoreFilesInBatchRequest,
        ListVectorStoreFilesRequest,
        ListVectorStoresRequest,
        ModifyVectorStoreRequest,
        RetrieveVectorStoreFileBatchRequest,
        RetrieveVectorStoreFileContentRequest,
        RetrieveVectorStoreFileRequest,
        RetrieveVectorStoreRequest,
        SearchVectorStoreRequest,
        UpdateVectorStoreFileRequest,
    )
    from ....contracts.vector_stores.responses import (
        DeleteVectorStoreFileResponse,
        DeleteVectorStoreResponse,
        ListVectorStoreFilesResponse,
        ListVectorStoresResponse,
        VectorStoreFileBatchObject,
        VectorStoreFileContentResponse,
        VectorStoreFileObject,
        VectorStoreObject,
    )
    from ....runtime.context import Context
    from .desk import Desk
    from .worker import Worker

_RESULTS = 10


class VectorStoresService:
    """The stores of a database."""

    def __init__(self, desk: Desk, worker: Worker) -> None:
        self._desk = desk
        self._worker = worker

    async def create_vector_store(self, request: CreateVectorStoreRequest, ctx: Context) -> VectorStoreObject:
        made = await stores.create(self._desk, request, ctx)
        self._worker.ring()
        return made

    async def list_vector_stores(self, request: ListVectorStoresRequest, ctx: Context) -> ListVectorStoresResponse:
        return await stores.listed(self._desk, request, ctx)

    async def retrieve_vector_store(self, request: RetrieveVectorStoreRequest, ctx: Context) -> VectorStoreObject:
        return await stores.retrieve(self._desk, request, ctx)

    async def modify_vector_store(self, request: ModifyVectorStoreRequest, ctx: Context) -> VectorStoreObject:
        return await stores.modify(self._desk, request, ctx)

    async def delete_vector_store(self, request: DeleteVectorStoreRequest, ctx: Context) -> DeleteVectorStoreResponse:
        gone = await stores.delete(self._desk, request, ctx)
        self._worker.ring()
        return gone

    async def search_vector_store(
        self, request: SearchVectorStoreRequest, ctx: Context
    ) -> VectorStoreSearchResultsPage:
        desk, options = self._desk, request.ranking_options
        texts = [request.query] if isinstance(request.query, str) else request.query
        text = " ".join(each for each in texts if each.strip())
        if not text:
            raise BadRequest("query: expected a text that is not empty", code="empty_query", param="query")
        inference = desk.embedder.inference
        async with desk.sql.reading() as connection:
            store = await find_store(desk, connection, request.vector_store_id, ctx, usable=True)
        if request.rewrite_query:
            text = await rewritten(text, desk.rewriting, inference, ctx)
        limit = request.max_num_results or _RESULTS
        threshold = (options.score_threshold if options else None) or 0.0
        neural = self._is_neural(request)
        looked = Looked(
            text=text,
            mode=request.search_mode or desk.ranking.mode,
            limit=limit * desk.ranking.multiplier if neural else limit,
            threshold=0.0 if neural else threshold,
            where=checked_filter(request.filters),
            fusion=self._fusion(request),
        )
        found = await search(desk, store, looked, ctx)
        if neural:
            model = (options.model if options else None) or desk.ranking.model
            found = [each for each in await reranked(text, found, model, inference, ctx) if each.score >= threshold]
            found = found[:limit]
        await stores.used(desk, store)
        return VectorStoreSearchResultsPage(
            object="vector_store.search_results.page",
            search_query=[text],
            data=[
                VectorStoreSearchResultItem(
                    file_id=each.row.file_id or str(each.labels.get("document_id") or each.row.name),
                    filename=each.row.filename or str(each.labels.get("filename") or ""),
                    score=each.score,
                    attributes={key: v for key, v in each.labels.items() if isinstance(v, str | float | int)},
                    content=[VectorStoreSearchResultContentObject(type="text", text=each.row.text)],
                )
                for each in found
            ],
            has_more=False,
            next_page=None,
        )

    def _is_neural(self, request: SearchVectorStoreRequest) -> bool:
        named = request.ranking_options.ranker if request.ranking_options else None
        if named in (None, "auto", "default-2024-11-15"):
            return self._desk.ranking.ranker == "neural"
        return named == "neural"

    def _fusion(self, request: SearchVectorStoreRequest) -> Fusion:
        usual, said = self._desk.ranking, request.ranking_options
        named = said.ranker if said else None
        if named == "normalized":
            return Fusion("weighted", alpha=0.5)
        weighted = (named if named in ("rrf", "weighted") else usual.ranker) == "weighted"
        return Fusion(
            "weighted" if weighted else "rrf",
            constant=(said.impact_factor if said else None) or usual.rank_constant,
            alpha=usual.alpha if said is None or said.alpha is None else said.alpha,
        )

    async def create_vector_store_file(
        self, request: CreateVectorStoreFileRequest, ctx: Context
    ) -> VectorStoreFileObject:
        made = await attaching.create(self._desk, request, ctx)
        self._worker.ring()
        return made

    async def list_vector_store_files(
        self, request: ListVectorStoreFilesRequest, ctx: Context
    ) -> ListVectorStoreFilesResponse:
        return await attaching.listed(self._desk, request, ctx)

    async def retrieve_vector_store_file(
        self, request: RetrieveVectorStoreFileRequest, ctx: Context
    ) -> VectorStoreFileObject:
        return await attaching.retrieve(self._desk, request, ctx)

    async def update_vector_store_file(
        self, request: UpdateVectorStoreFileRequest, ctx: Context
    ) -> VectorStoreFileObject:
        return await attaching.update_attributes(self._desk, request, ctx)

    async def delete_vector_store_file(
        self, request: DeleteVectorStoreFileRequest, ctx: Context
    ) -> DeleteVectorStoreFileResponse:
        gone = await attaching.delete(self._desk, request, ctx)
        self._worker.ring()
        return gone

    async def retrieve_vector_store_file_content(
        self, request: RetrieveVectorStoreFileContentRequest, ctx: Context
    ) -> VectorStoreFileContentResponse:
        return await attaching.content(self._desk, request, ctx)

    async def create_vector_store_file_batch(
        self, request: CreateVectorStoreFileBatchRequest, ctx: Context
    ) -> VectorStoreFileBatchObject:
        made = await batches.create(self._desk, request, ctx)
        self._worker.ring()
        return made

    async def retrieve_vector_store_file_batch(
        self, request: RetrieveVectorStoreFileBatchRequest, ctx: Context
    ) -> VectorStoreFileBatchObject:
        return await batches.retrieve(self._desk, request, ctx)

    async def cancel_vector_store_file_batch(
        self, request: CancelVectorStoreFileBatchRequest, ctx: Context
    ) -> VectorStoreFileBatchObject:
        told = await batches.cancel(self._desk, request, ctx)
        self._worker.ring()
        return told

    async def list_vector_store_files_in_batch(
        self, request: ListVectorStoreFilesInBatchRequest, ctx: Context
    ) -> ListVectorStoreFilesResponse:
        return await batches.listed(self._desk, request, ctx)

    async def insert_chunks(self, request: InsertChunksRequest, ctx: Context) -> None:
        await inserting.insert_chunks(self._desk, request, ctx)

    async def query_chunks(self, request: QueryChunksRequest, ctx: Context) -> QueryChunksResponse:
        return await inserting.query_chunks(self._desk, request, ctx)

    async def health(self) -> Health:
        try:
            async with self._desk.sql.reading() as connection:
                await connection.execute(select(STORES.c.id).limit(1))
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")
