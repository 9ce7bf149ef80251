"""Rewriting a body changes the model and the wish for usage, and nothing else."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.runtime.splice import members, rewrite

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ['"model"', 'a "model": "b"', "model", "stream_options", '\\"model', "}", "{", '","']
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text | st.just("model"), inner, max_size=4),
    max_leaves=12,
)
options = st.none() | st.dictionaries(st.sampled_from(["include_usage", "other"]), scalars, max_size=2)


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """A JSON object with a top-level model, in any order, spacing and spelling, with keys repeated or not."""
    pairs = draw(
        st.lists(st.tuples(text, values).filter(lambda p: p[0] not in ("model", "stream_options")), max_size=5)
    )
    pairs += draw(st.lists(st.tuples(st.just("model"), text), min_size=1, max_size=2))
    pairs += draw(st.lists(st.tuples(st.just("stream_options"), options), max_size=2))
    ascii_only = draw(st.booleans())
    indent = draw(st.sampled_from([None, 0, 2]))
    colon = draw(st.sampled_from([":", ": ", " :\n"]))
    written = []
    for key, value in draw(st.permutations(pairs)):
        name = json.dumps(key, ensure_ascii=ascii_only)
        if key and draw(st.integers(0, 4)) == 0:
            name = '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in key) + '"'
        written.append(f"{name}{colon}{json.dumps(value, ensure_ascii=ascii_only, indent=indent)}")
    return draw(st.sampled_from(["", " ", "\n\t"])) + "{" + ", ".join(written) + "}\n"


@given(bodies(), text)
def test_only_the_model_changes(body: str, model: str) -> None:
    assert json.loads(rewrite(body.encode(), model=model)) == {**json.loads(body), "model": model}


@given(bodies(), text)
def test_a_stream_asks_for_usage_and_keeps_its_other_options(body: str, model: str) -> None:
    parsed = json.loads(body)
    asked = {**(parsed.get("stream_options") or {}), "include_usage": True}
    changed = json.loads(rewrite(body.encode(), model=model, include_usage=True))
    assert changed == {**parsed, "model": model, "stream_options": asked}


@given(bodies())
def test_members_are_those_of_the_outermost_object(body: str) -> None:
    raw = body.encode()
    found = [(m.key, json.loads(raw[m.start : m.end])) for m in members(raw)]
    assert dict(found) == json.loads(body)


@pytest.mark.parametrize("number", ["123456789012345678901234567890", "1.10", "1E400", "-0.0", "0.1000000000000000055"])
def test_numbers_keep_their_spelling(number: str) -> None:
    body = f'{{"tools": [{{"model": "x"}}], "seed": {number}, "model": "a"}}'.encode()
    assert rewrite(body, model="b") == body.replace(b'"a"', b'"b"')


def test_order_and_blanks_stay() -> None:
    body = b' { "b" : 1 ,\n "model" : "old" , "a" : [ ] } '
    assert rewrite(body, model="new") == body.replace(b'"old"', b'"new"')


def test_a_nested_model_is_left_alone() -> None:
    body = b'{"metadata": {"model": "car"}, "model": "a"}'
    assert rewrite(body, model="b") == b'{"metadata": {"model": "car"}, "model": "b"}'


def test_the_word_model_as_a_value_is_no_key() -> None:
    assert rewrite(b'{"user": "model", "model": "a"}', model="b") == b'{"user": "model", "model": "b"}'


def test_every_repetition_is_rewritten_as_readers_differ_in_which_they_take() -> None:
    assert rewrite(b'{"model": "a", "model": "c"}', model="b") == b'{"model": "b", "model": "b"}'


def test_a_key_spelt_with_escapes_is_found() -> None:
    assert json.loads(rewrite(rb'{"m\u006fdel": "a", "x": "\"model"}', model="b")) == {"model": "b", "x": '"model'}


def test_usage_is_asked_for_where_nothing_was_said() -> None:
    changed = rewrite(b'{"model":"a","stream":true}', model="b", include_usage=True)
    assert changed == b'{"stream_options":{"include_usage":true},"model":"b","stream":true}'


def test_a_long_body_with_many_escapes_is_quick() -> None:
    body = b'{"x": "' + b'\\n\\"' * 500_000 + b'", "tools": [{"model": 1}], "model": "a"}'
    assert re.search(rb'"model": "b"}$', rewrite(body, model="b"))
