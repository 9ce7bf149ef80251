"""A model's streamed answer, piece by piece: what each piece adds, and what was said in the end.

folder = Folder()
for chunk in chunks:                # of a streamed chat completion, as JSON
    deltas = folder.take(chunk)
deltas, message = folder.finish()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic_core import from_json

from ...contracts.agents.responses import AgentCompletionMessage, AgentTextDelta, AgentToolCall, AgentToolCallDelta
from ...runtime.ids import new_id

Delta: TypeAlias = AgentTextDelta | AgentToolCallDelta


@dataclass(slots=True)
class _Call:
    """A call that is being written. index: its place as the service counts, which some do not. given: its id there, ""
    where it has none. id: one that no other call of the answer has.
    """

    index: object
    given: str
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class Folder:
    """One answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: list[_Call] = []
        self._cut_off = False

    def take(self, chunk: object) -> list[Delta]:
        """What a chunk adds. Of several answers only the first is looked at."""
        choices = _member(chunk, "choices")
        if not isinstance(choices, list) or not choices or _member(choices[0], "index") not in (0, None):
            return []
        if _member(choices[0], "finish_reason") == "length":
            self._cut_off = True
        delta = _member(choices[0], "delta")
        found: list[Delta] = []
        for name in ("content", "refusal"):
            text = _member(delta, name)
            if isinstance(text, str) and text:
                self._texts.append(text)
                found.append(AgentTextDelta(type="text", text=text))
        calls = _member(delta, "tool_calls")
        for piece in calls if isinstance(calls, list) else ():
            found += self._add(piece)
        return found

    def finish(self) -> tuple[list[Delta], AgentCompletionMessage]:
        """What is left to be told, and the whole answer."""
        calls = [_call(each) for each in self._calls]
        stop: Literal["out_of_tokens", "end_of_message", "end_of_turn"]
        stop = "out_of_tokens" if self._cut_off else "end_of_message" if calls else "end_of_turn"
        said = AgentCompletionMessage(
            role="assistant", content="".join(self._texts), stop_reason=stop, tool_calls=calls
        )
        return [_whole(each) for each in calls], said

    def _add(self, piece: object) -> list[Delta]:
        function = _member(piece, "function")
        index, given = _member(piece, "index"), _member(piece, "id")
        name, arguments = _member(function, "name"), _member(function, "arguments")
        found: list[Delta] = []
        call = next((each for each in reversed(self._calls) if each.index == index), None)
        # Some services send whole calls, all with the same index: an id of its own begins another.
        identity = given if isinstance(given, str) else ""
        if call is None or (identity and identity != call.given):
            free = identity and all(each.id != identity for each in self._calls)
            call = _Call(index, identity, identity if free else new_id("call"))
            self._calls.append(call)
            found.append(_progress("", "started"))
        if isinstance(name, str) and not call.name:
            call.name = name
        if isinstance(arguments, str) and arguments:
            call.arguments.append(arguments)
            found.append(_progress(arguments, "in_progress"))
        return found


def arguments_of(call: AgentToolCall) -> dict[str, object] | None:
    """A call's arguments; None where they are no JSON object."""
    try:
        said = from_json(call.arguments)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _call(call: _Call) -> AgentToolCall:
    arguments = "".join(call.arguments) or "{}"
    return AgentToolCall(call_id=call.id, tool_name=call.name, arguments=arguments, arguments_json=arguments)


def _whole(call: AgentToolCall) -> AgentToolCallDelta:
    return _progress(call, "failed" if arguments_of(call) is None else "succeeded")


def _progress(
    call: str | AgentToolCall, status: Literal["started", "in_progress", "failed", "succeeded"]
) -> AgentToolCallDelta:
    return AgentToolCallDelta(type="tool_call", tool_call=call, parse_status=status)


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None
