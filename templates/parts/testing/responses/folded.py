"""What the events of a response come to, and that they are in order."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

Item = dict[str, Any]

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_PIECES = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.reasoning_text": "text",
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.mcp_call_arguments": "arguments",
}
"""What the last event of a text calls the whole."""


class Folded:
    """types: of all events, in order. output: the items as their events have them. response: the last event's."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.output: dict[int, Item] = {}
        self.response: Item = {}
        self._open: dict[int, str] = {}
        self._texts: dict[tuple[str, str, int | None], str] = {}
        self._parts: dict[tuple[int, int], Item] = {}

    def take(self, known: BaseModel, event: Item) -> None:
        """The next event. known: as the contract has it."""
        kind = event["type"]
        assert type(known).model_fields["type"].annotation is not None
        assert event["sequence_number"] == len(self.types), f"numbers count up from 0: {event}"
        assert not self.response, f"nothing follows the last event: {event}"
        if len(self.types) < 2:
            expected = ("response.created", "response.in_progress")[len(self.types)]
            assert kind == expected, f"a response begins with {expected}: {event}"
        self.types.append(kind)
        if kind in _ENDS:
            assert not self._open, f"items are left open: {self._open}"
            self.response = event["response"]
        elif kind.startswith("response.output_item."):
            self._item(kind, event)
        elif kind.startswith("response.content_part."):
            self._part(kind, event)
        elif "item_id" in event:
            assert self._open.get(event["output_index"]) == event["item_id"], f"its item is not open: {event}"
            self._piece(kind, event)

    def end(self) -> None:
        """All have come."""
        assert self.response, f"the last event is one of {_ENDS}: {self.types}"
        told = [self.output[place] for place in sorted(self.output)]
        assert list(self.output) == sorted(self.output), "items are begun in their order"
        assert told == self.response["output"], f"{told}\n{self.response['output']}"

    def _item(self, kind: str, event: Item) -> None:
        place, item = event["output_index"], event["item"]
        if kind.endswith("added"):
            assert place == len(self.output), f"items follow one another: {event}"
            self._open[place] = item["id"]
            self.output[place] = item
        else:
            assert self._open.pop(place, None) == item["id"], f"it was not open: {event}"
            began = self.output[place]
            assert (began["id"], began["type"]) == (item["id"], item["type"])
            self._check_texts(place, item)
            self.output[place] = item

    def _check_texts(self, place: int, item: Item) -> None:
        parts = [part for (at, _), part in sorted(self._parts.items()) if at == place]
        if item["type"] in ("message", "reasoning"):
            assert item["content"] == parts, f"its parts were {parts}: {item}"
        for (stem, item_id, _), text in self._texts.items():
            if item_id == item["id"] and _PIECES[stem] in item:
                assert item[_PIECES[stem]] == text, f"its pieces were {text!r}: {item}"

    def _part(self, kind: str, event: Item) -> None:
        place = (event["output_index"], event["content_index"])
        if kind.endswith("added"):
            assert place not in self._parts
            assert place[1] == sum(1 for at, _ in self._parts if at == place[0])
        else:
            assert place in self._parts, f"it was not begun: {event}"
        self._parts[place] = event["part"]

    def _piece(self, kind: str, event: Item) -> None:
        stem, _, state = kind.rpartition(".")
        if stem in _PIECES:
            key = (stem, event["item_id"], event.get("content_index"))
            if state == "delta":
                self._texts[key] = self._texts.get(key, "") + event["delta"]
            elif state == "done":
                whole = event[_PIECES[stem]]
                assert whole == self._texts.get(key, ""), f"its pieces were {self._texts.get(key)!r}: {event}"
