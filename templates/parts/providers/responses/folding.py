"""What a model says in chat completions, made into items of a response and the events that tell of them.

    folding = Folding(script, output, ids, callees)
    for chunk in chunks:                # those of a stream, or a whole answer as one
        folding.take(chunk)             # script has the events, output the items
    said = folding.end()                # why it ended, and the calls that are to be run

Each item is opened, said and closed: a text before the next begins, calls when the model has ended, since their pieces
may come by turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .calling import Call, Callee
from .citing import Citing
from .script import Script
from .speaking import REFUSAL, TEXT, THOUGHT, Manner, Speech

Item = dict[str, Any]
"""JSON."""


@dataclass(frozen=True, slots=True)
class Said:
    """finish: the model's finish_reason, "" where it gave none. calls: in the order of their items."""

    finish: str
    calls: list[Call]


class Folding:
    """Of one answer of the model.

    output: the response's items, to which those of this answer are added. callees: tools by their names for the model;
    a name that nobody has is a function of the application's. citations: names of files by their ids, that the text
    may have marks of. logprobs: whether they are wanted. usage: what the model said of it.
    """

    def __init__(
        self,
        script: Script,
        output: list[Item],
        ids: Callable[[str], str],
        callees: Mapping[str, Callee],
        *,
        citations: Mapping[str, str] | None = None,
        logprobs: bool = False,
    ) -> None:
        self._script = script
        self._output = output
        self._first = len(output)
        self._ids = ids
        self._callees = callees
        self._citations = citations
        self._wants_logprobs = logprobs
        self._item: Item | None = None
        self._place = -1
        self._speech: Speech | None = None
        self._calls: dict[int, Call] = {}
        self._finish = ""
        self.usage: Mapping[str, Any] | None = None

    def take(self, chunk: Mapping[str, Any]) -> None:
        """The next chunk, as JSON. Raises nothing: what a service should not have sent says nothing."""
        if isinstance(used := chunk.get("usage"), dict):
            self.usage = used
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choice := choices[0], dict):
            return
        delta = choice.get("delta")
        if isinstance(delta, dict):
            text = delta.get("content")
            if text and isinstance(text, str):
                self._said(TEXT, text).take(text, self._logprobs(choice) if self._wants_logprobs else None)
            if len(delta) > 1 or not text:
                self._take_others(delta)
        if finish := choice.get("finish_reason"):
            self._finish = str(finish)

    def take_whole(self, answer: Mapping[str, Any]) -> None:
        """A whole answer."""
        choices = answer.get("choices")
        first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        self.take({**answer, "choices": [{**first, "delta": first.get("message")}]})

    def end(self, *, cut: bool = False) -> Said:
        """Closes what is open, but the calls that run here. cut: the answer broke off."""
        whole = not cut and self._finish not in ("length", "content_filter")
        self._close(whole=whole)
        calls = sorted(self._calls.values(), key=lambda call: (not call.is_open, call.place))
        for call in calls:
            if not call.is_open:
                self._open(call)
            call.end(whole=whole)
        if len(self._output) == self._first and not cut:
            # An answer without a word is an answer.
            self._said(TEXT, "")
            self._close(whole=whole)
        return Said(self._finish, calls)

    # ── what is said ────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_others(self, delta: Mapping[str, Any]) -> None:
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought and isinstance(thought, str):
            self._said(THOUGHT, thought).take(thought)
        refusal = delta.get("refusal")
        if refusal and isinstance(refusal, str):
            self._said(REFUSAL, refusal).take(refusal)
        calls = delta.get("tool_calls")
        if isinstance(calls, list):
            for number, piece in enumerate(calls):
                if isinstance(piece, dict):
                    self._take_call(piece, number)

    def _said(self, manner: Manner, piece: str) -> Speech:
        """Where a piece of this kind goes."""
        if self._speech is not None:
            if self._speech.manner is manner:
                return self._speech
            self._speech.end()
        if self._item is None or self._item["type"] != manner.item:
            self._close_item()
            self._begin_item(manner)
        assert self._item is not None
        citing = Citing(self._citations) if self._citations else None
        self._speech = Speech(self._script, self._item, self._place, manner, citing)
        return self._speech

    def _begin_item(self, manner: Manner) -> None:
        if manner is THOUGHT:
            self._item = {"type": "reasoning", "id": self._ids("rs"), "summary": [], "content": []}
        else:
            self._item = {
                "type": "message",
                "id": self._ids("msg"),
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
        self._place = len(self._output)
        self._output.append(self._item)
        self._script.say("response.output_item.added", output_index=self._place, item=self._item)

    def _close(self, *, whole: bool = True) -> None:
        if self._speech is not None:
            self._speech.end()
            self._speech = None
        self._close_item(whole=whole)

    def _close_item(self, *, whole: bool = True) -> None:
        if self._item is not None:
            if self._item["type"] == "message":
                self._item["status"] = "completed" if whole else "incomplete"
            self._script.say("response.output_item.done", output_index=self._place, item=self._item)
            self._item = None

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_call(self, piece: Mapping[str, Any], number: int) -> None:
        index = piece.get("index")
        place = index if isinstance(index, int) else number
        said = piece.get("function") or piece.get("custom")
        said = said if isinstance(said, dict) else {}
        name, call_id = said.get("name"), piece.get("id")
        call = self._calls.get(place)
        if call is not None and name and call_id and call_id != call.call_id:
            # Some services count every call as the first.
            place = next((key for key, each in self._calls.items() if each.call_id == call_id), len(self._calls))
            call = self._calls.get(place)
        if call is None:
            self._close()
            call = self._calls[place] = Call(
                self._script, str(call_id or f"call_{self._ids('')[-24:]}"), str(name or "")
            )
        elif name and not call.is_open and name != call.name:
            call.name += str(name)
        arguments = said.get("arguments") or said.get("input")
        if arguments and isinstance(arguments, str):
            if not call.is_open:
                self._open(call)
            call.take(arguments)

    def _open(self, call: Call) -> None:
        callee = self._callees.get(call.name) or Callee("function", call.name)
        call.open(callee, self._ids, self._output)

    @staticmethod
    def _logprobs(choice: Mapping[str, Any]) -> list[Item] | None:
        said = choice.get("logprobs")
        found = said.get("content") if isinstance(said, dict) else None
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else None
