"""Whatever pieces a model says, in whatever order: the events are well nested, and come to the same as the output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from parts.contracts.responses.responses import ResponseStreamEvent
from parts.providers.responses.calling import Callee
from parts.providers.responses.folding import Folding, Said
from parts.providers.responses.ids import Ids, response_id, stem_of
from parts.providers.responses.script import Script
from parts.runtime.sse import data, events
from parts.testing.responses.folded import Folded
from pydantic import TypeAdapter

Json = dict[str, Any]

EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
CALLEES = {
    "mine": Callee("function", "mine"),
    "free": Callee("custom", "free"),
    "there": Callee("mcp", "there", "srv"),
    "ask_me": Callee("approval", "ask_me", "srv"),
    "web_search": Callee("web_search", "web_search"),
    "file_search": Callee("file_search", "file_search"),
}
HEAD: Json = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "model": "m",
    "tools": [],
    "parallel_tool_calls": True,
    "metadata": {},
    "tool_choice": "auto",
    "temperature": None,
    "top_p": None,
}

pieces = st.text(max_size=6)
said = st.one_of(
    st.fixed_dictionaries({"content": pieces}, optional={"role": st.just("assistant")}),
    st.fixed_dictionaries({"refusal": pieces}),
    st.fixed_dictionaries({"reasoning_content": pieces}),
    st.fixed_dictionaries({"reasoning": pieces}),
    st.tuples(st.integers(0, 3), st.sampled_from([*CALLEES, "unknown", None]), pieces).map(
        lambda each: {
            "tool_calls": [
                {
                    "index": each[0],
                    **({"id": f"call_{each[0]}"} if each[1] else {}),
                    "function": {**({"name": each[1]} if each[1] else {}), "arguments": each[2]},
                }
            ]
        }
    ),
)


def folded(deltas: Sequence[Json], finish: str | None = "stop") -> tuple[Folded, Said, list[Json]]:
    """The events of an answer, looked through; why it ended; the items."""
    script, output = Script(told=True), list[Json]()
    script.say("response.created", response={**HEAD, "output": []})
    script.say("response.in_progress", response={**HEAD, "output": []})
    folding = Folding(script, output, Ids(response_id()), CALLEES)
    for delta in deltas:
        folding.take({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    folding.take({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    ended = folding.end()
    for call in ended.calls:
        if call.callee.runs_here:
            call.tell("completed")
            script.say("response.output_item.done", output_index=call.place, item=call.item)
    script.say("response.completed", response={**HEAD, "output": output})
    found = Folded()
    for each in events(script.take()):
        event = data(each)
        assert event is not None
        found.take(EVENT.validate_json(event), json.loads(event))
    found.end()
    return found, ended, output


@given(st.lists(said, max_size=25), st.sampled_from(["stop", "length", "tool_calls", None]))
def test_any_pieces_in_any_order(deltas: list[Json], finish: str | None) -> None:
    found, ended, output = folded(deltas, finish)
    texts = "".join(part.get("text", "") for each in output if each["type"] == "message" for part in each["content"])
    assert texts == "".join(each.get("content", "") for each in deltas)
    assert len({each["id"] for each in output}) == len(output)
    assert {call.item["id"] for call in ended.calls} <= {each["id"] for each in output}
    assert found.types[-1] == "response.completed"


@given(st.lists(st.tuples(st.integers(0, 2), pieces), max_size=20))
def test_calls_whose_pieces_come_by_turns(turns: list[tuple[int, str]]) -> None:
    heads = [{"index": n, "id": f"call_{n}", "function": {"name": f"f{n}", "arguments": ""}} for n in range(3)]
    bodies = [{"index": n, "function": {"arguments": piece}} for n, piece in turns]
    _, ended, output = folded([{"tool_calls": [each]} for each in (*heads, *bodies)])
    for number in range(3):
        arguments = "".join(piece for n, piece in turns if n == number) or "{}"
        call = next(each for each in output if each["call_id"] == f"call_{number}")
        assert (call["name"], call["arguments"]) == (f"f{number}", arguments)
    assert len(ended.calls) == 3


def test_calls_that_all_say_they_are_the_first() -> None:
    calls = [{"index": 0, "id": f"c{n}", "function": {"name": "mine", "arguments": f'{{"n":{n}}}'}} for n in range(3)]
    _, _, output = folded([{"tool_calls": [each]} for each in calls])
    assert [(each["call_id"], each["arguments"]) for each in output] == [(f"c{n}", f'{{"n":{n}}}') for n in range(3)]


def test_calls_without_an_index_of_one_piece() -> None:
    calls = [{"id": f"c{n}", "function": {"name": "mine", "arguments": "{}"}} for n in range(2)]
    _, _, output = folded([{"tool_calls": calls}])
    assert [each["call_id"] for each in output] == ["c0", "c1"]


def test_a_name_in_pieces() -> None:
    head = {"index": 0, "id": "c", "function": {"name": "the"}}
    rest = {"index": 0, "function": {"name": "re", "arguments": "{}"}}
    _, ended, output = folded([{"tool_calls": [head]}, {"tool_calls": [rest]}])
    assert ended.calls[0].callee.server == "srv"
    assert output[0]["type"] == "mcp_call"


def test_an_answer_without_a_word_is_a_message() -> None:
    _, _, output = folded([])
    assert [part["text"] for part in output[0]["content"]] == [""]


def test_what_was_cut_off_is_incomplete() -> None:
    _, _, output = folded([{"content": "Onc"}], "length")
    assert output[0]["status"] == "incomplete"
    call = {"index": 0, "id": "c", "function": {"name": "mine", "arguments": '{"a'}}
    _, _, output = folded([{"tool_calls": [call]}], "length")
    assert output[0]["status"] == "incomplete"


def test_what_a_service_should_not_send_says_nothing() -> None:
    folding = Folding(Script(told=True), output := [], Ids(response_id()), {})
    odd: list[Any] = [{}, {"choices": None}, {"choices": [None]}, {"choices": [{"delta": None}]}, {"usage": 3}]
    odd += [{"choices": [{"delta": each}]} for each in ({"content": 3}, {"tool_calls": [None]}, {"tool_calls": 3})]
    for each in odd:
        folding.take(each)
    assert output == []


def test_items_know_their_response() -> None:
    mine = response_id()
    assert stem_of(Ids(mine)("msg")) == mine[5:45]
    assert stem_of("msg_1") is None
