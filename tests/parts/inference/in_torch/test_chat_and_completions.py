"""What of a request inline::transformers honours, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from asking import Model, content, events
from parts.providers.inference.transformers import TransformersConfig, open_transformers
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]

SAMPLE: dict[str, Any] = {"temperature": 1.0, "seed": 3}


# ── what a request asks for ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_model_says_what_it_was_taught(ponger: Model) -> None:
    ctx = Context("r")
    answer = await ponger.chat("ping", ctx)
    assert content(answer) == "pong"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["prompt_tokens"] == ctx.usage.prompt_tokens > 4
    assert answer["usage"]["completion_tokens"] == ctx.usage.completion_tokens > 0
    assert answer["model"] == "pong"


async def test_a_stream_says_what_the_whole_answer_says(model: Model) -> None:
    whole = await model.chat(max_tokens=30, **SAMPLE)
    said = await events(await model.chat_stream(max_tokens=30, stream_options={"include_usage": True}, **SAMPLE))
    deltas = [event["choices"][0]["delta"] for event in said if event["choices"]]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content") or "" for delta in deltas) == content(whole)
    assert said[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert said[-1]["usage"] == whole["usage"]
    assert len({event["id"] for event in said}) == 1


async def test_a_stream_never_splits_a_character(model: Model) -> None:
    bias = {str(token): 100 for token in model.tokens("日本語🦙")}
    asked = {"max_tokens": 120, "logit_bias": bias, "temperature": 1.5, "seed": 1}
    whole = (await model.complete("日", **asked))["choices"][0]["text"]
    said = await events(await model.stream("日", **asked))
    pieces = [event["choices"][0]["text"] for event in said]
    assert "".join(pieces) == whole
    # Were characters split, there would be more broken ones in the pieces than in the whole.
    assert "".join(pieces).count("\ufffd") == whole.count("\ufffd")
    assert len(pieces) > 5


async def test_several_choices_differ_and_repeat_with_their_seed(model: Model) -> None:
    first, second = [await model.chat(max_tokens=12, n=3, **SAMPLE) for _ in range(2)]
    texts = [choice["message"]["content"] for choice in first["choices"]]
    assert [choice["index"] for choice in first["choices"]] == [0, 1, 2]
    assert len(set(texts)) == 3
    assert texts == [choice["message"]["content"] for choice in second["choices"]]
    assert first["usage"]["completion_tokens"] == 36


async def test_several_prompts_as_texts_and_as_tokens(model: Model) -> None:
    texts = await model.complete(["ping", "hello there"], max_tokens=4, n=2)
    assert [choice["index"] for choice in texts["choices"]] == [0, 1, 2, 3]
    ids = [model.tokens(text) for text in ("ping", "hello there")]
    tokens = await model.complete(ids, max_tokens=4, n=2)
    assert [each["text"] for each in tokens["choices"]] == [each["text"] for each in texts["choices"]]
    assert texts["usage"]["prompt_tokens"] == sum(map(len, ids))


async def test_a_stop_string_ends_the_text_before_it_be_it_of_several_tokens(model: Model) -> None:
    text = (await model.complete("ping", max_tokens=40, **SAMPLE))["choices"][0]["text"]
    stop = text[10:14]
    answer = (await model.complete("ping", max_tokens=40, stop=[stop, "never in there"], **SAMPLE))["choices"][0]
    assert answer["text"] == text[: text.index(stop)]
    assert answer["finish_reason"] == "stop"
    said = await events(await model.stream("ping", max_tokens=40, stop=stop, **SAMPLE))
    assert "".join(event["choices"][0]["text"] for event in said) == answer["text"]
    assert said[-1]["choices"][0]["finish_reason"] == "stop"


async def test_log_probabilities_of_a_chat(ponger: Model) -> None:
    choice = (await ponger.chat("ping", logprobs=True, top_logprobs=3))["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == "pong"
    assert b"".join(bytes(token["bytes"]) for token in tokens) == b"pong"
    for token in tokens:
        assert token["logprob"] > -0.5
        assert [top["logprob"] for top in token["top_logprobs"]] == sorted(
            (top["logprob"] for top in token["top_logprobs"]), reverse=True
        )
        assert token["top_logprobs"][0]["token"] == token["token"]
        assert len(token["top_logprobs"]) == 3
    said = await events(await ponger.chat_stream("ping", logprobs=True, top_logprobs=3))
    told = [event["choices"][0]["logprobs"] for event in said if event["choices"][0]["logprobs"]]
    assert [token["token"] for each in told for token in each["content"]] == [token["token"] for token in tokens]


async def test_log_probabilities_of_a_completion(model: Model) -> None:
    choice = (await model.complete("ping", max_tokens=6, logprobs=2, logit_bias={"75": 100}))["choices"][0]
    logprobs = choice["logprobs"]
    assert [len(logprobs[key]) for key in ("tokens", "token_logprobs", "top_logprobs", "text_offset")] == [6] * 4
    assert all(len(top) == 2 for top in logprobs["top_logprobs"])
    assert logprobs["text_offset"] == [0, 1, 2, 3, 4, 5]


async def test_a_bias_is_added(model: Model) -> None:
    letter = model.tokens("k")[0]
    always = {"logit_bias": {str(letter): 60}}
    assert (await model.complete("ping", max_tokens=5, **always))["choices"][0]["text"] == "kkkkk"


async def test_penalties_are_taken_off_what_was_said(model: Model) -> None:
    a, b = (model.tokens(each)[0] for each in "kq")
    asked = {"max_tokens": 4, "logit_bias": {str(a): 60.5, str(b): 59.5}}
    assert (await model.complete("ping", **asked))["choices"][0]["text"] == "kkkk"
    assert (await model.complete("ping", presence_penalty=2, **asked))["choices"][0]["text"].startswith("kq")
    assert (await model.complete("ping", frequency_penalty=2, **asked))["choices"][0]["text"].startswith("kq")


async def test_what_the_model_wants_holds_where_the_request_says_nothing(folders: dict[str, Path]) -> None:
    config = TransformersConfig(model=str(folders["llama"]), torch_seed=4)
    async with open_transformers(config, instance="here") as provider:
        model = Model(provider)
        assert provider.text is not None
        said = dict(provider.text.model.defaults.said)
        provider.text.model.defaults.said = {**said, "do_sample": True, "temperature": 1.5}
        first, second = [await model.complete("ping", max_tokens=12) for _ in range(2)]
        explicit = await model.complete("ping", max_tokens=12, temperature=1.5, seed=4)
        greedy = await model.complete("ping", max_tokens=12, temperature=0)
        texts = [answer["choices"][0]["text"] for answer in (first, second, explicit, greedy)]
        assert texts[0] == texts[1] == texts[2] != texts[3]


# ── what cannot be done ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [{"echo": True}, {"suffix": "x"}, {"best_of": 3}], ids=["echo", "suffix", "best_of"])
async def test_what_would_be_passed_over_is_refused(model: Model, body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="not supported") as caught:
        await model.complete("x", **body)
    assert caught.value.param == next(iter(body))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "functions": ({"functions": [{"name": "f"}]}, "functions"),
    "bias-of-no-token": ({"logit_bias": {"99999": 1}}, "logit_bias"),
    "top-k": ({"top_k": "many"}, "top_k"),
    "empty-stop": ({"stop": [""]}, "stop"),
    "no-room": ({"max_tokens": 0}, "at least 1"),
    "image": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]},
        "image_url",
    ),
    "old-role": ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "role 'function'"),
    "template-raises": (
        {"messages": [{"role": "tool", "content": "x", "tool_call_id": ""}]},
        "a tool answers no call",
    ),
}


@pytest.mark.parametrize(("body", "word"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("streams", [False, True])
async def test_what_cannot_be_done_is_a_bad_request(
    model: Model, body: dict[str, Any], word: str, streams: bool
) -> None:
    with pytest.raises(BadRequest, match=word):
        await (model.chat_stream if streams else model.chat)(**body)
    assert (await model.complete("x", max_tokens=1))["choices"]


@pytest.mark.parametrize("streams", [False, True])
async def test_a_context_overflow_tells_the_numbers(model: Model, streams: bool) -> None:
    with pytest.raises(BadRequest, match="context is 1024 tokens, and the request has 12") as caught:
        await (model.stream if streams else model.complete)([5] * 1200)
    assert caught.value.code == "context_length_exceeded"


async def test_an_answer_ends_with_the_context(model: Model) -> None:
    answer = await model.complete([5] * 1020, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == 4
    assert answer["choices"][0]["finish_reason"] == "length"


async def test_another_template_and_none(folders: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "own.jinja"
    file.write_text("{{ messages[0].content }}!")
    config = TransformersConfig(model=str(folders["llama"]), chat_template=str(file))
    async with open_transformers(config, instance="here") as provider:
        model = Model(provider)
        chat = await model.chat("ping", max_tokens=5)
        assert content(chat) == (await model.complete("ping!", max_tokens=5))["choices"][0]["text"]
        tool = {"type": "function", "function": {"name": "f"}}
        with pytest.raises(BadRequest, match="knows no tools"):
            await model.chat("ping", tools=[tool])
        assert provider.text is not None
        provider.text.chats = False
        with pytest.raises(BadRequest, match="has no chat template") as caught:
            await model.chat()
        assert caught.value.code == "no_chat_template"


async def test_a_model_for_text_does_not_rerank(model: Model) -> None:
    from parts.contracts.inference.requests import RerankRequest

    request = RerankRequest.model_validate({"model": "m", "query": "x", "items": ["y"]})
    with pytest.raises(StackError, match="does not offer rerank") as caught:
        await model.provider.rerank(request, Context("r"))
    assert (caught.value.status, caught.value.code) == (400, "unsupported_operation")
