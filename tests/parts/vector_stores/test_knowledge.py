"""Documents put into vector stores, and what is looked up in them, put for a model."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from knowledge import Talker, knowing
from parts.contracts.shared.content import TextContentItem
from parts.contracts.tool_runtime.requests import InsertDocumentsRequest, InvokeToolRequest, QueryDocumentsRequest
from parts.providers.tool_runtime.knowledge.putting import lacking, put
from parts.providers.tool_runtime.knowledge.service import Knowledge
from parts.runtime.errors import BadRequest, Forbidden, NotFound, RateLimited, TooLarge
from stores import ME, Opened, caller
from upstreams import Seen, answers, fake_upstream

CAT = {"document_id": "cats", "content": "The cat sat on the mat.", "mime_type": "text/plain", "metadata": {"n": 1}}
DOG = {"document_id": "dogs", "content": [{"type": "text", "text": "Dogs bark at night."}], "metadata": {}}

It = tuple[Knowledge, Opened, Talker]


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[It]:
    async with knowing(tmp_path, document_urls="any") as it:
        yield it


async def insert(it: It, store: str, *documents: dict[str, Any], ctx: Any = ME, **said: Any) -> None:
    body = {"vector_db_id": store, "documents": documents, "chunk_size_in_tokens": 100, **said}
    await it[0].insert_documents(InsertDocumentsRequest.model_validate(body), ctx)


async def query(it: It, content: object, *stores: str, ctx: Any = ME, **config: Any) -> tuple[str, dict[str, Any]]:
    """(the text that a model is given, what is in it)"""
    body = {"content": content, "vector_db_ids": stores, "query_config": config or None}
    found = await it[0].query_documents(QueryDocumentsRequest.model_validate(body), ME if ctx is None else ctx)
    if found.content is None:
        return "", found.metadata
    assert isinstance(found.content, list)
    return "".join(each.text for each in found.content if isinstance(each, TextContentItem)), found.metadata


async def test_documents_are_found_and_put_for_a_model(it: It) -> None:
    store = await it[1].store()
    await insert(it, store, CAT, DOG)
    text, metadata = await query(it, "cat mat", store, max_chunks=1)
    assert text.startswith("knowledge_search tool found 1 chunks:\nBEGIN of knowledge_search tool results.\nResult 1\n")
    assert "Content: The cat sat on the mat.\n" in text
    known = json.loads(text.partition("Metadata: ")[2].partition("\n")[0])
    assert known == {"chunk_id": known["chunk_id"], "document_id": "cats", "n": 1}
    assert "END of knowledge_search tool results.\n" in text
    assert '"cat mat"' in text.splitlines()[-1]
    assert metadata["document_ids"] == ["cats"]
    assert metadata["chunks"] == ["The cat sat on the mat."]
    assert metadata["vector_store_ids"] == [store]
    assert 0.4 < metadata["scores"][0] <= 1.0


async def test_several_stores_are_ranked_together_and_nothing_found_is_null(it: It) -> None:
    first, second = await it[1].store(), await it[1].store()
    assert await query(it, "cat", first, second) == (
        "",
        {"document_ids": [], "chunks": [], "scores": [], "vector_store_ids": []},
    )
    await insert(it, first, DOG)
    await insert(it, second, CAT)
    _, metadata = await query(it, "the cat sat on the mat.", first, second, second)
    assert metadata["document_ids"] == ["cats", "dogs"]
    assert metadata["scores"] == sorted(metadata["scores"], reverse=True)


async def test_chunks_are_left_out_that_do_not_fit_and_the_best_is_always_there(it: It) -> None:
    store = await it[1].store()
    await insert(it, store, *({**CAT, "document_id": f"d{n}", "content": f"cat number {n}"} for n in range(5)))
    counts = []
    for most in (1, 200, 4096):
        _, metadata = await query(it, "cat", store, max_tokens_in_context=most)
        counts.append(len(metadata["chunks"]))
    assert counts[0] == 1 < counts[1] < counts[2] == 5


async def test_a_document_again_is_the_same_and_a_long_one_is_several_chunks(it: It) -> None:
    store = await it[1].store()
    long = {**CAT, "document_id": "long", "content": " ".join(f"word{n}" for n in range(300))}
    await insert(it, store, CAT)
    await insert(it, store, CAT, long)
    _, metadata = await query(it, "word1", store, max_chunks=100)
    assert metadata["document_ids"].count("cats") == 1
    assert metadata["document_ids"].count("long") > 3


async def test_what_is_somebody_elses_is_not_there(it: It) -> None:
    store = await it[1].store(caller("ann"))
    await insert(it, store, CAT, ctx=caller("ann"))
    for attempt in (insert(it, store, DOG, ctx=caller("bob")), query(it, "cat", store, ctx=caller("bob"))):
        with pytest.raises(NotFound):
            await attempt
    assert (await query(it, "cat", store, ctx=caller("ann")))[1]["document_ids"] == ["cats"]


# ── queries ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_model_may_make_the_query(it: It) -> None:
    store = await it[1].store()
    await insert(it, store, CAT)
    it[2].answer = " the cat sat "
    maker = {"type": "llm", "model": "m", "template": "Search words for: {{ messages }}"}
    text, _ = await query(
        it, [{"type": "text", "text": "Who"}, {"type": "text", "text": "sat?"}], store, query_generator_config=maker
    )
    assert it[2].prompts == ["Search words for: Who sat?"]
    assert it[2].asked[-1] == ["the cat sat"]
    assert '"Who sat?"' in text
    with pytest.raises(BadRequest, match="messages") as caught:
        await query(it, "x", store, query_generator_config={**maker, "template": "Say something {% raw %}"})
    assert caught.value.param == "query_config.query_generator_config.template"


async def test_pieces_of_a_content_are_joined_as_the_request_says(it: It) -> None:
    store = await it[1].store()
    pieces = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    await query(it, pieces, store, query_generator_config={"type": "default", "separator": "-"})
    assert it[2].asked[-1] == ["a-b"]


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"vector_db_ids": []}, "vector_store_ids"),
        ({"content": " "}, "content"),
        ({"query_config": {"chunk_template": "{index}"}}, "query_config.chunk_template"),
        ({"query_config": {"mode": "hybrid", "ranker": {"type": "best"}}}, "params"),
    ],
)
async def test_what_cannot_be_asked(it: It, said: dict[str, Any], param: str) -> None:
    body = {"content": "x", "vector_db_ids": [await it[1].store()], **said}
    with pytest.raises(BadRequest) as caught:
        await it[0].query_documents(QueryDocumentsRequest.model_validate(body), ME)
    assert caught.value.param == param


async def test_a_failing_model_is_told_of(it: It) -> None:
    store = await it[1].store()
    it[2].fails = [RateLimited("busy")]
    with pytest.raises(RateLimited):
        await query(it, "x", store)


# ── the tool ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_tool_says_where_arguments_are_wrong(it: It) -> None:
    unknown = "vs_" + "0" * 48
    for kwargs, param in (
        ({"query": "x"}, "kwargs.vector_store_ids"),
        ({"query": "x", "vector_store_ids": [unknown]}, "kwargs.vector_store_ids"),
        ({"query": "x", "vector_store_ids": "one"}, "kwargs.vector_store_ids"),
        ({"query": "x", "vector_db_ids": [1]}, "kwargs.vector_db_ids.0"),
        ({"query": "x", "query_config": {"max_chunks": 0}}, "kwargs.query_config.max_chunks"),
    ):
        with pytest.raises(BadRequest) as caught:
            await it[0].invoke_tool(InvokeToolRequest(tool_name="knowledge_search", kwargs=kwargs), ME)
        assert caught.value.param == param


# ── documents elsewhere ─────────────────────────────────────────────────────────────────────────────────────────────


async def page(seen: Seen, writer: Any) -> bool:
    body = b"<html><script>no</script><p>The cat sat.</p></html>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    return True


async def test_documents_are_fetched_and_read(it: It) -> None:
    store = await it[1].store()
    data = "data:text/plain;base64," + base64.b64encode("Grüße".encode()).decode()
    async with fake_upstream(page) as web:
        await insert(it, store, {**CAT, "content": web.url + "/cats"}, {**DOG, "content": {"uri": data}})
    assert web.requests[0].path == "/v1/cats"
    _, metadata = await query(it, "cat", store)
    assert sorted(metadata["chunks"]) == ["Grüße", "The cat sat."]


@pytest.mark.parametrize(
    ("allowed", "url", "kind"),
    [
        ("public", "http://127.0.0.1:9/x", Forbidden),
        ("public", "http://169.254.169.254/latest", Forbidden),
        ("public", "http://localhost:9/x", Forbidden),
        ("none", "https://example.com/x", Forbidden),
        ("any", "http://127.0.0.1:9/x", BadRequest),
        ("any", "data:text/plain;base64,####", BadRequest),
        ("any", "data:nonsense", BadRequest),
        ("any", "data:image/png;base64,iVBORw0KGgo=", BadRequest),
    ],
)
async def test_documents_that_may_not_or_cannot_be_had(
    allowed: str, url: str, kind: type[Exception], tmp_path: Path
) -> None:
    async with knowing(tmp_path, document_urls=allowed) as it:
        store = await it[1].store()
        for content in (url, {"uri": url}):
            with pytest.raises(kind, match=r"documents\.1\.content"):
                await insert(it, store, CAT, {**DOG, "content": content})
        with pytest.raises(BadRequest, match="expected a URL"):
            await insert(it, store, {**DOG, "content": {"uri": "file:///etc/passwd"}})
        # Nothing of such a request is put in.
        assert (await query(it, "cat", store))[1]["chunks"] == []


async def test_a_document_without_end_is_refused(it: It, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parts.providers.tool_runtime.knowledge.documents.LARGEST", 10)
    store = await it[1].store()
    async with fake_upstream(answers("x" * 100)) as web:
        with pytest.raises(TooLarge):
            await insert(it, store, {**DOG, "content": web.url})


# ── templates ───────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(), st.text())
def test_what_is_put_in_is_not_looked_at_again(text: str, other: str) -> None:
    assert put("<{query}|{tool}>", {"query": text, "tool": other}) == f"<{text}|{other}>"


def test_no_template_reaches_beyond_its_values() -> None:
    for template in ("{chunk.__class__}", "{0}", "{query!r}", "{query:>99}", "{{query}"):
        assert "secret" not in put(template, {"chunk.content": "secret"})
    assert put("{unknown} {", {}) == "{unknown} {"
    assert lacking("{index}", ("index", "chunk.content")) == ["{chunk.content}"]
