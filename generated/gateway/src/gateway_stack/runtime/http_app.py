"""The ASGI application: finds the route of a request, and carries the request through it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .context import Context
from .errors import ClientTimeout, MethodNotAllowed, NotFound, StackError, Unavailable
from .http_line import line_of
from .http_request import SILENCE_SECONDS, ClientLeft, Incoming, Receive, Scope, Send
from .http_watch import Watch
from .http_wire import Wire
from .metrics import Accounts
from .reply import Answer, Events

log = logging.getLogger(__name__)

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
# W3C's format of version 00, which later versions only add to; what is none is to be ignored.
_TRACE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{0,400})?")
_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True, slots=True)
class Plain:
    """An answer that is not JSON of a contract."""

    body: bytes
    content_type: bytes


class Sending(Protocol):
    """An answer that knows how it is sent."""

    async def send(self, wire: Wire, watch: Watch) -> None: ...


Reply = Answer[Any] | Events[Any] | Plain | Sending | None
"""None where there is nothing to say: 204."""


@dataclass(frozen=True, slots=True)
class Route:
    """One verb and path, and what answers it.

    public: needs no credential, where the server asks for one. prepare: what its first request would do once for all.
    """

    verb: str
    path: str
    answer: Callable[[Incoming], Awaitable[Reply]]
    public: bool = False
    prepare: Callable[[], object] | None = None
    operation: str = field(init=False)

    def __post_init__(self) -> None:
        # Its name in the accounts, wanted by every request.
        object.__setattr__(self, "operation", f"{self.verb} {self.path.replace(':path}', '}')}")


class App:
    """Routes, served. A path without parameters is found in one step, the others are tried in their order."""

    def __init__(self, routes: Iterable[Route], accounts: Accounts) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        self._accounts = accounts
        self._watches: set[Watch] = set()
        self._id_prefix = f"req_{os.urandom(8).hex()}"
        self._id_numbers = itertools.count()
        self._routes = tuple(routes)
        patterns: dict[str, dict[str, Route]] = {}
        for route in self._routes:
            table = patterns if "{" in route.path else self._fixed
            table.setdefault(route.path, {}).setdefault(route.verb, route)
        self._patterns = [(_pattern(path), verbs) for path, verbs in patterns.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"this server does not speak {scope['type']}")
        headers = dict(scope["headers"])
        line = line_of(scope, receive, send)
        wire = Wire(send, line, self._request_id(headers))
        try:
            route, params = self._find(scope["method"], scope["path"])
        except StackError as error:
            await wire.error(error, allow=self._allowed(scope["path"]))
            return
        if route is None:
            await wire.allowed(self._allowed(scope["path"]))
            return
        watch = Watch(line, self._watches)
        trace = headers.get(b"traceparent")
        sane = trace is not None and _TRACE.fullmatch(trace)
        ctx = Context(request_id=wire.request_id, trace=sane[0].decode() if sane else None)
        head = scope["method"] == "HEAD"
        incoming = Incoming(headers, scope["query_string"], params, ctx, receive, watch.hear, watch.listen, head)
        await self._account(route, incoming, wire, watch)

    def prepare(self) -> None:
        """Does what first requests would wait for: some 30 ms for a chat."""
        for route in self._routes:
            if route.prepare is not None:
                route.prepare()

    def abandon(self) -> None:
        """Ends every request that is still running: a stream with an error event and its end, the others with 503."""
        for watch in tuple(self._watches):
            watch.cancel("stopping")

    async def _account(self, route: Route, incoming: Incoming, wire: Wire, watch: Watch) -> None:
        started = time.perf_counter()
        self._accounts.begin()
        try:
            await self._carry(route, incoming, wire, watch)
        finally:
            watch.close()
            self._accounts.end(route.operation, incoming.ctx, wire.status, time.perf_counter() - started)

    async def _carry(self, route: Route, incoming: Incoming, wire: Wire, watch: Watch) -> None:
        """Answers, whatever happens."""
        try:
            await _reply(await route.answer(incoming), wire, watch)
        except ClientLeft:
            wire.left()
        except asyncio.CancelledError:
            if not watch.took_back():
                raise
            await _interrupted(wire, watch)
        except StackError as error:
            if watch.reason is None:
                await wire.error(error)
            else:
                # What was cancelled may have told it in words of its own.
                await _interrupted(wire, watch)
        except Exception:
            if watch.reason is None:
                log.exception("request %s failed", wire.request_id)
                await wire.error(StackError("the server made an error; its log has more under this request id"))
            else:
                await _interrupted(wire, watch)

    def _find(self, verb: str, path: str) -> tuple[Route | None, Mapping[str, str]]:
        """The route and its parameters, None for OPTIONS. Raises NotFound, MethodNotAllowed."""
        wanted = "GET" if verb == "HEAD" else verb
        known = self._fixed.get(path)
        if known is not None and (route := known.get(wanted)):
            return route, {}
        for pattern, verbs in self._patterns:
            if (match := pattern.fullmatch(path)) is not None:
                known = verbs
                if route := verbs.get(wanted):
                    return route, match.groupdict()
        if known is None:
            raise NotFound(f"there is no {path[:200]} here", code="unknown_url")
        if verb == "OPTIONS":
            return None, {}
        raise MethodNotAllowed(f"{path[:200]} does not take {verb[:20]}", code="method_not_supported")

    def _allowed(self, path: str) -> str:
        verbs = set(self._fixed.get(path, ()))
        for pattern, more in self._patterns:
            if pattern.fullmatch(path):
                verbs |= more.keys()
        return ", ".join(sorted(verbs | {"OPTIONS"} | ({"HEAD"} if "GET" in verbs else set()))) if verbs else ""

    def _request_id(self, headers: Mapping[bytes, bytes]) -> str:
        given = headers.get(b"x-request-id")
        if given is not None and _SANE_ID.fullmatch(given):
            return given.decode()
        return f"{self._id_prefix}{next(self._id_numbers):x}"


async def _reply(reply: Reply, wire: Wire, watch: Watch) -> None:
    if isinstance(reply, Answer):
        await wire.whole(200, reply.body)
    elif isinstance(reply, Plain):
        await wire.whole(200, reply.body, reply.content_type)
    elif reply is None:
        await wire.nothing()
    elif not isinstance(reply, Events):
        await reply.send(wire, watch)
    else:
        watch.listen()
        if not reply.done:
            wire.last = b""
        try:
            # Before the head, so that what ends at once is answered as the error that it is.
            if (first := await anext(aiter(reply), None)) is not None:
                await wire.begin_stream()
                if (full := wire.put(first)) is not None:
                    await full
                await reply.pour(wire.put)
            await wire.done()
        finally:
            # From here on nobody may cancel: the upstream is being let go of.
            watch.close()
            await reply.aclose()


async def _interrupted(wire: Wire, watch: Watch) -> None:
    if watch.reason == "left":
        wire.left()
    elif watch.reason == "silent":
        await wire.error(ClientTimeout(f"no more of the body came for {SILENCE_SECONDS:g} s"))
    else:
        await wire.last_words(Unavailable("the server is stopping; try again", code="server_stopping", retry_after=1))


def _pattern(path: str) -> re.Pattern[str]:
    pieces: list[str] = []
    done = 0
    for found in _PARAMETER.finditer(path):
        pieces += (re.escape(path[done : found.start()]), f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})")
        done = found.end()
    return re.compile("".join((*pieces, re.escape(path[done:]))), re.DOTALL)
