"""What agents are made of, over what models and clients might say: pieces, histories, and whole turns."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from parts.contracts.agents.requests import AgentToolResponse, AgentUserMessage
from parts.contracts.agents.responses import (
    AgentCompletionMessage,
    AgentInferenceStep,
    AgentStep,
    AgentToolCall,
    AgentToolExecutionStep,
    AgentTurn,
)
from parts.contracts.shared.agent_config import AgentConfig
from parts.contracts.shared.tool_defs import ToolDef
from parts.providers.agents.answers import not_yet
from parts.providers.agents.asking import ToolUse
from parts.providers.agents.folding import Folder, arguments_of
from parts.providers.agents.messages import NOT_RUN, chat_of
from parts.providers.agents.toolbox import Tool, Toolbox
from parts.providers.agents.turning import Turning
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest
from parts.runtime.reply import Events
from parts.runtime.sse import event
from parts.testing.agents.asking import check_nested
from parts.testing.agents.server import Guard, ToolShed, check_chat
from pydantic_core import from_json, to_json

AT = datetime(2026, 1, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def cut(text: str, places: Sequence[int]) -> list[str]:
    ends = sorted({min(each, len(text)) for each in places} | {0, len(text)})
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def chunk(delta: object, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def pieces_of_call(index: int, name: str, arguments: str, places: Sequence[int]) -> list[dict[str, Any]]:
    head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    rest = [{"index": index, "function": {"arguments": each}} for each in cut(arguments, places)]
    return [chunk({"tool_calls": [each]}) for each in [head, *rest]]


PLACES = st.lists(st.integers(0, 40), max_size=6)
CALLS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.dictionaries(st.text(max_size=4), JSON, max_size=2), PLACES))


@given(st.text(max_size=40), PLACES, CALLS, st.booleans())
def test_an_answer_in_pieces_is_the_answer(text: str, places: Sequence[int], calls: Any, together: bool) -> None:
    said = [to_json(each[1]).decode() for each in calls]
    lists = [pieces_of_call(n, name, said[n], where) for n, (name, _, where) in enumerate(calls)]
    if together:
        # Calls that are written at once come by turns.
        most = max(map(len, lists), default=0)
        written = [each[number] for number in range(most) for each in lists if number < len(each)]
    else:
        written = [piece for each in lists for piece in each]
    folder = Folder()
    told = [delta for each in cut(text, places) for delta in folder.take(chunk({"content": each}))]
    told += [delta for each in written for delta in folder.take(each)]
    rest, message = folder.finish()
    assert "".join(each.text for each in told if each.type == "text") == text == message.content
    assert [(each.tool_name, each.arguments) for each in message.tool_calls or ()] == [
        (name, said[n]) for n, (name, _, _) in enumerate(calls)
    ]
    assert [each.tool_call for each in rest if each.type == "tool_call"] == message.tool_calls
    if not together:
        told_of_calls = [each.tool_call for each in told if each.type == "tool_call"]
        assert "".join(each for each in told_of_calls if isinstance(each, str)) == "".join(said)


@given(st.lists(JSON | st.builds(chunk, JSON) | st.builds(lambda each: chunk({"tool_calls": [each]}), JSON)))
def test_nonsense_in_a_stream_is_no_fault_of_ours(chunks: Sequence[object]) -> None:
    folder = Folder()
    for each in chunks:
        folder.take(each)
    _, message = folder.finish()
    assert all(each.call_id for each in message.tool_calls or ())


def test_whole_calls_under_one_index_are_two() -> None:
    folder = Folder()
    for name in ("a", "b"):
        call = {"index": 0, "id": f"id_{name}", "function": {"name": name, "arguments": "{}"}}
        folder.take(chunk({"tool_calls": [call]}))
    assert [each.tool_name for each in folder.finish()[1].tool_calls or ()] == ["a", "b"]


def test_calls_of_one_id_are_told_apart() -> None:
    folder = Folder()
    for index in range(2):
        folder.take(chunk({"tool_calls": [{"index": index, "id": "same", "function": {"name": "a"}}]}))
    first, second = folder.finish()[1].tool_calls or ()
    assert (first.call_id, second.call_id != "same") == ("same", True)


# ── histories ───────────────────────────────────────────────────────────────────────────────────────────────────────

IDS = st.sampled_from(["c1", "c2", "c3"])


def call_of(call_id: str) -> AgentToolCall:
    return AgentToolCall(call_id=call_id, tool_name="t", arguments="{}")


def asks(ids: Sequence[str]) -> AgentStep:
    said = AgentCompletionMessage(
        role="assistant", content="x", stop_reason="end_of_turn", tool_calls=[call_of(each) for each in ids]
    )
    return AgentInferenceStep(step_type="inference", turn_id="t", step_id="s", model_response=said)


def answers(ids: Sequence[str]) -> AgentStep:
    given_ = [AgentToolResponse(call_id=each, tool_name="t", content=f"of {each}") for each in ids]
    calls = [call_of(each) for each in ids]
    return AgentToolExecutionStep(
        step_type="tool_execution", turn_id="t", step_id="s", tool_calls=calls, tool_responses=given_
    )


def turn_of(steps: Sequence[AgentStep]) -> AgentTurn:
    return AgentTurn(
        turn_id="t",
        session_id="s",
        input_messages=[AgentUserMessage(role="user", content="x")],
        steps=list(steps),
        output_message=not_yet(),
        started_at=AT,
    )


STEPS = st.lists(
    st.builds(asks, st.lists(IDS, unique=True)) | st.builds(answers, st.lists(IDS, max_size=2)), max_size=5
)


@given(st.lists(st.builds(turn_of, STEPS), max_size=4))
def test_any_history_is_a_chat_that_services_take(turns: Sequence[AgentTurn]) -> None:
    try:
        found = chat_of("Be brief.", turns)
    except BadRequest:
        # An answer that no call waits for.
        return
    check_chat(found)
    steps = [each for turn in turns for each in turn.steps if isinstance(each, AgentInferenceStep)]
    asked = [call for each in steps for call in each.model_response.tool_calls or ()]
    assert sum(each["role"] == "tool" for each in found) == len(asked)


def test_an_answer_goes_to_the_call_before_it() -> None:
    """Also where an earlier one, of the same id, was never answered."""
    found = chat_of("", [turn_of([asks(["c1"])]), turn_of([asks(["c1"]), answers(["c1"])])])
    assert [each["content"] for each in found if each["role"] == "tool"] == [NOT_RUN, "of c1"]


# ── whole turns ─────────────────────────────────────────────────────────────────────────────────────────────────────

TEXT = st.tuples(st.just("text"), st.sampled_from(["stop", "length"]))
TOOLS = st.tuples(
    st.just("tools"), st.lists(st.sampled_from(["add", "broken", "mine", "unknown"]), min_size=1, max_size=3)
)


class Scripted:
    """A model that says one thing after the other, and text in the end."""

    def __init__(self, script: Sequence[Any]) -> None:
        self.script = list(script)
        self.seen: list[Any] = []

    async def create_chat_completion(self, request: Any, ctx: Context) -> Any:
        body = from_json(ctx.body)
        check_chat(body["messages"])
        self.seen.append(body)
        return Events(self._said(*(self.script.pop(0) if self.script else ("text", "stop"))))

    async def _said(self, kind: str, what: Any) -> AsyncGenerator[bytes, None]:
        if kind == "text":
            yield event(to_json(chunk({"content": "hello"})))
            yield event(to_json(chunk({}, what)))
            return
        for index, name in enumerate(what):
            for piece in pieces_of_call(index, name, '{"a": 1, "b": 2}', [3]):
                yield event(to_json(piece))
        yield event(to_json(chunk({}, "tool_calls")))


@given(st.lists(TEXT | TOOLS, max_size=6), st.integers(1, 5), st.booleans())
def test_every_turn_ends_as_it_should(script: Sequence[Any], most: int, shielded: bool) -> None:
    asyncio.run(_every_turn(script, most, shielded))


async def _every_turn(script: Sequence[Any], most: int, shielded: bool) -> None:
    shields = ["no-bombs"] if shielded else []
    config = {"max_infer_iters": most, "input_shields": shields, "output_shields": shields}
    agent = AgentConfig.model_validate({"model": "m", "instructions": "x", **config})
    names = {"add": "sums", "broken": "sums", "mine": None}
    tools = {name: Tool(ToolDef(name=name), group) for name, group in names.items()}
    model, turn = Scripted(script), turn_of([])
    turning = Turning(
        agent=agent,
        use=ToolUse("auto", spelled_out=False),
        toolbox=Toolbox(tools, ToolShed()),
        history=(),
        turn=turn,
        inference=model,
        safety=Guard(),
        ctx=Context(request_id="r"),
    )
    payloads = [each async for each in turning.begin()]
    done: list[AgentStep] = []
    while True:
        check_nested([from_json(each.model_dump_json(exclude_unset=True)) for each in payloads])
        done += [each.step_details for each in payloads if each.event_type == "step_complete"]
        assert done == turn.steps, "what was told is what the turn has"
        if payloads[-1].event_type == "turn_complete":
            break
        waiting = turn.output_message.tool_calls or []
        assert {each.tool_name for each in waiting} == {"mine"}
        assert all(arguments_of(each) == {"a": 1, "b": 2} for each in waiting)
        given_ = [AgentToolResponse(call_id=each.call_id, tool_name="mine", content="yes") for each in waiting]
        payloads = [each async for each in turning.resume(given_)]
    assert turn.completed_at is not None
    assert not turn.output_message.tool_calls, "nothing is left to be done"
    assert 1 <= len(model.seen) <= most
    assert sum(each.step_type == "inference" for each in turn.steps) == len(model.seen)
