"""Remote inference over OpenAI's API: streams, as they are relayed and as they fail."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from conftest import KEY, QUICK
from openai_answers import ANSWER, collect, contents
from parts.contracts.inference.requests import CreateCompletionRequest
from parts.providers.inference.dialect import Dialect
from parts.runtime.errors import (
    RateLimited,
    StackError,
    UpstreamError,
    UpstreamTimeout,
)
from upstreams import (
    STORY,
    answers,
    chunk,
    drops,
    event_of,
    fake_upstream,
    hangs,
    refuses,
    shows_html,
    streams,
    usage_chunk,
)

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


@pytest.mark.parametrize("poured", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 100_000])
async def test_a_stream_in_any_chunking_gives_the_same_events(open_service, ask, size, poured):
    def cut(whole: bytes) -> list[bytes]:
        return [whole[at : at + size] for at in range(0, len(whole), size)]

    async with fake_upstream(streams(*STORY, pieces=cut)) as fake:
        service = await open_service(fake)
        relayed = await collect(await service.create_chat_completion(*ask(stream=True)), poured=poured)
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


@pytest.mark.parametrize("poured", [True, False])
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (streams(*STORY[:2], done=False), UpstreamError, "broke off"),
        (streams(*STORY[:2], done=False, ending="break"), UpstreamError, "closed the connection"),
        (streams(*STORY[:2], done=False, ending="hang"), UpstreamTimeout, "in time"),
        (streams(*STORY[:2], done=False, ending="nonsense"), UpstreamError, "closed the connection"),
        (streams(*STORY[:2], b'data: {"choices": [{"del', done=False), UpstreamError, "no part of an answer"),
        (streams(*STORY[:2], b"garbage\n\n"), UpstreamError, "no part of an answer"),
        (streams(*STORY[:2], b"data: garbage\n\n"), UpstreamError, "no part of an answer"),
        (streams(*STORY[:2], {"error": {"message": "out of memory"}}), StackError, "out of memory"),
    ],
)
async def test_a_stream_that_fails_raises_after_what_came_before(open_service, ask, script, error, words, poured):
    network = replace(QUICK, timeout=replace(QUICK.timeout, read=0.1))
    async with fake_upstream(script) as fake:
        service = await open_service(fake, network=network)
        events = await service.create_chat_completion(*ask(stream=True))
        blocks: list[bytes] = []
        with pytest.raises(error) as caught:
            await collect(events, into=blocks, poured=poured)
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
