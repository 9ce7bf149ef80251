"""What a model is asked for a row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.contracts.eval.requests import ModelCandidate
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.contracts.shared.sampling import SamplingParams
from parts.providers.eval.runs.asking import asked, messages_of
from parts.providers.eval.runs.sampling import options
from parts.runtime.errors import BadRequest
from parts.runtime.http_request import validate

PLAIN = ModelCandidate(type="model", model="m")
HI = {"role": "user", "content": "hi"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "x"]), inner),
    max_leaves=6,
)


def body(row: dict[str, object], **said: object) -> dict[str, object]:
    candidate = ModelCandidate.model_validate({"type": "model", "model": "m", **said})
    document = json.loads(asked(row, candidate).body)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("said", [[HI], HI, json.dumps([HI]), json.dumps(HI)])
def test_messages_stand_in_the_row_or_in_a_text(said: object) -> None:
    assert body({"chat_completion_input": said, "input_query": "no"})["messages"] == [HI]


def test_messages_keep_their_order_behind_the_candidates_instructions() -> None:
    talk = [{"role": "assistant", "content": "2", "stop_reason": "end_of_turn"}, {**HI, "context": None}]
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert body({"chat_completion_input": talk}, system_message=system)["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "assistant", "content": "2"},
        HI,
    ]


def test_an_image_of_llama_stack_is_one_of_openai() -> None:
    for source, url in (({"url": {"uri": "https://x/y.png"}}, "https://x/y.png"), ({"data": "AA"}, "base64,AA")):
        content = [{"type": "text", "text": "?"}, {"type": "image", "image": source}]
        shown = messages_of({"chat_completion_input": [{"role": "user", "content": content}]})[0]["content"]
        assert isinstance(shown, list)
        assert shown[0] == content[0]
        assert str(shown[1]["image_url"]["url"]).endswith(url)


@pytest.mark.parametrize(("said", "prompt"), [("Once", "Once"), ('"Once"', "Once"), ("42", "42"), ("{", "{")])
def test_a_prompt_is_a_text_or_json_that_is_one(said: str, prompt: str) -> None:
    question = asked({"completion_input": said}, PLAIN)
    assert (question.kind, json.loads(question.body)) == ("completion", {"model": "m", "prompt": prompt})


def test_a_row_of_neither_asks_its_query() -> None:
    assert body({"input_query": "hi"})["messages"] == [HI]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"input_query": 1},
        {"completion_input": 1},
        {"chat_completion_input": []},
        {"chat_completion_input": "hi"},
        {"chat_completion_input": [1]},
        {"chat_completion_input": [{"role": "user", "content": [1]}]},
        {"chat_completion_input": [{"role": "user", "content": {"type": "image", "image": {}}}]},
    ],
)
def test_a_row_that_asks_nothing_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as refusal:
        asked(row, PLAIN)
    assert refusal.value.code == "invalid_row"


@given(said=JSON)
def test_whatever_a_row_holds_is_asked_or_refused(said: object) -> None:
    try:
        question = asked({"chat_completion_input": said}, PLAIN)
        validate(CreateChatCompletionRequest, question.body)
    except BadRequest:
        return
    assert json.loads(question.body)["messages"]


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({}, {}),
        ({"strategy": {"type": "greedy"}, "max_tokens": 0, "repetition_penalty": 1.0}, {"temperature": 0.0}),
        ({"strategy": {"type": "top_p", "temperature": 0.5}}, {"temperature": 0.5, "top_p": 0.95}),
        ({"strategy": {"type": "top_p", "top_p": 0.1}}, {"top_p": 0.1}),
        ({"strategy": {"type": "top_k", "top_k": 3}}, {"top_k": 3}),
        ({"max_tokens": 9, "stop": ["."], "repetition_penalty": 1.2}, None),
        ({"stop": []}, {}),
    ],
)
def test_a_model_chooses_its_words_as_it_is_told(said: dict[str, object], sent: dict[str, object] | None) -> None:
    assert options(SamplingParams.model_validate(said)) == (said if sent is None else sent)
