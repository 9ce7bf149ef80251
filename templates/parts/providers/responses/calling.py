"""A call of a tool that is being said: its events from the first piece of its arguments to the last.

What a call is called in the output depends on who runs the tool: the application (`function_call`, `custom_tool_call`),
or the server (`mcp_call`, `web_search_call`, `file_search_call`), or the server once somebody allows it
(`mcp_approval_request`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .script import Script, around

Item = dict[str, Any]
"""JSON."""

Runner = Literal["function", "custom", "mcp", "approval", "web_search", "file_search"]


@dataclass(frozen=True, slots=True)
class Callee:
    """What a tool is beside its name for the model. name: its own. server: the label of the MCP server that has it."""

    runner: Runner
    name: str
    server: str = ""

    @property
    def runs_here(self) -> bool:
        return self.runner in ("mcp", "web_search", "file_search")


@dataclass(frozen=True, slots=True)
class _Kind:
    """prefix: of ids. key: where the item has what the model said. events: what the pieces' events begin with, None
    where they are not told.
    """

    prefix: str
    key: str
    events: str | None = None


_KINDS = {
    "function": _Kind("fc", "arguments", "response.function_call_arguments"),
    "custom": _Kind("ctc", "input", "response.custom_tool_call_input"),
    "mcp": _Kind("mcp", "arguments", "response.mcp_call_arguments"),
    "approval": _Kind("mcpr", "arguments"),
    "web_search": _Kind("ws", ""),
    "file_search": _Kind("fs", ""),
}


class Call:
    """One call. call_id: as the model has it. said: its arguments, JSON of the model's, or a custom tool's input.

    item, place: in the output, once it is open.
    """

    __slots__ = ("_kind", "_pieces", "_script", "_tail", "call_id", "callee", "item", "name", "place")

    def __init__(self, script: Script, call_id: str, name: str) -> None:
        self._script = script
        self.call_id = call_id
        self.name = name
        self._pieces: list[str] = []
        self.callee = Callee("function", name)
        self.item: Item = {}
        self.place = -1
        self._tail = (b"", b"")

    @property
    def said(self) -> str:
        return "".join(self._pieces)

    @property
    def is_open(self) -> bool:
        return self.place >= 0

    def open(self, callee: Callee, ids: Callable[[str], str], output: list[Item]) -> None:
        """Its item is part of the output from here on."""
        self.callee = callee
        kind = self._kind = _KINDS[callee.runner]
        self.item = _begun(callee, ids(kind.prefix), self.call_id)
        self.place = len(output)
        output.append(self.item)
        self._script.say("response.output_item.added", output_index=self.place, item=self.item)
        if callee.runner in ("mcp", "web_search", "file_search"):
            self.tell("in_progress")
        if kind.events is not None:
            self._tail = around(f"{kind.events}.delta", self.item["id"], self.place, None)

    def take(self, piece: str) -> None:
        """The next piece of its arguments. The call is open."""
        self._pieces.append(piece)
        if self._kind.events is not None:
            head, tail = self._tail
            self._script.piece(head, piece, tail)

    def end(self, *, whole: bool) -> None:
        """The model has said it. What runs here stays open. whole: it was not cut off."""
        kind = self._kind
        if not self._pieces and kind.key == "arguments":
            self.take("{}")
        said = self.said
        if kind.key:
            self.item[kind.key] = said
        if kind.events is not None:
            named = {"name": self.callee.name} if self.callee.runner == "function" else {}
            fields = {kind.key: said, **named}
            self._script.say(f"{kind.events}.done", item_id=self.item["id"], output_index=self.place, **fields)
        if not self.callee.runs_here:
            if self.callee.runner == "function":
                self.item["status"] = "completed" if whole else "incomplete"
            self._script.say("response.output_item.done", output_index=self.place, item=self.item)

    def tell(self, state: str) -> None:
        """How far a call has come that runs here."""
        kind = self.item["type"]
        self._script.say(f"response.{kind}.{state}", item_id=self.item["id"], output_index=self.place)


def _begun(callee: Callee, item_id: str, call_id: str) -> Item:
    match callee.runner:
        case "function":
            return {
                "type": "function_call",
                "id": item_id,
                "call_id": call_id,
                "name": callee.name,
                "arguments": "",
                "status": "in_progress",
            }
        case "custom":
            return {"type": "custom_tool_call", "id": item_id, "call_id": call_id, "name": callee.name, "input": ""}
        case "mcp":
            return {
                "type": "mcp_call",
                "id": item_id,
                "server_label": callee.server,
                "name": callee.name,
                "arguments": "",
                "approval_request_id": None,
                "output": None,
                "error": None,
                "status": "in_progress",
            }
        case "approval":
            return {
                "type": "mcp_approval_request",
                "id": item_id,
                "server_label": callee.server,
                "name": callee.name,
                "arguments": "",
            }
        case "web_search":
            action = {"type": "search", "query": ""}
            return {"type": "web_search_call", "id": item_id, "status": "in_progress", "action": action}
        case "file_search":
            return {
                "type": "file_search_call",
                "id": item_id,
                "status": "in_progress",
                "queries": [],
                "results": None,
            }
