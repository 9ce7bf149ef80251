"""inline::llama-cpp with a real model: what of a request it honours, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from gguf_files import TEMPLATE, gemma
from parts.contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
)
from parts.providers.inference.gguf import engine
from parts.providers.inference.llama_cpp import LlamaCpp, LlamaCppConfig, open_llama_cpp
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError, Unavailable
from parts.runtime.reply import Answer, Events

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

COUNT = "one two three four five six seven"
LONG: dict[str, Any] = {"prompt": COUNT, "max_tokens": 900, "ignore_eos": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[LlamaCpp]:
    config = LlamaCppConfig(
        model=str(gemma()), model_id="gemma", context_size=1024, threads=2, chat_template=str(TEMPLATE)
    )
    async with open_llama_cpp(config, instance="here") as provider:
        yield provider


async def complete(model: LlamaCpp, ctx: Context | None = None, **body: Any) -> dict[str, Any]:
    ctx = ctx or Context("r")
    answer = await model.create_completion(CreateCompletionRequest.model_validate({"model": "gemma", **body}), ctx)
    assert isinstance(answer, Answer)
    return dict(json.loads(answer.body))


async def chat(model: LlamaCpp, ctx: Context | None = None, **body: Any) -> dict[str, Any]:
    answer = await model.create_chat_completion(_chat(body), ctx or Context("r"))
    assert isinstance(answer, Answer)
    return dict(json.loads(answer.body))


async def stream(model: LlamaCpp, ctx: Context | None = None, **body: Any) -> Events[Any]:
    request = CreateCompletionRequest.model_validate({"model": "gemma", "stream": True, **body})
    answer = await model.create_completion(request, ctx or Context("r"))
    assert isinstance(answer, Events)
    return answer


async def said(events: Events[Any]) -> list[dict[str, Any]]:
    return [json.loads(event[6:]) async for block in events for event in block.split(b"\n\n") if event]


def generated(model: LlamaCpp) -> int:
    """How many tokens llama.cpp itself has counted."""
    assert model.loaded is not None
    text = str(model.loaded.engine.server.handle_metrics())
    found = re.search(r"^llamacpp:n_decode_total (\d+)$", text, re.MULTILINE)
    assert found is not None, text
    return int(found[1])


def dot(left: list[float], right: list[float]) -> float:
    """The cosine, of vectors of length one."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def _chat(body: dict[str, Any]) -> CreateChatCompletionRequest:
    messages = [{"role": "user", "content": COUNT}]
    return CreateChatCompletionRequest.model_validate({"model": "gemma", "messages": messages, **body})


# ── what a request asks for ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stream_says_what_the_whole_answer_says(model: LlamaCpp) -> None:
    whole = await complete(model, prompt=COUNT, max_tokens=8, temperature=0)
    events = await said(await stream(model, prompt=COUNT, max_tokens=8, temperature=0))
    assert "".join(event["choices"][0]["text"] for event in events) == whole["choices"][0]["text"]
    assert events[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"] == "length"


async def test_tokens_are_accounted_for(model: LlamaCpp) -> None:
    ctx = Context("r")
    whole = await complete(model, ctx, prompt=COUNT, max_tokens=8, temperature=0)
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (8, 8)
    assert whole["usage"] == {"prompt_tokens": 8, "completion_tokens": 8, "total_tokens": 16}


async def test_several_prompts_and_choices_are_several_answers(model: LlamaCpp) -> None:
    ctx = Context("r")
    whole = await complete(model, ctx, prompt=["a b c", "one two three"], max_tokens=4, temperature=0)
    assert [choice["index"] for choice in whole["choices"]] == [0, 1]
    assert ctx.usage.completion_tokens == 8
    both = await chat(model, n=2, max_tokens=3)
    assert [choice["index"] for choice in both["choices"]] == [0, 1]


async def test_a_seed_repeats_a_sample(model: LlamaCpp) -> None:
    sample: dict[str, Any] = {"prompt": "The", "max_tokens": 12, "temperature": 1.5}
    texts = [(await complete(model, seed=seed, **sample))["choices"][0]["text"] for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]


async def test_a_stop_string_ends_the_text_before_it(model: LlamaCpp) -> None:
    choice = (await complete(model, prompt=COUNT, max_tokens=30, temperature=0, stop=["nine"]))["choices"][0]
    assert choice["text"].strip() == "eight"
    assert choice["finish_reason"] == "stop"


async def test_log_probabilities_have_the_shape_of_their_route(model: LlamaCpp) -> None:
    logprobs = (await complete(model, prompt=COUNT, max_tokens=3, logprobs=2, temperature=0))["choices"][0]["logprobs"]
    assert len(logprobs["tokens"]) == len(logprobs["token_logprobs"]) == len(logprobs["text_offset"]) == 3
    assert all(len(top) == 2 for top in logprobs["top_logprobs"])
    events = await said(await stream(model, prompt=COUNT, max_tokens=3, logprobs=2, temperature=0))
    pieces = [event["choices"][0]["logprobs"] for event in events if event["choices"][0]["logprobs"]]
    assert [offset for piece in pieces for offset in piece["text_offset"]] == logprobs["text_offset"]
    content = (await chat(model, max_tokens=3, logprobs=True, top_logprobs=2))["choices"][0]["logprobs"]["content"]
    assert [len(token["top_logprobs"]) for token in content] == [2, 2, 2]


async def test_a_grammar_holds(model: LlamaCpp) -> None:
    answer = await complete(model, prompt="Say it:", grammar='root ::= "yes" | "no"', max_tokens=8)
    assert answer["choices"][0]["text"] in {"yes", "no"}


async def test_a_json_schema_holds(model: LlamaCpp) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {**schema, "additionalProperties": False}}}
    answer = await chat(model, response_format=form, max_tokens=40, temperature=0, seed=1)
    assert json.loads(answer["choices"][0]["message"]["content"])["n"] in {1, 2}


# ── leaving, and company ────────────────────────────────────────────────────────────────────────────────────────────


async def _is_idle(model: LlamaCpp) -> bool:
    """Whether llama.cpp soon decodes nothing any more: long before LONG would have come to its end."""
    before = -1
    for _ in range(10):
        now = await asyncio.to_thread(generated, model)
        if now == before:
            return True
        before = now
        await asyncio.sleep(0.5)
    return False


async def test_a_stream_that_is_left_stops_the_generation(model: LlamaCpp) -> None:
    ctx = Context("r")
    events = await stream(model, ctx, **LONG)
    async for _ in events:
        break
    await events.aclose()
    assert await _is_idle(model)
    assert 1 <= (ctx.usage.completion_tokens or 0) < 50


async def test_a_whole_answer_that_is_left_stops_the_generation(model: LlamaCpp) -> None:
    ctx = Context("r")
    task = asyncio.create_task(complete(model, ctx, **LONG))
    async with asyncio.timeout(60):
        while not ctx.usage.completion_tokens:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _is_idle(model)
    assert 1 <= (ctx.usage.completion_tokens or 0) < 200


async def test_one_that_is_left_while_it_waits_never_begins(model: LlamaCpp) -> None:
    busy = [await stream(model, **LONG) for _ in range(2)]
    waiting = asyncio.create_task(complete(model, ctx := Context("r"), **LONG))
    await asyncio.sleep(0.2)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    for events in busy:
        await events.aclose()
    assert await _is_idle(model)
    assert ctx.usage.completion_tokens is None


async def test_more_than_may_wait_are_refused(model: LlamaCpp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_WAITING", 5)
    asked = (complete(model, prompt=COUNT, max_tokens=4, ignore_eos=True) for _ in range(7))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, StackError)]
    assert [(each.status, each.code) for each in refused] == [(503, "model_overloaded")] * 2
    assert (await complete(model, prompt=COUNT, max_tokens=2))["usage"]["completion_tokens"] == 2


async def test_many_at_once_all_answer_and_the_loop_is_free(model: LlamaCpp) -> None:
    late = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal late
        while not done.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - before)

    watching = asyncio.create_task(watch())
    answers = await asyncio.gather(*(complete(model, prompt=COUNT, max_tokens=4, temperature=0) for _ in range(20)))
    done.set()
    await watching
    assert all(answer["choices"][0]["text"].startswith(" eight nine") for answer in answers)
    assert late < 0.5


# ── what cannot be done ─────────────────────────────────────────────────────────────────────────────────────────────

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "array", "items": {"type": "integer"}, "minItems": 5, "maxItems": 2}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "schema-nothing-can-meet": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
        "minIt",
    ),
    "schema-of-no-type": ({"response_format": {"type": "json_object", "schema": {"type": "nothing"}}}, "nothing"),
    "too-many-choices": ({"n": 3}, "n"),
    "no-such-tool": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "nope"}}},
        "'nope', which is none of the tools",
    ),
    "no-grammar": ({"grammar": "root ::= ((("}, "grammar"),
    "a-grammar-too-large": (
        {"grammar": "root ::= " + " | ".join(f'"{number}"' for number in range(20_000))},
        "grammar is too large: 188896 bytes",
    ),
    "schemas-too-large": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": ["x" * 300_000]}}}},
        "response_format is too large",
    ),
    "a-talk-that-cannot-fit": (
        {"messages": [{"role": "user", "content": "a " * 5_000_000}]},
        "the request has more: messages has 10000000 characters",
    ),
}


@pytest.mark.parametrize(("body", "word"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("streams", [False, True])
async def test_what_cannot_be_done_is_a_bad_request(
    model: LlamaCpp, body: dict[str, Any], word: str, streams: bool
) -> None:
    with pytest.raises(BadRequest, match=word):
        await model.create_chat_completion(_chat({**body, "stream": streams}), Context("r"))
    assert (await complete(model, prompt=COUNT, max_tokens=1))["choices"]


@pytest.mark.parametrize("body", [{"echo": True}, {"suffix": "x"}, {"best_of": 3}], ids=["echo", "suffix", "best_of"])
async def test_what_would_be_passed_over_is_refused(model: LlamaCpp, body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="not supported"):
        await complete(model, prompt=COUNT, **body)


@pytest.mark.parametrize("streams", [False, True])
async def test_a_context_overflow_tells_the_numbers(model: LlamaCpp, streams: bool) -> None:
    request = _chat({"messages": [{"role": "user", "content": "a " * 3000}], "stream": streams})
    with pytest.raises(BadRequest, match="context is 1024 tokens, and the request has 30") as caught:
        await model.create_chat_completion(request, Context("r"))
    assert caught.value.code == "context_length_exceeded"


async def test_a_model_for_text_makes_no_embeddings(model: LlamaCpp) -> None:
    request = CreateEmbeddingRequest.model_validate({"model": "gemma", "input": "x"})
    with pytest.raises(BadRequest, match="does not offer embeddings"):
        await model.create_embedding(request, Context("r"))


async def test_a_model_without_a_template_completes_and_does_not_chat(caplog: pytest.LogCaptureFixture) -> None:
    async with open_llama_cpp(LlamaCppConfig(model=str(gemma()), context_size=256), instance="here") as bare:
        assert "has no chat template" in caplog.text
        with pytest.raises(BadRequest, match="has no chat template; use /v1/completions"):
            await bare.create_chat_completion(_chat({}), Context("r"))
        assert (await complete(bare, prompt=COUNT, max_tokens=2))["choices"][0]["text"]


# ── embeddings, beside the other model ──────────────────────────────────────────────────────────────────────────────


async def test_embeddings_of_a_second_model(model: LlamaCpp) -> None:
    config = LlamaCppConfig(model=str(gemma()), embeddings=True, context_size=256, threads=2)

    async with open_llama_cpp(config, instance="there") as second:

        async def embed(**body: Any) -> dict[str, Any]:
            request = CreateEmbeddingRequest.model_validate({"model": "gemma", **body})
            return dict(json.loads((await second.create_embedding(request, ctx)).body))

        ctx = Context("r")
        texts = ["The cat sleeps.", "The cat is asleep.", "Quarterly tax revenue"]
        answer, _ = await asyncio.gather(embed(input=texts), complete(model, prompt=COUNT, max_tokens=4))
        cat, asleep, tax = (each["embedding"] for each in answer["data"])
        assert dot(cat, asleep) > dot(cat, tax)
        assert ctx.usage.prompt_tokens == answer["usage"]["prompt_tokens"] > 0
        assert [(each.model_type, each.metadata["embedding_dimension"]) for each in await second.list_models()] == [
            ("embedding", 640)
        ]
        for refused, word in (
            ({"input": "a " * 600}, "context is 256 tokens"),
            ({"input": "x", "dimensions": 4}, "4 dim"),
        ):
            with pytest.raises(StackError, match=word) as caught:
                await embed(**refused)
            assert caught.value.status == 400
        with pytest.raises(BadRequest, match="does not offer chat completions"):
            await second.create_chat_completion(_chat({}), Context("r"))


async def test_numbers_beyond_32_bits_are_no_other_numbers(model: LlamaCpp) -> None:
    events = await stream(model, prompt=COUNT, max_tokens=2**32 + 1, seed=2**70, ignore_eos=True)
    seen = 0
    async for _ in events:
        seen += 1
        if seen == 5:
            break
    await events.aclose()
    assert seen == 5
    assert (await complete(model, prompt=COUNT, max_tokens=3, repeat_last_n=2**31 - 1))["choices"]


async def test_closing_refuses_what_runs_and_what_waits_and_what_comes() -> None:
    config = LlamaCppConfig(model=str(gemma()), context_size=1024, slots=1, threads=2)
    async with open_llama_cpp(config, instance="here") as provider:
        runs = Context("r")
        tasks = [asyncio.create_task(complete(provider, ctx, **LONG)) for ctx in (runs, Context("r"))]
        while not runs.usage.completion_tokens:
            await asyncio.sleep(0.01)
    tasks.append(asyncio.create_task(complete(provider, **LONG)))
    for answer in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(answer, Unavailable), answer
        assert answer.code == "server_stopping"
