"""Remote inference over OpenAI's API: what is sent, what comes back, and what a service's misbehaviour becomes."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import warnings
from contextlib import suppress
from dataclasses import replace

import pytest
from conftest import KEY, QUICK
from parts.contracts.inference.requests import CreateCompletionRequest, CreateEmbeddingRequest
from parts.providers.inference.dialect import Dialect, read_models
from parts.runtime.errors import (
    RateLimited,
    StackError,
    Unauthenticated,
    UpstreamError,
    UpstreamTimeout,
)
from parts.runtime.reply import Answer, Events
from upstreams import (
    STORY,
    answers,
    breaks_off,
    chunk,
    drops,
    event_of,
    fake_upstream,
    hangs,
    refuses,
    shows_html,
    streams,
    talks_nonsense,
    usage_chunk,
)

ANSWER = {
    "id": "c1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    "unknown": {"field": 1},
}
VECTORS = {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 4, "total_tokens": 4}}


async def collect(events: object, *, into: list[bytes] | None = None) -> bytes:
    """What is relayed, to its end; into: gets it also if there is no good end."""
    assert isinstance(events, Events)
    blocks: list[bytes] = [] if into is None else into
    async for block in events:
        blocks.append(block)
    return b"".join(blocks)


def contents(relayed: bytes) -> list[object]:
    return [json.loads(event[6:]) for event in relayed.split(b"\n\n") if event]


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


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stream_is_relayed_and_its_usage_event_withheld(open_service, ask):
    async with fake_upstream(streams(*STORY)) as fake:
        service = await open_service(fake)
        request, ctx = ask(stream=True)
        relayed = await collect(await service.create_chat_completion(request, ctx))
    assert fake.requests[0].json["stream_options"] == {"include_usage": True}
    assert relayed == b"".join(map(event_of, STORY[:3]))
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (3, 2)


async def test_a_client_that_asked_for_the_usage_event_gets_it(open_service, ask):
    async with fake_upstream(streams(*STORY)) as fake:
        service = await open_service(fake)
        request, ctx = ask(stream=True, stream_options={"include_usage": True})
        relayed = await collect(await service.create_chat_completion(request, ctx))
    assert relayed == b"".join(map(event_of, STORY))
    assert fake.requests[0].body == ctx.body.replace(b'"acme/m"', b'"m"')
    assert ctx.usage.completion_tokens == 2


async def test_usage_is_not_asked_of_a_service_that_does_not_know_how(open_service, ask):
    async with fake_upstream(streams(*STORY[:3])) as fake:
        service = await open_service(fake, dialect=Dialect(asks_usage=False))
        await collect(await service.create_chat_completion(*ask(stream=True)))
    assert "stream_options" not in fake.requests[0].json


async def test_usage_is_found_where_the_dialect_says(open_service, ask):
    last = chunk(finish="stop", x_groq={"usage": {"prompt_tokens": 8, "completion_tokens": 9}})
    dialect = Dialect(usage=lambda event: (event.get("x_groq") or {}).get("usage"))
    async with fake_upstream(streams(chunk("a"), last)) as fake:
        service = await open_service(fake, dialect=dialect)
        request, ctx = ask(stream=True)
        relayed = await collect(await service.create_chat_completion(request, ctx))
    assert contents(relayed)[-1] == last
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (8, 9)


async def test_usage_in_every_event_is_taken_and_the_events_are_kept(open_service, ask):
    used = usage_chunk()["usage"]
    async with fake_upstream(streams(chunk("a", usage=used), chunk(finish="stop", usage=used))) as fake:
        service = await open_service(fake)
        request, ctx = ask(stream=True)
        relayed = await collect(await service.create_chat_completion(request, ctx))
    assert len(contents(relayed)) == 2
    assert ctx.usage.prompt_tokens == 3


async def test_an_event_with_empty_choices_and_no_usage_is_kept(open_service, ask):
    filtered = {**chunk(), "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    async with fake_upstream(streams(filtered, *STORY)) as fake:
        service = await open_service(fake)
        relayed = await collect(await service.create_chat_completion(*ask(stream=True)))
    assert contents(relayed)[0] == filtered


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 100_000])
async def test_a_stream_in_any_chunking_gives_the_same_events(open_service, ask, size):
    def cut(whole: bytes) -> list[bytes]:
        return [whole[at : at + size] for at in range(0, len(whole), size)]

    async with fake_upstream(streams(*STORY, pieces=cut)) as fake:
        service = await open_service(fake)
        relayed = await collect(await service.create_chat_completion(*ask(stream=True)))
    assert relayed == b"".join(map(event_of, STORY[:3]))


async def test_crlf_comments_event_names_and_folded_data_come_out_as_plain_events(open_service, ask):
    first, last = json.dumps(chunk("a")), json.dumps(chunk(finish="stop"), indent=1)
    odd = f": ping\r\n\r\nevent: chunk\r\nid: 7\r\ndata:{first}\r\n\r\n".encode()
    folded = "".join(f"data: {line}\r\n" for line in last.splitlines()).encode() + b"\r\n"
    async with fake_upstream(streams(odd, folded)) as fake:
        service = await open_service(fake)
        relayed = await collect(await service.create_chat_completion(*ask(stream=True)))
    assert relayed.count(b"\n\n") == relayed.count(b"data: ") == 2
    assert relayed.count(b"\n") == 4
    assert contents(relayed) == [chunk("a"), chunk(finish="stop")]


async def test_a_server_that_never_sends_done_has_finished_when_a_choice_has(open_service, ask):
    async with fake_upstream(streams(*STORY, done=False)) as fake:
        service = await open_service(fake)
        relayed = await collect(await service.create_chat_completion(*ask(stream=True)))
    assert len(contents(relayed)) == 3


async def test_a_last_event_without_its_blank_line_counts(open_service, ask):
    async with fake_upstream(streams(*STORY, b"data: [DONE]", done=False)) as fake:
        service = await open_service(fake)
        assert len(contents(await collect(await service.create_chat_completion(*ask(stream=True))))) == 3


async def test_a_text_that_looks_like_protocol_changes_nothing(open_service, ask):
    text = 'data: [DONE]\n\n"usage": {"prompt_tokens": 99} "error": {"finish_reason": "stop"}'
    async with fake_upstream(streams(chunk(text), *STORY)) as fake:
        service = await open_service(fake)
        request, ctx = ask(stream=True)
        relayed = await collect(await service.create_chat_completion(request, ctx))
    assert contents(relayed)[0] == chunk(text)
    assert len(contents(relayed)) == 4
    assert ctx.usage.prompt_tokens == 3


async def test_a_completion_streams_like_a_chat(open_service, ask):
    async with fake_upstream(streams(*STORY)) as fake:
        service = await open_service(fake)
        request, ctx = ask(kind=CreateCompletionRequest, stream=True)
        relayed = await collect(await service.create_completion(request, ctx))
    assert fake.requests[0].json["stream_options"] == {"include_usage": True}
    assert relayed == b"".join(map(event_of, STORY[:3]))
    assert ctx.usage.completion_tokens == 2


@pytest.mark.parametrize("pause", [0.0, 0.01])
async def test_a_finished_stream_gives_its_connection_back(open_service, ask, pause):
    async with fake_upstream(streams(*STORY, pause=pause)) as fake:
        service = await open_service(fake)
        for _ in range(5):
            await collect(await service.create_chat_completion(*ask(stream=True)))
        assert fake.connections == 1


async def test_a_client_that_leaves_in_mid_stream_cuts_the_connection_upstream(open_service, ask):
    async with fake_upstream(streams(*STORY[:2], done=False, ending="hang")) as fake:
        service = await open_service(fake, network=replace(QUICK, timeout=replace(QUICK.timeout, read=30.0)))
        events = await service.create_chat_completion(*ask(stream=True))
        await anext(aiter(events))
        await events.aclose()
        await asyncio.wait_for(fake.cut.wait(), 1)


async def test_events_that_nobody_ever_reads_cut_the_connection_when_closed(open_service, ask):
    async with fake_upstream(streams(*STORY[:2], done=False, ending="hang")) as fake:
        service = await open_service(fake)
        events = await service.create_chat_completion(*ask(stream=True))
        await events.aclose()
        await asyncio.wait_for(fake.cut.wait(), 1)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_answer_cuts_the_connection_upstream(open_service, ask, stream):
    async with fake_upstream(hangs) as fake:
        service = await open_service(fake, network=replace(QUICK, timeout=replace(QUICK.timeout, read=30.0)))
        call = asyncio.ensure_future(service.create_chat_completion(*ask(stream=stream)))
        while not fake.requests:
            await asyncio.sleep(0.005)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(fake.cut.wait(), 1)


# ── streams that fail ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (hangs, UpstreamTimeout, "in time"),
        (drops, UpstreamError, "closed the connection"),
        (refuses(500), UpstreamError, "500"),
        (refuses(429), RateLimited, "no"),
        (shows_html(), UpstreamError, "no JSON"),
        (answers(ANSWER), UpstreamError, "one whole answer"),
        (answers({"error": {"message": "overloaded", "code": 503}}), StackError, "overloaded"),
        (streams(event_of({"error": {"message": "too long", "code": 400}})), StackError, "too long"),
        (streams(b'event: error\ndata: {"type":"error","error":{"message":"busy"}}\n\n'), StackError, "busy"),
        (streams(), UpstreamError, "broke off"),
        (streams(done=False), UpstreamError, "broke off"),
        (streams(b"<html>\n\n", done=False), UpstreamError, "no part of an answer"),
        (streams(b"data: {]\n\n", done=False), UpstreamError, "no part of an answer"),
        (streams(b"data: 7\n\n", done=False), UpstreamError, "no part of an answer"),
        (streams(b'data: {"hello": "world"}\n\n', done=False), UpstreamError, "no part of an answer"),
        (streams(bytes(range(128, 256)) * 3 + b"\n\n", done=False), UpstreamError, "no part of an answer"),
    ],
)
async def test_a_stream_that_never_begins_is_an_error_and_no_stream(open_service, ask, script, error, words):
    network = replace(QUICK, timeout=replace(QUICK.timeout, read=0.1), retries=0)
    async with fake_upstream(script) as fake:
        service = await open_service(fake, network=network)
        with pytest.raises(error) as caught:
            await service.create_chat_completion(*ask(stream=True))
    assert words in caught.value.message
    assert KEY not in caught.value.message


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (streams(*STORY[:2], done=False), UpstreamError, "broke off"),
        (streams(*STORY[:2], done=False, ending="break"), UpstreamError, "closed the connection"),
        (streams(*STORY[:2], done=False, ending="hang"), UpstreamTimeout, "in time"),
        (streams(*STORY[:2], b'data: {"choices": [{"del', done=False), UpstreamError, "no part of an answer"),
        (streams(*STORY[:2], b"garbage\n\n"), UpstreamError, "no part of an answer"),
        (streams(*STORY[:2], b"data: garbage\n\n"), UpstreamError, "no part of an answer"),
        (streams(*STORY[:2], {"error": {"message": "out of memory"}}), StackError, "out of memory"),
    ],
)
async def test_a_stream_that_fails_raises_after_what_came_before(open_service, ask, script, error, words):
    network = replace(QUICK, timeout=replace(QUICK.timeout, read=0.1))
    async with fake_upstream(script) as fake:
        service = await open_service(fake, network=network)
        events = await service.create_chat_completion(*ask(stream=True))
        blocks: list[bytes] = []
        with pytest.raises(error) as caught:
            await collect(events, into=blocks)
    assert b"".join(blocks) == b"".join(map(event_of, STORY[:2]))
    assert words in caught.value.message
    assert len(fake.requests) == 1, "what has begun is not repeated"


@pytest.mark.parametrize("before", [(), STORY[:2]])
async def test_a_key_that_an_error_in_a_stream_repeats_is_masked(open_service, ask, before):
    async with fake_upstream(streams(*before, {"error": {"message": f"bad key {KEY}", "code": KEY}})) as fake:
        service = await open_service(fake)
        with pytest.raises(StackError, match=r"bad key \*\*\*") as caught:
            await collect(await service.create_chat_completion(*ask(stream=True)))
    assert KEY not in f"{caught.value.message} {caught.value.code}"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_key_that_an_error_in_an_answer_of_status_200_repeats_is_masked(open_service, ask, stream):
    async with fake_upstream(answers({"error": {"message": f"bad key {KEY}"}})) as fake:
        service = await open_service(fake)
        with pytest.raises(StackError, match=r"bad key \*\*\*"):
            await service.create_chat_completion(*ask(stream=stream))


async def test_good_events_come_before_the_error_that_arrives_with_them(open_service, ask):
    async with fake_upstream(streams(chunk("a"), b"data: garbage\n\n", pieces=lambda whole: [whole])) as fake:
        service = await open_service(fake)
        events = await service.create_chat_completion(*ask(stream=True))
        assert contents(await anext(aiter(events))) == [chunk("a")]
        with pytest.raises(UpstreamError):
            await anext(aiter(events))


async def test_an_event_without_end_is_an_error(open_service, ask, monkeypatch):
    monkeypatch.setattr("parts.runtime.relay.Splitter", lambda: Splitter(limit=1000))
    from parts.runtime.sse import Splitter

    async with fake_upstream(streams(b"data: " + b"x" * 5000, done=False, ending="hang")) as fake:
        service = await open_service(fake)
        with pytest.raises(UpstreamError):
            await service.create_chat_completion(*ask(stream=True))
        await asyncio.wait_for(fake.cut.wait(), 1)


# ── whole answers that fail ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (shows_html(), "no JSON"),
        (answers(b""), "no JSON"),
        (answers(b'{"choices": [', content_type="application/json"), "no JSON"),
        (answers(b"\xff\xfe\x00"), "no JSON"),
        (answers([ANSWER]), "'choices'"),
        (answers({"choices": "none"}), "'choices'"),
        (answers({"data": []}), "'choices'"),
        (answers("text"), "'choices'"),
        (streams(*STORY), "stream of events"),
        (breaks_off, "closed the connection"),
        (talks_nonsense, "no HTTP"),
        (answers({"error": {"message": "quota"}}), "quota"),
    ],
)
async def test_an_answer_of_the_wrong_shape_is_a_502(open_service, ask, script, words):
    async with fake_upstream(script) as fake:
        service = await open_service(fake)
        with pytest.raises(UpstreamError) as caught:
            await service.create_chat_completion(*ask())
    assert caught.value.status == 502
    assert words in caught.value.message


async def test_embeddings_must_have_data(open_service, ask):
    async with fake_upstream(answers(ANSWER)) as fake:
        service = await open_service(fake)
        with pytest.raises(UpstreamError, match="'data'"):
            await service.create_embedding(*ask(kind=CreateEmbeddingRequest))


async def test_odd_usage_does_no_harm(open_service, ask):
    async with fake_upstream(
        answers({**ANSWER, "usage": {"prompt_tokens": "many"}}), answers({**ANSWER, "usage": 3})
    ) as fake:
        service = await open_service(fake)
        for _ in range(2):
            request, ctx = ask()
            await service.create_chat_completion(request, ctx)
            assert ctx.usage.prompt_tokens is None


# ── models and health ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_models_are_listed_with_what_is_said_of_them(open_service):
    listed = {
        "data": [
            {"id": "m", "object": "model", "created": 7, "owned_by": "acme", "context": 10},
            {"id": "text-embedding-3", "created": None},
            {"id": "x", "type": "rerank"},
            {"id": "bge-reranker-v2"},
            {"no": "id"},
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
    ]
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


# ── nothing leaks ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_mixture_of_successes_and_failures_leaks_nothing(open_service, ask):
    scripts = [answers(ANSWER), refuses(400), shows_html(), drops, breaks_off, streams(*STORY), streams(b"x\n\n")]
    before = asyncio.all_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for script in scripts:
            for stream in (True, False):
                async with fake_upstream(script) as fake:
                    service = await open_service(fake, network=replace(QUICK, retries=0))
                    with suppress(StackError):
                        result = await service.create_chat_completion(*ask(stream=stream))
                        if isinstance(result, Events):
                            await collect(result)
                    connector = service.upstream._session.connector
                    assert connector is not None
                    assert not connector._acquired
        gc.collect()
    assert asyncio.all_tasks() <= before
