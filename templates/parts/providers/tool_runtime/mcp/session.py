"""A session with one server, in one caller's name: the handshake, the list of tools, calls."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ....contracts.shared.tool_defs import ToolDef
from ....runtime.errors import StackError, UpstreamError, UpstreamTimeout
from ....runtime.upstream import Upstream
from ..arguments import ArgumentCheck
from .credentials import Credential
from .old_sse import opening_old_sse
from .protocol import METHOD_NOT_FOUND, VERSIONS, Json, RpcError, hello, notification, request, result_of
from .streamable import NotStreamable, Streamable

log = logging.getLogger(__name__)

MOST_PAGES = 100
MOST_TOOLS = 10_000
LONGEST_NAME = 1024


class Transport(Protocol):
    """How messages travel."""

    version: str | None

    @property
    def alive(self) -> bool: ...

    async def hello(self, message: bytes, number: int) -> Json: ...

    async def ask(self, message: bytes, number: int) -> Json: ...

    async def tell(self, message: bytes) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the server describes it."""

    shown: ToolDef
    check: ArgumentCheck


@dataclass(slots=True)
class _Listed:
    tools: Mapping[str, Tool] = field(default_factory=dict)
    at: float = float("-inf")


class Session:
    """Made by `connect`. Any number of requests may be under way."""

    def __init__(self, transport: Transport, host: str, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._numbers = itertools.count(1)
        self._listing = asyncio.Lock()
        self._listed = _Listed()
        self._parting: set[asyncio.Task[None]] = set()
        self.host = host

    @property
    def alive(self) -> bool:
        return self._transport.alive

    async def begin(self) -> None:
        """The handshake. Raises NotStreamable, RpcError, StackError."""
        number = next(self._numbers)
        result = result_of(await self._transport.hello(request(number, "initialize", hello()), number), self.host)
        version = result.get("protocolVersion")
        if version not in VERSIONS:
            shown = repr(version)[:50]
            raise UpstreamError(f"{self.host} speaks revision {shown} of the protocol, which is not known here")
        self._transport.version = str(version)
        await self._transport.tell(notification("notifications/initialized"))

    async def tools(self, max_age: float) -> Mapping[str, Tool]:
        """The tools by name, as they were at most `max_age` seconds ago. Raises RpcError, SessionLost, StackError."""
        loop = asyncio.get_running_loop()
        async with self._listing:
            if loop.time() - self._listed.at > max_age:
                began = loop.time()
                self._listed = _Listed(await self._list(), began)
            return self._listed.tools

    async def call(self, name: str, arguments: Json, seconds: float) -> Json:
        """The result of a tool's run, which may be that it failed. Raises RpcError, SessionLost, StackError."""
        return await self._ask("tools/call", {"name": name, "arguments": arguments}, seconds)

    async def close(self) -> None:
        for each in self._parting:
            each.cancel()
        await asyncio.gather(*self._parting, return_exceptions=True)
        await self._transport.close()

    async def _list(self) -> Mapping[str, Tool]:
        found: dict[str, Tool] = {}
        cursor: object = None
        for _ in range(MOST_PAGES):
            try:
                page = await self._ask("tools/list", {} if cursor is None else {"cursor": cursor}, self._seconds)
            except RpcError as error:
                if error.code == METHOD_NOT_FOUND:  # a server of other things
                    return {}
                raise
            entries = page.get("tools")
            if not isinstance(entries, list):
                raise UpstreamError(f"{self.host} answered no list of tools", code="upstream_invalid_answer")
            for each in entries:
                if (
                    isinstance(each, dict)
                    and isinstance(name := each.get("name"), str)
                    and 0 < len(name) <= LONGEST_NAME
                ):
                    found.setdefault(name, _tool(name, each))
            cursor, before = page.get("nextCursor"), cursor
            if not isinstance(cursor, str) or cursor == before:
                return found
            if len(found) > MOST_TOOLS:
                break
        raise UpstreamError(f"{self.host} lists tools without an end", code="upstream_invalid_answer")

    async def _ask(self, method: str, params: Json, seconds: float) -> Json:
        number = next(self._numbers)
        try:
            async with asyncio.timeout(seconds):
                return result_of(await self._transport.ask(request(number, method, params), number), self.host)
        except TimeoutError:
            self._give_up(number)
            raise UpstreamTimeout(f"{self.host} did not answer {method} within {seconds:g} s") from None
        except asyncio.CancelledError:
            self._give_up(number)
            raise

    def _give_up(self, number: int) -> None:
        """Has the server told that nobody waits any longer; a closed connection alone does not say so."""
        task = asyncio.create_task(self._part(number))
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)

    async def _part(self, number: int) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._transport.tell(notification("notifications/cancelled", {"requestId": number}))
        except (StackError, TimeoutError):
            log.debug("%s was not told of a request that is given up", self.host)


def _tool(name: str, entry: Json) -> Tool:
    schema = entry.get("inputSchema")
    shown = ToolDef(name=name, input_schema=dict(schema) if isinstance(schema, dict) else {"type": "object"})
    if isinstance(text := entry.get("description"), str):
        shown.description = text
    if isinstance(output := entry.get("outputSchema"), dict):
        shown.output_schema = output
    others = {key: entry[key] for key in ("title", "annotations", "icons", "_meta") if entry.get(key) is not None}
    if others:
        shown.metadata = others
    return Tool(shown, ArgumentCheck(shown.input_schema or {}))


async def connect(upstream: Upstream, url: str, host: str, credential: Credential, seconds: float) -> Session:
    """A session, over whichever transport is spoken at the URL. Raises RpcError, StackError."""
    try:
        async with asyncio.timeout(seconds):
            session = Session(Streamable(upstream, url, host, credential), host, seconds)
            try:
                await session.begin()
            except NotStreamable as why:
                return await _connect_old(upstream, url, host, credential, seconds, str(why))
            return session
    except TimeoutError:
        raise UpstreamTimeout(f"{host} did not open a session within {seconds:g} s") from None


async def _connect_old(
    upstream: Upstream, url: str, host: str, credential: Credential, seconds: float, why: str
) -> Session:
    try:
        async with opening_old_sse(upstream, url, host, credential) as transport:
            session = Session(transport, host, seconds)
            await session.begin()
            return session
    except StackError as error:
        if error.status not in (400, 404, 502):
            raise
        message = f"{host} speaks no transport of the protocol at this URL ({why}; GET: {error.message})"
        raise UpstreamError(message, code="upstream_invalid_answer") from None
