"""Answers that must fit: schemas and tools, with a model of random weights."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from asking import Model, content, events
from parts.providers.inference.torch_text.tools import HERMES, LLAMA, MISTRAL, Call, Format, Reader
from parts.runtime.errors import BadRequest

pytestmark = pytest.mark.torch
on_the_loop = pytest.mark.asyncio(loop_scope="module")

NAMES = st.sampled_from(["a", "b", "c", "d"])
LEAVES = st.one_of(
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": "number"}, {"type": "integer"}]),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-9, 9),
        st.integers(0, 99),
    ),
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
        st.integers(0, 3),
        st.integers(0, 9),
    ),
    st.builds(
        lambda values: {"enum": values},
        st.lists(st.sampled_from(["x", "yy", 1, None, True]), min_size=1, max_size=3),
    ),
    st.sampled_from([{"type": "string"}, {"type": "string", "pattern": "^[a-f]{2,5}$"}, {"const": "k"}]),
)


def _object(properties: dict[str, Any], required: int, closed: bool) -> dict[str, Any]:
    found = {"type": "object", "properties": properties, "required": sorted(properties)[:required]}
    return {**found, "additionalProperties": False} if closed else found


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(_object, st.dictionaries(NAMES, inner, max_size=3), st.integers(0, 3), st.booleans()),
        st.builds(lambda items, most: {"type": "array", "items": items, "maxItems": most}, inner, st.integers(0, 3)),
        st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=5,
)


def schemas(count: int) -> list[dict[str, Any]]:
    """So many that differ, the same in every run."""
    found: dict[str, dict[str, Any]] = {}

    @settings(max_examples=count * 4, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(SCHEMAS)
    def keep(schema: dict[str, Any]) -> None:
        found.setdefault(json.dumps(schema, sort_keys=True), schema)

    keep()
    assert len(found) >= count
    # From the smallest to the largest that were made.
    every = sorted(found.values(), key=lambda schema: len(json.dumps(schema)))
    return [every[number * len(every) // count] for number in range(count)]


def form(schema: dict[str, Any]) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}


@on_the_loop
async def test_answers_fit_fifty_schemas(model: Model) -> None:
    every = schemas(50)
    asked = {"temperature": 1.0, "max_tokens": 240}
    answers = await asyncio.gather(
        *(model.chat(seed=number, **asked, **form(schema)) for number, schema in enumerate(every))
    )
    for schema, answer in zip(every, answers, strict=True):
        try:
            jsonschema.validate(json.loads(content(answer)), schema)
        except (ValueError, jsonschema.ValidationError) as error:
            pytest.fail(f"{content(answer)!r} does not fit {schema}: {error}")


@on_the_loop
async def test_a_json_object_is_one_and_comes_to_an_end(model: Model) -> None:
    for seed in range(5):
        asked = {"response_format": {"type": "json_object"}, "max_tokens": 100, "temperature": 1.2, "seed": seed}
        assert isinstance(json.loads(content(await model.chat(**asked))), dict)


@on_the_loop
async def test_an_answer_that_does_not_fit_its_limit_says_so(model: Model) -> None:
    schema = {"type": "string", "minLength": 500}
    answer = await model.chat(max_tokens=20, **form(schema))
    assert answer["choices"][0]["finish_reason"] == "length"


UNFIT: dict[str, Any] = {
    "contradiction": {"type": "array", "items": {"type": "integer"}, "minItems": 5, "maxItems": 2},
    "no-type": {"type": "nothing"},
    "empty-enum": {"enum": []},
    "itself": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
    "not-known": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    "look-ahead": {"type": "string", "pattern": "^(?=a)b$"},
}


@on_the_loop
@pytest.mark.parametrize("schema", UNFIT.values(), ids=UNFIT)
@pytest.mark.parametrize("streams", [False, True])
async def test_a_schema_that_nothing_fits_is_refused(model: Model, schema: dict[str, Any], streams: bool) -> None:
    with pytest.raises(BadRequest) as caught:
        await (model.chat_stream if streams else model.chat)(max_tokens=50, **form(schema))
    assert (caught.value.code, caught.value.param) == ("invalid_json_schema", "response_format")


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CLOSED = {"type": "object", "additionalProperties": False}
CITY = {**CLOSED, "properties": {"city": {"enum": ["Rome", "Ulm"]}}, "required": ["city"]}
LEVEL = {
    **CLOSED,
    "properties": {"level": {"$ref": "#/$defs/l"}},
    "required": ["level"],
    "$defs": {"l": {"type": "integer", "minimum": 1, "maximum": 5}},
}
PARAMETERS = {"weather": CITY, "set_level": LEVEL}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": each}} for name, each in PARAMETERS.items()]


def check(call: dict[str, Any]) -> str:
    """The name of a call whose arguments fit."""
    function = call["function"]
    jsonschema.validate(json.loads(function["arguments"]), PARAMETERS[function["name"]])
    return str(function["name"])


@on_the_loop
@pytest.mark.parametrize("seed", range(4))
async def test_a_tool_that_must_be_called_is_called(model: Model, seed: int) -> None:
    asked: dict[str, Any] = {"tools": TOOLS, "max_tokens": 400, "temperature": 1.0, "seed": seed}
    choice = (await model.chat(tool_choice="required", **asked))["choices"][0]
    assert choice["message"]["content"] is None
    assert {check(call) for call in choice["message"]["tool_calls"]} <= set(PARAMETERS)
    named = {"type": "function", "function": {"name": "set_level"}}
    choice = (await model.chat(tool_choice=named, parallel_tool_calls=False, **asked))["choices"][0]
    assert [check(call) for call in choice["message"]["tool_calls"]] == ["set_level"]
    assert choice["finish_reason"] == "tool_calls"


@on_the_loop
async def test_a_stream_of_calls(model: Model) -> None:
    asked: dict[str, Any] = {"tools": TOOLS, "max_tokens": 400, "tool_choice": "required", "parallel_tool_calls": False}
    said = await events(await model.chat_stream(**asked))
    calls = [call for event in said for call in event["choices"][0]["delta"].get("tool_calls", [])]
    assert [call["index"] for call in calls] == [0]
    assert calls[0]["id"].startswith("call_")
    check(calls[0])
    assert said[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert not any(event["choices"][0]["delta"].get("content") for event in said)


@on_the_loop
async def test_calls_and_their_answers_go_back_to_the_model(model: Model) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Where"}, {"type": "text", "text": "to?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
    assert (await model.chat(messages=messages, tools=TOOLS, max_tokens=2))["usage"]["completion_tokens"] == 2


@on_the_loop
async def test_a_tool_that_is_none_is_refused(model: Model) -> None:
    named = {"type": "function", "function": {"name": "nope"}}
    with pytest.raises(BadRequest, match="'nope', which is none of the tools"):
        await model.chat(tools=TOOLS, tool_choice=named)


WRITTEN: dict[str, tuple[Format, str, list[str | Call]]] = {
    "hermes": (
        HERMES,
        'So:\n<tool_call>\n{"name": "f", "arguments": {"x": "é"}}\n</tool_call>\n'
        '<tool_call>{"name": "g", "arguments": {}}</tool_call>',
        ["So:\n", Call(name="f", arguments='{"x": "é"}'), Call(name="g", arguments="{}")],
    ),
    "hermes-no-call": (HERMES, "a < b, <tool", ["a < b, <tool"]),
    "hermes-broken": (HERMES, "<tool_call>{oops</tool_call>", ["<tool_call>{oops</tool_call>"]),
    "mistral-list": (
        MISTRAL,
        '[TOOL_CALLS][{"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": {}}]',
        [Call(name="f", arguments='{"x": 1}'), Call(name="g", arguments="{}")],
    ),
    "mistral-named": (MISTRAL, '[TOOL_CALLS]f[ARGS]{"x": 1}', [Call(name="f", arguments='{"x": 1}')]),
    "mistral-two": (
        MISTRAL,
        '[TOOL_CALLS]f{"x": 1}[TOOL_CALLS]g[ARGS]{}',
        [Call(name="f", arguments='{"x": 1}'), Call(name="g", arguments="{}")],
    ),
    "llama": (LLAMA, '{"name": "f", "parameters": {"x": 1}}', [Call(name="f", arguments='{"x": 1}')]),
    "llama-tag": (LLAMA, '<|python_tag|>{"name": "f", "parameters": {}}', [Call(name="f", arguments="{}")]),
    "llama-two": (
        LLAMA,
        '{"name": "f", "parameters": {}}; {"name": "g", "parameters": {}}',
        [Call(name="f", arguments="{}"), Call(name="g", arguments="{}")],
    ),
    "llama-text": (LLAMA, "No call {at all}.", ["No call {at all}."]),
    "llama-other-json": (LLAMA, '{"x": 1}', ['{"x": 1}']),
}


@pytest.mark.parametrize(("form", "text", "wanted"), WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_calls_are_read_from_pieces_of_any_size(form: Format, text: str, wanted: list[str | Call], size: int) -> None:
    reader = Reader(form)
    parts = [part for first in range(0, len(text), size) for part in reader.feed(text[first : first + size])]
    parts += reader.finish()
    found: list[str | Call] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    assert [each for each in found if not (isinstance(each, str) and not each.strip())] == wanted
