"""The tools of a request: what the model is told of them, and who runs each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...runtime.errors import BadRequest
from .calling import Callee

if TYPE_CHECKING:
    from .mcp import Server

Item = dict[str, Any]
"""JSON."""

_WEB = ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 64
"""Of a function, at OpenAI and elsewhere."""

_QUERY = {"type": "string", "description": "What to search for."}
_SEARCH: Item = {"type": "object", "properties": {"query": _QUERY}, "required": ["query"]}
_WEB_SEARCH = "Searches the web, and answers the best results with their titles, addresses and text."
_FILE_SEARCH = "Searches the user's files, and answers the pieces that fit best."


class Toolbox:
    """asked: the request's tools. choice: its tool_choice.

    callees: by the names that the model knows. tools: as the model is told of them. web, files: the request's tools of
    these kinds, None where there is none.
    """

    def __init__(self, asked: Iterable[Item], choice: str | Item | None) -> None:
        """Raises BadRequest for a tool that there cannot be here."""
        self.callees: dict[str, Callee] = {}
        self.tools: list[Item] = []
        self.web: Item | None = None
        self.files: Item | None = None
        self.servers: list[Item] = []
        self._names: dict[tuple[str, str], str] = {}
        self._choice = choice
        for place, tool in enumerate(asked):
            self._add(tool, place)

    def name_of(self, label: str, name: str) -> str:
        """What the model calls a tool of an MCP server."""
        return self._names.get((label, name)) or _fit(name)

    def add_server(self, server: Server) -> None:
        """The tools that a server has for this request."""
        for each in server.tools:
            name = _fit(each["name"])
            if name in self.callees:
                name = _fit(f"{server.label}__{name}")
            callee = Callee("approval" if server.asks(each) else "mcp", each["name"], server.label)
            self._names[server.label, each["name"]] = name
            self._offer(name, callee, each.get("description"), each["input_schema"])

    def first(self) -> tuple[list[Item], str | Item | None]:
        """The tools and the tool_choice that the model is asked with first; later it may have all, and is free."""
        choice = self._choice
        if choice is None or isinstance(choice, str):
            return self.tools, choice if self.tools else None
        if choice["type"] == "allowed_tools":
            kept = [each for each in self.tools if any(self._is(each, one) for one in choice["tools"])]
            return _some(kept, choice), choice["mode"]
        kept = _some([each for each in self.tools if self._is(each, choice)], choice)
        if len(kept) > 1:
            return kept, "required"
        kind: str = kept[0]["type"]
        return self.tools, {"type": kind, kind: {"name": kept[0][kind]["name"]}}

    def _add(self, tool: Item, place: int) -> None:
        match tool["type"]:
            case "function":
                more = {} if tool.get("strict") is None else {"strict": tool["strict"]}
                self._offer(
                    tool["name"],
                    Callee("function", tool["name"]),
                    tool.get("description"),
                    tool.get("parameters"),
                    more,
                )
            case "custom":
                self.callees[tool["name"]] = Callee("custom", tool["name"])
                self.tools.append({"type": "custom", "custom": _custom(tool)})
            case "mcp":
                if any(each["server_label"] == tool["server_label"] for each in self.servers):
                    message = f"tools.{place}.server_label: {tool['server_label'][:100]!r} is there already"
                    raise BadRequest(message, param=f"tools.{place}.server_label")
                self.servers.append(tool)
            case "file_search":
                self.files = tool
                self._offer("file_search", Callee("file_search", "file_search"), _FILE_SEARCH, _SEARCH)
            case kind if kind in _WEB:
                self.web = tool
                self._offer("web_search", Callee("web_search", "web_search"), _WEB_SEARCH, _SEARCH)
            case kind:
                message = f"tools.{place}: this server has no tool of the type {kind!r}"
                raise BadRequest(message, code="unsupported_tool", param=f"tools.{place}.type")

    def _offer(
        self, name: str, callee: Callee, description: str | None, schema: Item | None, more: Mapping[str, object] = {}
    ) -> None:
        if name in self.callees:
            raise BadRequest(f"tools: there are two called {name[:100]!r}", code="duplicate_tool", param="tools")
        self.callees[name] = callee
        function: Item = {"name": name, **more}
        if description:
            function["description"] = description
        function["parameters"] = schema or {"type": "object", "properties": {}}
        self.tools.append({"type": "function", "function": function})

    def _is(self, tool: Item, meant: Item) -> bool:
        """Whether a choice means this tool."""
        callee = self.callees[tool[tool["type"]]["name"]]
        kind = meant.get("type")
        if kind == "mcp":
            named = meant.get("name")
            return callee.server == meant.get("server_label") and bool(callee.server) and named in (None, callee.name)
        if kind in ("function", "custom"):
            return callee.runner == kind and callee.name == meant.get("name")
        return callee.runner == ("web_search" if kind in _WEB else kind)


def shown(tools: Iterable[Item]) -> Iterator[Item]:
    """The tools as the response repeats them: without what is shown to MCP servers."""
    for each in tools:
        yield {key: value for key, value in each.items() if key not in ("authorization", "headers")}


def _some(kept: list[Item], choice: Item) -> list[Item]:
    if not kept:
        raise BadRequest("tool_choice: none of the tools is meant by it", code="unknown_tool", param="tool_choice")
    return kept


def _fit(name: str) -> str:
    return _UNFIT.sub("_", name)[:_LONGEST_NAME]


def _custom(tool: Item) -> Item:
    said = {"name": tool["name"]}
    if tool.get("description"):
        said["description"] = tool["description"]
    if form := tool.get("format"):
        grammar = {key: form[key] for key in ("syntax", "definition") if key in form}
        said["format"] = {"type": "grammar", "grammar": grammar} if form["type"] == "grammar" else form
    return said
