"""The work on one response, from what came before it to its end."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ...runtime.errors import BadRequest, StackError
from .asked import Asked
from .attachments import attached
from .calling import Call, Callee
from .draft import Draft
from .guarding import violation
from .history import History, add_to_conversation, history, instructions
from .mcp import Server, known, listed, listing
from .messages import Messages
from .rounds import Rounds
from .running import Runner, check
from .toolbox import Toolbox

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .desk import Desk

log = logging.getLogger(__name__)

Item = dict[str, Any]
"""JSON."""


class Work:
    """streamed: whether its events are told; the model is then asked to answer piece by piece. begun: a response that
    was begun earlier.
    """

    def __init__(self, desk: Desk, asked: Asked, ctx: Context, *, streamed: bool, begun: Item | None = None) -> None:
        self._desk = desk
        self._asked = asked
        self._ctx = ctx
        self._draft = Draft(asked, told=streamed, response=begun)
        self._box = Toolbox(asked.said.get("tools", ()), asked.said.get("tool_choice"))
        check(self._box, desk)
        self._servers: dict[str, Server] = {}
        most = asked.said.get("max_tool_calls")
        self._runner = Runner(desk, self._box, self._servers, most, self._draft, ctx)
        self._rounds = Rounds(desk, asked, self._draft, self._box, self._runner, ctx, streamed=streamed)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The events, as they come. Raises StackError as long as nothing has been told; later that is an event."""
        script = self._draft.script
        try:
            async with aclosing(self._told()) as told:
                async for _ in told:
                    if block := script.take():
                        yield block
        except StackError as error:
            if not script.begun:
                raise
            self._fail(error)
            yield script.take()
        except Exception:
            if not script.begun:
                raise
            log.exception("response %s failed", self._draft.response["id"])
            self._fail(StackError("the server made an error; its log has more under this response's id"))
            yield script.take()

    async def whole(self) -> Item:
        """The response, once it is there. Raises StackError."""
        async with aclosing(self._told()) as told:
            async for _ in told:
                pass
        return self._draft.shown()

    # ── step by step ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _told(self) -> AsyncGenerator[None, None]:
        """Stops where there is something to tell."""
        desk, asked, ctx = self._desk, self._asked, self._ctx
        past = await history(asked, self._draft.ids, desk.store, desk.conversations, ctx)
        self._draft.begin()
        async with aclosing(self._list_tools(past)) as steps:
            async for _ in steps:
                yield
        items = [*past.before, *past.own]
        messages = Messages(await attached(items, desk.files, ctx), self._box.name_of)
        for text in await instructions(asked, desk.prompts, ctx):
            messages.instruct(text)
        messages.add(items)
        if (refused := await violation(asked.guardrails, messages.done, desk.safety, ctx)) is not None:
            self._draft.refuse(refused)
        else:
            async with aclosing(self._run_allowed(past, self._runner)) as steps:
                async for _ in steps:
                    yield
            messages.add(self._draft.output)
            async with aclosing(self._rounds.run(messages, past)) as steps:
                async for _ in steps:
                    yield
        await self._end(past)
        yield

    async def _list_tools(self, past: History) -> AsyncGenerator[None, None]:
        """Asks the MCP servers for their tools, unless they have said which they have."""
        for tool in self._box.servers:
            server = Server(tool, self._desk.mcp_asks, [])
            self._servers[server.label] = server
            echoed = next(each for each in self._draft.response["tools"] if each.get("server_label") == server.label)
            tools = known(echoed, [*past.before, *past.own], past.tools)
            if tools is None:
                assert self._desk.tools is not None
                item, place = listing(server, self._draft.ids, self._draft.output, self._draft.script)
                yield
                try:
                    tools = item["tools"] = await server.list_tools(self._desk.tools, self._ctx)
                except StackError as error:
                    listed(item, place, self._draft.script, error)
                    raise
                server.allow(tools)
                item["tools"] = server.tools
                listed(item, place, self._draft.script)
                yield
            server.allow(tools)
            self._box.add_server(server)

    async def _run_allowed(self, past: History, runner: Runner) -> AsyncGenerator[None, None]:
        """Runs the calls that somebody has allowed with this request."""
        asked_for = {each["id"]: each for each in (*past.before, *past.own) if each["type"] == "mcp_approval_request"}
        for answer in past.own:
            if answer["type"] != "mcp_approval_response" or not answer["approve"]:
                continue
            wanted = asked_for.get(answer["approval_request_id"])
            if wanted is None or wanted["server_label"] not in self._servers:
                message = (
                    f"there is no request {answer['approval_request_id'][:100]!r} to allow, of a server in `tools`"
                )
                raise BadRequest(message, code="approval_request_not_found", param="input")
            call = Call(self._draft.script, "", wanted["name"])
            call.open(Callee("mcp", wanted["name"], wanted["server_label"]), self._draft.ids, self._draft.output)
            call.item["approval_request_id"] = wanted["id"]
            call.take(wanted["arguments"])
            call.end(whole=True)
            async with aclosing(runner.run([call])) as steps:
                async for _ in steps:
                    yield

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _end(self, past: History) -> None:
        """It is kept before anybody is told. Raises Unavailable."""
        draft, asked, desk = self._draft, self._asked, self._desk
        draft.end()
        if asked.stored:
            await desk.store.keep(draft.response, past.own, self._ctx)
        if asked.conversation is not None:
            there = {each["id"] for each in past.before}
            new = [each for each in (*past.own, *draft.output) if each["id"] not in there]
            await add_to_conversation(asked.conversation, new, desk.conversations, self._ctx)
        draft.tell_end()

    def _fail(self, error: StackError) -> None:
        self._rounds.give_up()
        self._draft.fail(error)
