"""Remote inference over OpenAI's API: what is sent, whose key goes along, which models there are."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from conftest import KEY
from openai_answers import ANSWER, VECTORS
from parts.contracts.inference.requests import CreateCompletionRequest, CreateEmbeddingRequest
from parts.providers.inference.dialect import Dialect, read_models
from parts.runtime import upstream_reply
from parts.runtime.errors import (
    Unauthenticated,
    UpstreamError,
)
from parts.runtime.reply import Answer
from upstreams import (
    answers,
    fake_upstream,
    hangs,
    refuses,
    shows_html,
)

# ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_chat_goes_on_with_only_the_model_changed(open_service, ask):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake)
        request, ctx = ask(temperature=0.1, unheard_of={"a": [1.0, 1e3]})
        answer = await service.create_chat_completion(request, ctx)
    (seen,) = fake.requests
    assert isinstance(answer, Answer)
    assert json.loads(answer.body) == ANSWER
    assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
    assert seen.body == ctx.body.replace(b'"acme/m"', b'"m"')
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["x-request-id"] == "req-1"
    assert seen.headers["traceparent"] == ctx.trace
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (5, 7)


async def test_completions_and_embeddings_have_their_own_paths(open_service, ask):
    async with fake_upstream(answers(ANSWER), answers(VECTORS)) as fake:
        service = await open_service(fake)
        await service.create_completion(*ask(kind=CreateCompletionRequest))
        request, ctx = ask(kind=CreateEmbeddingRequest)
        answer = await service.create_embedding(request, ctx)
    assert [seen.path for seen in fake.requests] == ["/v1/completions", "/v1/embeddings"]
    assert json.loads(answer.body) == VECTORS
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (4, None)


async def test_a_request_made_inside_the_server_has_no_body_and_is_written_out(open_service, ask):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake)
        request, ctx = ask()
        ctx.body = b""
        await service.create_chat_completion(request, ctx)
    assert fake.requests[0].json["model"] == "m"
    assert fake.requests[0].json["messages"]


async def test_huge_bodies_go_through_whole_both_ways(open_service, ask):
    long = "é" * 3_000_000
    async with fake_upstream(answers({**ANSWER, "system_fingerprint": long})) as fake:
        service = await open_service(fake)
        request, ctx = ask(user=long)
        answer = await service.create_chat_completion(request, ctx)
    assert fake.requests[0].json["user"] == json.loads(answer.body)["system_fingerprint"] == long


async def test_an_answer_without_an_end_is_given_up(open_service, ask, monkeypatch):
    monkeypatch.setattr(upstream_reply, "LARGEST_ANSWER", 1_000_000)
    packed = gzip.compress(b" " * 50_000_000)
    async with fake_upstream(answers(b" " * 1_000_001), answers(packed, headers={"Content-Encoding": "gzip"})) as fake:
        service = await open_service(fake)
        for _ in range(2):
            with pytest.raises(UpstreamError, match="more than 1000000 bytes"):
                await service.create_chat_completion(*ask())


async def test_an_answer_that_is_compressed_all_the_same_is_unpacked(open_service, ask):
    packed = gzip.compress(json.dumps(ANSWER).encode())
    async with fake_upstream(answers(packed, headers={"Content-Encoding": "gzip"})) as fake:
        service = await open_service(fake)
        answer = await service.create_chat_completion(*ask())
    assert json.loads(answer.body) == ANSWER


async def test_a_dialect_decides_headers_path_query_and_body(open_service, ask):
    dialect = Dialect(
        authorize=lambda key: {"api-key": key.reveal()},
        path=lambda operation, model: f"deployments/{model}/{operation}",
        query={"api-version": "2024-10-21"},
        rewrite=lambda operation, body: body.replace(b"messages", b"Messages"),
    )
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake, dialect=dialect)
        await service.create_chat_completion(*ask())
    (seen,) = fake.requests
    assert seen.path == "/v1/deployments/m/chat/completions?api-version=2024-10-21"
    assert seen.headers["api-key"] == KEY
    assert "authorization" not in seen.headers
    assert "Messages" in seen.json


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_clients_own_key_goes_before_the_configured_one(open_service, ask):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake)
        await service.create_chat_completion(*ask({"acme_api_key": "client-key"}))
        await service.create_chat_completion(*ask({"other_api_key": "client-key"}))
    assert [seen.headers["authorization"] for seen in fake.requests] == ["Bearer client-key", f"Bearer {KEY}"]


@pytest.mark.parametrize("key", [None, "", "  \n"])
async def test_a_missing_key_is_a_401_that_says_where_one_may_come_from(open_service, ask, key):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake, key=key)
        with pytest.raises(Unauthenticated) as caught:
            await service.create_chat_completion(*ask())
        with pytest.raises(Unauthenticated):
            await service.list_models()
    assert fake.requests == []
    assert "providers.inference.acme.api_key" in caught.value.message
    assert "acme_api_key" in caught.value.message
    assert "X-LlamaStack-Provider-Data" in caught.value.message


async def test_a_service_that_needs_no_key_is_sent_none(open_service, ask):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake, key=None, dialect=Dialect(needs_key=False))
        await service.create_chat_completion(*ask())
    assert "authorization" not in fake.requests[0].headers


@pytest.mark.parametrize("key", ["two\r\nX-Evil: 1", "caf\u00e9", "nul\0"])
async def test_a_key_that_no_header_can_carry_is_a_401(open_service, ask, key):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake)
        with pytest.raises(Unauthenticated) as caught:
            await service.create_chat_completion(*ask({"acme_api_key": key}))
    assert fake.requests == []
    assert key not in caught.value.message


# ── models and health ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_models_are_listed_with_what_is_said_of_them(open_service):
    listed = {
        "data": [
            {"id": "m", "object": "model", "created": 7, "owned_by": "acme", "context": 10},
            {"id": "text-embedding-3", "created": None},
            {"id": "x", "type": "rerank"},
            {"id": "bge-reranker-v2"},
            {"no": "id"},
            {"id": "odd", "created": float("inf")},
        ]
    }
    async with fake_upstream(answers(listed)) as fake:
        service = await open_service(fake)
        models = await service.list_models()
    (seen,) = fake.requests
    assert (seen.method, seen.path, seen.headers["authorization"]) == ("GET", "/v1/models", f"Bearer {KEY}")
    assert [(model.id, model.model_type) for model in models] == [
        ("m", "llm"),
        ("text-embedding-3", "embedding"),
        ("x", "rerank"),
        ("bge-reranker-v2", "rerank"),
        ("odd", "llm"),
    ]
    assert models[-1].created == 0
    assert (models[0].created, models[0].owned_by, models[0].metadata) == (7, "acme", {"context": 10})


@pytest.mark.parametrize("document", [{"data": 1}, {}, 3, None])
async def test_a_list_of_models_of_the_wrong_shape_is_a_502(document):
    with pytest.raises(UpstreamError):
        read_models(document)


async def test_health_says_ok_or_what_is_wrong(open_service):
    async with fake_upstream(answers({"data": []}), refuses(401, f"bad key {KEY}"), refuses(500), shows_html()) as fake:
        service = await open_service(fake)
        states = [await service.health() for _ in range(4)]
    assert [state.status for state in states] == ["OK", "Error", "Error", "Error"]
    assert len(fake.requests) == 4, "a check is not repeated"
    assert all(KEY not in state.message for state in states)


async def test_health_waits_no_longer_than_three_seconds(open_service, monkeypatch):
    monkeypatch.setattr("parts.providers.inference.openai_compatible.HEALTH_SECONDS", 0.05)
    async with fake_upstream(hangs) as fake:
        service = await open_service(fake)
        state = await service.health()
        await asyncio.wait_for(fake.cut.wait(), 1)
    assert (state.status, "did not answer" in state.message) == ("Error", True)


async def test_a_reachable_service_without_a_key_is_healthy(open_service):
    async with fake_upstream(refuses(401)) as fake:
        service = await open_service(fake, key=None)
        state = await service.health()
    assert state.status == "OK"
    assert "api_key" in state.message
    assert "authorization" not in fake.requests[0].headers


async def test_an_unreachable_service_is_unhealthy(open_service):
    async with fake_upstream(hangs) as fake:
        url = fake.url
    service = await open_service(url)
    assert (await service.health()).status == "Error"
