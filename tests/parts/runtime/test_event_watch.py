"""What the relay knows of a stream's events without reading each must be what it would have read."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from parts.providers.inference.dialect import openai_usage
from parts.runtime.context import Usage
from parts.runtime.event_watch import EventWatch
from parts.runtime.sse import DONE, event

CHUNK = {"id": "c", "object": "chat.completion.chunk", "model": "m"}


def watch(*, lessons: int | None = None, wants_usage: bool = False) -> tuple[EventWatch, Usage]:
    usage = Usage()
    found = EventWatch("up.example", (), usage, openai_usage, wants_usage=wants_usage)
    if lessons is not None:
        found._lessons = lessons
    return found, usage


def delta(text: str, **more: object) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {**CHUNK, "choices": [choice], **more}


def outcome(blocks: list[bytes], *, lessons: int | None, wants_usage: bool) -> object:
    looking, usage = watch(lessons=lessons, wants_usage=wants_usage)
    relayed = []
    for block in blocks:
        relayed.append(block if looking.knows(block) else looking.take(block))
        if looking.done or looking.trouble:
            break
    trouble = looking.trouble and (looking.trouble.status, looking.trouble.message)
    return b"".join(relayed), usage, looking.done, looking.finished, trouble


def test_events_that_differ_in_their_text_alone_are_known_from_the_second_on() -> None:
    looking, _ = watch()
    first = event(json.dumps(delta("one")).encode())
    assert not looking.knows(first)
    assert looking.take(first) == first
    for text in ("two", "", " drei ", "四", "}"):
        assert looking.knows(event(json.dumps(delta(text), ensure_ascii=False).encode()))


def test_what_says_more_is_not_known() -> None:
    looking, _ = watch()
    looking.take(event(json.dumps(delta("one")).encode()))
    usual = event(json.dumps(delta("two")).encode())
    assert looking.knows(usual)
    for other in (
        event(json.dumps(delta("two", usage={"prompt_tokens": 1})).encode()),
        usual.replace(b"null", b'"stop"'),
        usual.replace(b'"two"', b'"two", "tool_calls": []'),
        usual.replace(b"two", b'a\\"b'),
        usual.replace(b"two", b"a\nb"),
        usual[:-1],
        usual + usual,
        usual[1:],
        DONE,
        b"",
    ):
        assert not looking.knows(other), other


def test_a_text_that_is_also_a_key_teaches_nothing_wrong() -> None:
    looking, _ = watch()
    looking.take(event(json.dumps(delta("choices")).encode()))
    wrong = json.dumps(delta("choices")).replace('"choices": [', '"error": [')
    assert not looking.knows(event(wrong.encode()))


TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["choices", "m", "c", "usage", "error", '"', "\\", '", "x": "', "\n\n", "data: ", "stop", "[DONE]"]
    ),
)
CHOICES = st.fixed_dictionaries(
    {"index": st.integers(0, 1)},
    optional={
        "delta": st.fixed_dictionaries({}, optional={"content": TEXTS | st.none(), "role": TEXTS}),
        "text": TEXTS,
        "finish_reason": st.sampled_from([None, "stop", "length"]),
        "logprobs": st.none(),
    },
)
USAGES = st.none() | st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9), "completion_tokens": st.integers(0, 9)})
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXTS,
        "model": TEXTS,
        "choices": st.lists(CHOICES, max_size=2),
        "usage": USAGES,
        "error": st.fixed_dictionaries({"message": TEXTS}),
    },
)
TALKS = st.lists(st.lists(TEXTS.map(delta) | CHUNKS, min_size=1, max_size=3), min_size=1, max_size=12)


@given(TALKS, st.booleans(), st.booleans())
def test_nothing_is_told_differently_than_by_reading_each_event(
    talk: list[list[dict[str, object]]], wants_usage: bool, ascii_only: bool
) -> None:
    dumped = [[json.dumps(chunk, ensure_ascii=ascii_only) for chunk in chunks] for chunks in talk]
    blocks = [b"".join(event(text.encode(errors="replace")) for text in texts) for texts in dumped]
    blocks.append(DONE)
    read = outcome(blocks, lessons=0, wants_usage=wants_usage)
    assert outcome(blocks, lessons=None, wants_usage=wants_usage) == read
