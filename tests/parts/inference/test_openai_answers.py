"""Remote inference over OpenAI's API: whole answers that fail, and that nothing leaks."""

from __future__ import annotations

import asyncio
import gc
import warnings
from contextlib import suppress
from dataclasses import replace

import pytest
from conftest import QUICK
from openai_answers import ANSWER, collect
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.runtime.errors import (
    StackError,
    UpstreamError,
)
from parts.runtime.reply import Events
from upstreams import (
    STORY,
    answers,
    breaks_off,
    drops,
    fake_upstream,
    refuses,
    shows_html,
    streams,
    talks_nonsense,
)

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
        answers({**ANSWER, "usage": {"prompt_tokens": "many"}}),
        answers({**ANSWER, "usage": 3}),
        answers({**ANSWER, "usage": {"prompt_tokens": -5}}),
        answers({**ANSWER, "usage": {"prompt_tokens": 10**400}}),
    ) as fake:
        service = await open_service(fake)
        for _ in range(4):
            request, ctx = ask()
            await service.create_chat_completion(request, ctx)
            assert ctx.usage.prompt_tokens is None


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
