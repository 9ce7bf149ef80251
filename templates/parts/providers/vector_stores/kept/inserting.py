"""Chunks that clients put into a store by themselves, and ask for as chunks: Llama Stack's vector_io."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from ....contracts.vector_io.requests import ChunkMetadata, ChunkTextItem
from ....contracts.vector_io.responses import EmbeddedChunk, QueryChunksResponse
from ....runtime.errors import BadRequest
from ....runtime.vector_filters import kind_of
from ....runtime.vector_index import Entry
from .checks import as_json, checked_filter
from .desk import find_store
from .ranking import Fusion
from .searching import Looked, search
from .tables import CHUNKS

if TYPE_CHECKING:
    from ....contracts.vector_io.requests import Chunk, ChunkContent, InsertChunksRequest, QueryChunksRequest
    from ....runtime.context import Context
    from ....runtime.vector_filters import Scalar
    from .desk import Desk
    from .searching import Found

MOST = 10
AT_ONCE = 32


async def insert_chunks(desk: Desk, request: InsertChunksRequest, ctx: Context) -> None:
    async with desk.sql.reading() as connection:
        store = await find_store(desk, connection, _store(request), ctx, usable=True)
    rows: dict[str, dict[str, object]] = {}
    vectors: dict[str, array[float]] = {}
    for number, chunk in enumerate(request.chunks):
        row = _row(store.id, chunk, number)
        id = str(row["id"])
        rows[id] = row
        vectors.pop(id, None)
        if chunk.embedding is not None:
            vectors[id] = _vector(chunk.embedding, store.dimension, number)
    lacking = [id for id in rows if id not in vectors]
    for start in range(0, len(lacking), AT_ONCE):
        ids = lacking[start : start + AT_ONCE]
        made = await desk.embedder.vectors(store.model, [str(rows[id]["text"]) for id in ids], ctx)
        for id, vector in zip(ids, made, strict=True):
            vectors[id] = _vector(vector, store.dimension, None)
    entries = [
        Entry(id=id, group=id, text=str(row["text"]), vector=vectors[id], attributes=_filterable(str(row["labels"])))
        for id, row in rows.items()
    ]
    # Rows last: what the index has without them nobody sees.
    await desk.index(store.instance).add(store.id, entries)
    ends = None if request.ttl_seconds is None else desk.now + request.ttl_seconds
    async with desk.sql.writing() as connection:
        await find_store(desk, connection, store.id, ctx, usable=True)
        for id, row in rows.items():
            await connection.execute(delete(CHUNKS).where(CHUNKS.c.id == id))
            await connection.execute(insert(CHUNKS).values(**row, expires_at=ends))


async def query_chunks(desk: Desk, request: QueryChunksRequest, ctx: Context) -> QueryChunksResponse:
    async with desk.sql.reading() as connection:
        store = await find_store(desk, connection, _store(request), ctx, usable=True)
    params = request.params
    text = _text(request.query, "query")
    if not text.strip():
        raise BadRequest("query: expected a text that is not empty", code="empty_query", param="query")
    looked = Looked(
        text=text,
        mode=(params.mode if params else None) or desk.ranking.mode,
        limit=((params.max_chunks or params.k) if params else None) or MOST,
        threshold=(params.score_threshold if params else None) or 0.0,
        where=checked_filter(params.filters if params else None),
        fusion=_fusion(desk, params.ranker if params else None),
    )
    found = await search(desk, store, looked, ctx)
    return QueryChunksResponse(
        chunks=[_chunk(each, store.model, store.dimension) for each in found], scores=[each.score for each in found]
    )


def _store(request: InsertChunksRequest | QueryChunksRequest) -> str:
    id = request.vector_store_id or request.vector_db_id
    if id is None:
        message = "vector_store_id: expected the id of a vector store"
        raise BadRequest(message, code="missing_required_parameter", param="vector_store_id")
    return id


def _row(store: str, chunk: Chunk, number: int) -> dict[str, object]:
    text = _text(chunk.content, f"chunks.{number}.content")
    if not text.strip():
        raise BadRequest(f"chunks.{number}.content: expected a text", code="empty_chunk", param="chunks")
    metadata = chunk.metadata or {}
    notes = {} if chunk.chunk_metadata is None else chunk.chunk_metadata.model_dump(exclude_none=True)
    document = str(notes.get("document_id") or metadata.get("document_id") or "")
    name = chunk.chunk_id or chunk.stored_chunk_id or notes.get("chunk_id") or metadata.get("chunk_id")
    if not isinstance(name, str):
        name = hashlib.sha256(as_json({"document": document, "text": text}).encode()).hexdigest()[:32]
    notes |= {"chunk_id": name} | ({"document_id": document} if document else {})
    as_json({"text": text})
    return {
        "id": f"c{hashlib.sha256(json.dumps([store, name]).encode()).hexdigest()}",
        "store": store,
        "file": None,
        "number": number,
        "name": name,
        "text": text,
        "labels": as_json(metadata),
        "notes": as_json(notes),
    }


def _text(content: ChunkContent, where: str) -> str:
    if isinstance(content, str):
        return content
    items = [content] if isinstance(content, ChunkTextItem) else content
    return "\n".join(each.text for each in items)


def _vector(said: list[float] | array[float], dimension: int, number: int | None) -> array[float]:
    if len(said) != dimension:
        where = "the model's vectors" if number is None else f"chunks.{number}.embedding"
        message = f"{where}: expected {dimension} numbers, as the store's vectors have, found {len(said)}"
        raise BadRequest(message, code="embedding_dimension_mismatch", param="chunks")
    try:
        vector = array("f", said)
    except OverflowError:
        vector = array("f", [math.inf])
    if not all(map(math.isfinite, vector)):
        raise BadRequest("an embedding holds what is no 32-bit number", code="invalid_embedding", param="chunks")
    return vector


def _filterable(labels: str) -> dict[str, Scalar]:
    return {key: value for key, value in json.loads(labels).items() if kind_of(value) is not None}


def _fusion(desk: Desk, said: dict[str, Any] | None) -> Fusion:
    usual = "rrf" if desk.ranking.ranker == "neural" else desk.ranking.ranker
    ranker = (said or {}).get("type", usual)
    constant = (said or {}).get("impact_factor", desk.ranking.rank_constant)
    alpha = (said or {}).get("alpha", desk.ranking.alpha)
    if ranker not in ("rrf", "weighted"):
        message = f"params.ranker.type: expected rrf or weighted, not {str(ranker)[:50]!r}"
        raise BadRequest(message, code="unknown_ranker", param="params")
    numbers = isinstance(constant, int | float) and constant > 0 and isinstance(alpha, int | float) and 0 <= alpha <= 1
    if not numbers:
        message = "params.ranker: expected an impact_factor above 0, and an alpha from 0 to 1"
        raise BadRequest(message, code="invalid_ranker", param="params")
    return Fusion("rrf" if ranker == "rrf" else "weighted", float(constant), float(alpha))


def _chunk(found: Found, model: str, dimension: int) -> EmbeddedChunk:
    row = found.row
    if row.file is None:
        metadata, notes = json.loads(row.labels), json.loads(row.notes)
    else:
        metadata = {**found.labels, "document_id": row.file_id, "filename": row.filename}
        notes = {"chunk_id": row.id, "document_id": row.file_id, "source": row.filename}
    return EmbeddedChunk(
        content=row.text,
        chunk_id=row.name or row.id,
        metadata=metadata,
        chunk_metadata=ChunkMetadata.model_validate(notes),
        embedding=[],
        embedding_model=model,
        embedding_dimension=dimension,
    )
