"""Tools that the server runs for a response, once the model has called them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...runtime.errors import BadRequest
from . import outcomes
from .calling import Call
from .searches import search_files, search_web

if TYPE_CHECKING:
    from ...contracts.tool_runtime import Tools
    from ...contracts.vector_stores import VectorStores
    from ...runtime.context import Context
    from .desk import Desk
    from .draft import Draft
    from .mcp import Server
    from .toolbox import Toolbox

Item = dict[str, Any]
"""JSON."""


def check(box: Toolbox, desk: Desk) -> None:
    """Raises BadRequest for a tool that this server has nothing to run with."""
    if (box.web or box.servers) and desk.tools is None:
        kind = "web_search" if box.web else "mcp"
        raise BadRequest(f"this server runs no tools of the type {kind!r}", code="unsupported_tool", param="tools")
    if box.files and desk.vector_stores is None:
        raise BadRequest("this server has no vector stores to search", code="unsupported_tool", param="tools")


class Runner:
    """servers: by their labels. left: how many calls may still be run, None for any number. running: the calls that are
    open.
    """

    def __init__(
        self, desk: Desk, box: Toolbox, servers: Mapping[str, Server], left: int | None, draft: Draft, ctx: Context
    ) -> None:
        self._desk = desk
        self._box = box
        self._servers = servers
        self._left = left
        self._draft = draft
        self._ctx = ctx
        self.running: Sequence[Call] = ()

    async def run(self, calls: Sequence[Call]) -> AsyncGenerator[None, None]:
        """Runs the calls at once, and tells of them; their items have what came of it then. What goes wrong with a tool
        is told to the model. Nothing of an answer that was cut off is run. Raises StackError for what is the request's
        fault.
        """
        self.running = calls
        for call in calls:
            if call.callee.runner != "mcp":
                call.tell("searching")
        yield
        if self._draft.is_stopped:
            self.give_up()
        elif calls:
            await self._run_all(calls)
            for call in calls:
                self._draft.end_call(call)
        self.running = ()
        yield

    def give_up(self) -> None:
        """Closes calls that were not run to their end."""
        for call in self.running:
            call.item["status"] = "incomplete"
            self._draft.end_call(call)
        self.running = ()

    async def _run_all(self, calls: Sequence[Call]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    if self._left is not None and self._left <= 0:
                        _skip(call.item)
                        continue
                    self._left = None if self._left is None else self._left - 1
                    group.create_task(self._run(call))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _run(self, call: Call) -> None:
        item = call.item
        match call.callee.runner:
            case "mcp":
                await self.run_mcp(item)
            case "web_search":
                await search_web(item, call.said, self._desk.web_group, _known(self._desk.tools), self._ctx)
            case "file_search":
                await self._search_files(item, call.said, self._desk.vector_stores)

    async def run_mcp(self, item: Item) -> None:
        """Runs what a `mcp_call` says, whose arguments are whole."""
        server = self._servers[item["server_label"]]
        output, error = await server.call(_known(self._desk.tools), item["name"], item["arguments"], self._ctx)
        item |= {"output": output, "error": error, "status": "failed" if error is not None else "completed"}

    async def _search_files(self, item: Item, said: str, stores: VectorStores | None) -> None:
        assert stores is not None
        assert self._box.files is not None
        await search_files(item, said, self._box.files, stores, self._ctx)


def _skip(item: Item) -> None:
    match item["type"]:
        case "mcp_call":
            item |= {"error": outcomes.SKIPPED, "status": "failed"}
        case "web_search_call":
            item |= {"results": [{"error": outcomes.SKIPPED}], "status": "failed"}
        case _:
            item |= {"results": [], "status": "incomplete"}


def _known(tools: Tools | None) -> Tools:
    assert tools is not None
    return tools
