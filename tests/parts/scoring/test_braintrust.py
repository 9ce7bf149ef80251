"""Autoevals' functions, before the suite of scoring and by what each makes of a model's answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from parts.providers.scoring.braintrust import FUNCTIONS, Braintrust, BraintrustConfig, open_braintrust
from parts.runtime.context import Context
from parts.runtime.dataset_rows import Row
from parts.runtime.errors import StackError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from parts.testing.scoring import ScoringSuite
from upstreams import FakeUpstream, Script, Seen, answers, fake_upstream, refuses, shows_html

KEY = "sk-very-secret-key-0123456789"
CTX = Context("r")
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=2.0, read=2.0), retries=0)
ROW: Row = {
    "input_query": "Who wrote it?",
    "generated_answer": "Ada wrote it.",
    "expected_answer": "Ada",
    "context": ["Ada wrote notes.", "It rained."],
}


def vector(text: str) -> list[float]:
    """Texts that speak of Ada are alike, others are not."""
    return [1.0, 0.0] if "Ada" in text else [0.0, 1.0]


def grading(said: Mapping[str, object]) -> Script:
    """A fake of OpenAI: said has what is answered, by the name of the form that is asked for; or a list, by turns."""
    turns = {name: iter(value) for name, value in said.items() if isinstance(value, list)}

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.path.endswith("/embeddings"):
            data = [
                {"object": "embedding", "index": n, "embedding": vector(text)}
                for n, text in enumerate(seen.json["input"])  # type: ignore[arg-type, var-annotated]
            ]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            return await answers({"object": "list", "data": data, "model": "e", "usage": usage})(seen, writer)
        name = seen.json["response_format"]["json_schema"]["name"]  # type: ignore[index]
        value = next(turns[name]) if name in turns else said[name]
        content = value if isinstance(value, str) else json.dumps(value)
        return await answers(completion(content))(seen, writer)

    return script


def completion(content: str | None) -> dict[str, object]:
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


@asynccontextmanager
async def opened(script: Script) -> AsyncIterator[tuple[Braintrust, FakeUpstream]]:
    async with fake_upstream(script) as fake:
        config = BraintrustConfig(openai_api_key=Secret(KEY), base_url=fake.url, network=QUICK)
        async with open_braintrust(config, instance="braintrust", credential="openai_api_key") as made:
            yield made, fake


async def score(function: str, said: Mapping[str, object], **row: object) -> object:
    async with opened(grading(said)) as (made, _):
        return (await made.score(f"braintrust::{function}", None, [{**ROW, **row}], CTX)).score_rows[0]["score"]


class TestBraintrust(ScoringSuite):
    function = "braintrust::answer-similarity"
    rows = (ROW, {**ROW, "generated_answer": "Nobody knows."})
    scores = (1.0, 0.0)

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Braintrust]:
        async with opened(grading({})) as (made, _):
            yield made


async def test_facts() -> None:
    for choice, expected in (("A", 0.4), ("B", 0.6), ("C", 1.0), ("D", 0.0), ("E", 1.0), ("Z", None)):
        assert await score("factuality", {"factuality": {"reasons": "so", "choice": choice}}) == expected


async def test_correctness_is_of_statements_and_of_likeness() -> None:
    said = {"correctness": {"supported": ["a", "b", "c"], "unsupported": ["d"], "missing": ["e"]}}
    assert await score("answer-correctness", said) == pytest.approx(0.75 * 3 / 4 + 0.25)
    nothing = {"correctness": {"supported": [], "unsupported": [], "missing": []}}
    assert await score("answer-correctness", nothing, generated_answer="?") == 0.0


async def test_relevancy_is_of_questions_that_the_answer_answers() -> None:
    asked = [{"question": text, "noncommittal": False} for text in ("Of Ada?", "Of what?", "Ada?")]
    assert await score("answer-relevancy", {"question": asked}, input_query="Ada who?") == pytest.approx(2 / 3)
    evasive = [*asked[:2], {"question": "Ada?", "noncommittal": True}]
    assert await score("answer-relevancy", {"question": evasive}, input_query="Ada who?") == 0.0


async def test_faithfulness_is_of_statements_that_follow() -> None:
    verdicts = [{"statement": "a", "reason": "", "follows": follows} for follows in (True, False, True)]
    said = {"statements": {"statements": ["a", "b", "c"]}, "support": {"verdicts": verdicts}}
    assert await score("faithfulness", said) == pytest.approx(2 / 3)
    assert await score("faithfulness", {"statements": {"statements": []}}) is None


async def test_contexts() -> None:
    entities = [{"entities": ["Ada Lovelace", "1843"]}, {"entities": ["ada  lovelace", "London"]}]
    assert await score("context-entity-recall", {"entities": entities}) == 0.5
    for useful in (True, False):
        assert await score("context-precision", {"usefulness": {"reason": "", "useful": useful}}) == float(useful)
    sentences = [{"sentence": "s", "reason": "", "attributed": attributed} for attributed in (True, True, False, False)]
    assert await score("context-recall", {"attribution": {"sentences": sentences}}) == 0.5
    assert await score("context-recall", {"attribution": {"sentences": []}}) == 0.0
    context = "Ada wrote notes.\nIt rained."
    copied = {"relevance": {"sentences": ["Ada wrote notes."]}}
    assert await score("context-relevancy", copied) == pytest.approx(16 / len(context))
    assert await score("context-relevancy", copied, context="") == 0.0


async def test_the_key_of_a_client_goes_before_the_servers() -> None:
    async with opened(grading({})) as (made, fake):
        mine = Context("r", provider_data={"openai_api_key": Secret("sk-of-the-client-0123456789")})
        await made.score("braintrust::answer-similarity", None, [ROW], mine)
        await made.score("braintrust::answer-similarity", None, [ROW], CTX)
        sent = [each.headers["authorization"] for each in fake.requests]
        assert sent == ["Bearer sk-of-the-client-0123456789", f"Bearer {KEY}"]


async def test_what_a_row_says_is_not_a_place_for_more() -> None:
    async with opened(grading({"factuality": {"reasons": "", "choice": "C"}})) as (made, fake):
        row = {**ROW, "input_query": "{expected}", "generated_answer": "{input}"}
        await made.score("braintrust::factuality", None, [row], CTX)
        asked = fake.requests[0].json["messages"][0]["content"]  # type: ignore[index]
        assert "[Question]\n{expected}\n" in asked
        assert "[Answer]\n{input}\n" in asked


@pytest.mark.parametrize(
    "script",
    [
        refuses(500),
        refuses(401, f"{KEY} is not known"),
        shows_html(),
        answers({"choices": []}),
        answers(completion(None)),
        answers(completion("I think it is fine.")),
        answers(completion("[]")),
        answers(completion('{"choice": "A"}')),
        answers({"object": "list", "data": [], "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1}}),
    ],
)
async def test_bad_luck_is_an_error_and_no_score(script: Script) -> None:
    async with opened(script) as (made, _):
        for function in ("factuality", "answer-similarity"):
            with pytest.raises(StackError) as refusal:
                await made.score(f"braintrust::{function}", None, [ROW, ROW], CTX)
            assert KEY not in refusal.value.message
            assert refusal.value.status in (401, 502)


def test_all_of_llama_stacks_are_there() -> None:
    assert len(FUNCTIONS) == 9
