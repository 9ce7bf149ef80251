"""Searches of vector stores, and the chunks that clients put there by themselves."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from parts.contracts.vector_io.requests import InsertChunksRequest, QueryChunksRequest
from parts.runtime.errors import BadRequest, NotFound, Unavailable
from parts.runtime.vector_index import Entry, Hit, VectorIndex
from stores import ME, Opened, Place, WordModel, opened


async def insert(it: Opened, store: str, *chunks: dict[str, Any], **said: Any) -> None:
    request = InsertChunksRequest.model_validate({"vector_store_id": store, "chunks": chunks, **said})
    await it.stores.insert_chunks(request, ME)


class Breaks:
    """An index that fails when it is asked. The rest is the real one's."""

    keywords = True

    def __init__(self, index: VectorIndex, error: Exception) -> None:
        self.index, self.error = index, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)

    async def near(self, *_: object, **__: object) -> list[Hit]:
        raise self.error

    matching = near


async def test_a_search_that_fails_says_so(place: Place) -> None:
    model = WordModel()
    async with opened(place, model, wrap=lambda index: Breaks(index, Unavailable("no disk"))) as it:  # type: ignore[arg-type, return-value]
        store = await it.store(embedding_dimension=16)
        for mode in ("vector", "keyword", "hybrid"):
            with pytest.raises(Unavailable):
                await it.found(store, "cat", search_mode=mode)
        model.fails = [Unavailable("no model")]
        with pytest.raises(Unavailable, match="no model"):
            await it.found(store, "cat")


async def test_searches_refuse_what_they_cannot_do(it: Opened) -> None:
    store = await it.store()
    for said in ({"query": " "}, {"query": ["", " "]}, {"query": "a", "rewrite_query": True}):
        with pytest.raises(BadRequest):
            await it.found(store, **said)  # type: ignore[arg-type]
    for wrong in ("vs_1", "x' OR '1'='1", "vs_" + "0" * 48):
        with pytest.raises(NotFound):
            await it.found(wrong, "cat")


async def test_hybrid_searches_use_both(it: Opened) -> None:
    store = await it.store()
    for text in (b"apple banana", b"apple cherry", b"banana cherry plum"):
        await it.taken_in(store, text)
    for options in (
        {"ranker": "rrf", "impact_factor": 1},
        {"ranker": "weighted", "alpha": 0.3},
        {"ranker": "normalized"},
    ):
        found = await it.found(store, "apple cherry", search_mode="hybrid", ranking_options=options)
        assert found[0] == "apple cherry"
        assert len(found) == 3
    found = await it.found(
        store, "apple cherry", search_mode="hybrid", ranking_options={"ranker": "weighted", "alpha": 0}
    )
    assert found[0] == "apple cherry"
    assert await it.found(store, "apple", ranking_options={"score_threshold": 1.0}) == []
    assert len(await it.found(store, "apple", max_num_results=1)) == 1


async def test_what_nobody_may_see_takes_no_places(it: Opened) -> None:
    """The index has much that is nearer and is in no row."""
    store = await it.store()
    await it.taken_in(store, b"cat dog")
    vector = array("f", it.model.vector("cat"))
    stray = [Entry(id=f"stray{n}", group="stray", text="cat", vector=vector, attributes={}) for n in range(300)]
    await it.index.add(store, stray)
    for mode in ("vector", "keyword", "hybrid"):
        assert await it.found(store, "cat", search_mode=mode, max_num_results=3) == ["cat dog"]


async def test_chunks_are_inserted_replaced_and_found(it: Opened) -> None:
    store = await it.store()
    await insert(
        it,
        store,
        {"content": "the cat", "chunk_id": "1", "metadata": {"document_id": "d", "year": 2020, "tags": ["x"]}},
        {"content": [{"type": "text", "text": "the"}, {"text": "dog"}], "embedding": it.model.vector("dog")},
    )
    found = await it.stores.query_chunks(QueryChunksRequest(vector_db_id=store, query="cat"), ME)
    assert [each.content for each in found.chunks] == ["the cat", "the\ndog"]
    assert found.chunks[0].metadata == {"document_id": "d", "year": 2020, "tags": ["x"]}
    assert found.chunks[0].chunk_id == "1"
    assert len(found.scores) == 2
    await insert(it, store, {"content": "the cow", "chunk_id": "1"})
    found = await it.stores.query_chunks(QueryChunksRequest(vector_store_id=store, query={"text": "cow"}), ME)
    assert [each.content for each in found.chunks] == ["the cow", "the\ndog"]
    where = {"filters": {"type": "eq", "key": "year", "value": 2020}, "max_chunks": 1}
    asked = {"vector_store_id": store, "query": "cat", "params": where}
    assert (await it.stores.query_chunks(QueryChunksRequest.model_validate(asked), ME)).chunks == []
    with pytest.raises(BadRequest, match="16 numbers"):
        await insert(it, store, {"content": "a", "embedding": [1.0]})
    with pytest.raises(BadRequest):
        await insert(it, store, {"content": " "})
    with pytest.raises(BadRequest):
        await it.stores.query_chunks(QueryChunksRequest(query="cat"), ME)


async def test_chunks_with_an_end_are_gone_then(it: Opened) -> None:
    store = await it.store()
    await insert(it, store, {"content": "short cat"}, ttl_seconds=1)
    await insert(it, store, {"content": "long cat"}, ttl_seconds=1000)
    async with asyncio.timeout(10):
        while len(await it.found(store, "cat")) == 2:
            await asyncio.sleep(0.1)
    assert await it.found(store, "cat") == ["long cat"]

    async def left() -> Sequence[Hit]:
        return await it.index.matching(store, ["short"], limit=5, where=None)

    async with asyncio.timeout(10):
        while await left():
            await asyncio.sleep(0.05)
