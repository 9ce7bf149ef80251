"""Streams, put together: whatever way an answer is cut into events, the whole is the answer."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from parts.providers.stored_completions.assembling import assemble

Json = dict[str, Any]

texts = st.text(max_size=12)
calls = st.builds(
    lambda number, name, arguments: {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    st.integers(0, 9),
    st.sampled_from(["look", "f", "get weather"]),
    texts,
)
tokens = st.builds(lambda token: {"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": []}, texts)
choices = st.fixed_dictionaries(
    {
        "content": st.none() | st.text(min_size=1, max_size=20),
        "refusal": st.none() | st.text(min_size=1, max_size=20),
        "tool_calls": st.lists(calls, max_size=3),
        "reasoning_content": st.text(max_size=20),
        "logprobs": st.lists(tokens, max_size=4),
        "finish_reason": st.sampled_from(["stop", "length", "tool_calls"]),
    }
)


def pieces(draw: st.DrawFn, text: str) -> list[str]:
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def deltas(draw: st.DrawFn, said: Json) -> list[Json]:
    """The pieces of one choice, in an order that a service could send."""
    found: list[Json] = [{"delta": {"role": "assistant", "content": None if said["content"] is None else ""}}]
    for key in ("reasoning_content", "content", "refusal"):
        found += [{"delta": {key: piece}} for piece in pieces(draw, said[key] or "") if said[key]]
    for number, call in enumerate(said["tool_calls"]):
        name = {"name": call["function"]["name"], "arguments": ""}
        head = {"index": number, "id": call["id"], "type": "function", "function": name}
        found.append({"delta": {"tool_calls": [head]}})
        for piece in pieces(draw, call["function"]["arguments"]):
            repeated = draw(st.sampled_from([{}, {"id": call["id"], "type": "function"}, {"id": ""}]))
            function = {
                "arguments": piece,
                **draw(st.sampled_from([{}, {"name": call["function"]["name"]}, {"name": None}])),
            }
            found.append({"delta": {"tool_calls": [{"index": number, **repeated, "function": function}]}})
    found += [{"delta": {}, "logprobs": {"content": [token], "refusal": None}} for token in said["logprobs"]]
    found.append({"delta": {}, "finish_reason": said["finish_reason"]})
    return found


def whole(index: int, said: Json) -> Json:
    message: Json = {"role": "assistant", "content": said["content"], "refusal": said["refusal"]}
    if said["tool_calls"]:
        message["tool_calls"] = said["tool_calls"]
    if said["reasoning_content"]:
        message["reasoning_content"] = said["reasoning_content"]
    logprobs = {"content": said["logprobs"], "refusal": None} if said["logprobs"] else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": said["finish_reason"]}


def stream(events: list[Json]) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in events)


@given(st.data(), st.lists(choices, min_size=1, max_size=3))
def test_an_answer_cut_into_events_is_put_together(data: st.DataObject, said: list[Json]) -> None:
    @st.composite
    def cut(draw: st.DrawFn) -> list[Json]:
        queues = [[{"index": n, **piece} for piece in deltas(draw, each)] for n, each in enumerate(said)]
        found: list[Json] = []
        while any(queues):
            queue = draw(st.sampled_from([each for each in queues if each]))
            found.append(queue.pop(0))
        return found

    head = {"id": "c", "object": "chat.completion.chunk", "created": 7, "model": "m", "usage": None}
    events = [{**head, "choices": [{"finish_reason": None, **piece}]} for piece in data.draw(cut())]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    events.append({**head, "choices": [], "usage": usage})
    got = assemble(stream(events))
    assert got.pop("choices") == [whole(index, each) for index, each in enumerate(said)]
    assert got == {**head, "object": "chat.completion", "usage": usage}


def test_what_the_first_event_does_not_know_a_later_one_says() -> None:
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"index": 0}]}
    then = {"id": "c", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": []}
    got = assemble(stream([first, then]))
    assert {key: got[key] for key in ("id", "created", "model")} == {"id": "c", "created": 7, "model": "m"}
    assert got["prompt_filter_results"] == [{"index": 0}]


def test_comments_and_strange_events_are_no_obstacle() -> None:
    odd = b": keep-alive\n\nevent: ping\n\ndata: 5\n\ndata: null\n\n"
    piece = {"index": None, "delta": {"content": "a", "tool_calls": None}, "stop_reason": 2}
    strange = stream([{"choices": None}, {"choices": [5, piece]}, {"choices": [{"delta": None}]}])
    (choice,) = assemble(odd + strange)["choices"]  # type: ignore[misc]
    assert choice["message"] == {"role": "assistant", "content": "a", "refusal": None}
    assert (choice["index"], choice["finish_reason"], choice["stop_reason"]) == (0, None, 2)


def test_a_long_text_takes_time_for_its_length_alone() -> None:
    event = stream([{"choices": [{"index": 0, "delta": {"content": "word "}}]}])
    (choice,) = assemble(event * 100_000)["choices"]  # type: ignore[misc]
    assert choice["message"]["content"] == "word " * 100_000
