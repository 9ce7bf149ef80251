"""Ids: which are taken over, and that a new one is all that changes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.providers.stored_completions.identity import identify, identify_events, with_id

LONG = "chatcmpl-0123456789abcdef"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "a", "é"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["id", "model", "choices", "usage"]), json_values), st.booleans())
def test_a_new_id_is_all_that_changes(said: dict[str, object], spaced: bool) -> None:
    body = json.dumps(said, separators=(", ", " : ") if spaced else (",", ":")).encode()
    assert json.loads(with_id(body, LONG)) == {**said, "id": LONG}


@pytest.mark.parametrize("object_", ["chat.completion", "chat.completion.chunk"])
def test_an_answer_in_openai_s_order_and_in_another_say_the_same(object_: str) -> None:
    ordered = {"id": LONG, "object": object_, "created": 1, "model": "m", "choices": [{"id": "no", "model": "no"}]}
    for said in (ordered, dict(reversed(ordered.items()))):
        found = identify(json.dumps(said).encode())
        assert (found.id, found.model, found.given) == (LONG, "m", False)


@pytest.mark.parametrize(
    "poor", ["", "chatcmpl-999", "x" * 201, "a b c d e f g h i j k l m", "../../../../../../..", None, 7, [LONG]]
)
def test_a_poor_id_is_replaced(poor: object) -> None:
    found = identify(json.dumps({"id": poor, "model": 5}).encode())
    assert found.given
    assert found.model == ""
    assert identify(json.dumps({"id": found.id}).encode()).id == found.id, "ours is taken over"


def test_a_stream_s_id_is_its_first_event_s() -> None:
    assert identify_events(b": hello\n\n") is None
    found = identify_events(b': hello\n\ndata: {"id":"%b"}\n\ndata: {"id":"other"}\n\n' % LONG.encode())
    assert found is not None
    assert found.id == LONG
