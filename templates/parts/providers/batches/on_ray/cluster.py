"""Lines answered by tasks of a Ray cluster, a few to a task."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from pydantic_core import from_json

from ....runtime.context import Context
from ....runtime.errors import UpstreamError, UpstreamTimeout
from ....runtime.event_watch import count_tokens
from ....runtime.upstream_errors import refusal
from ..jobs.endpoints import on_one_line
from ..jobs.faults import NotRun
from .driver import SILENT, Order, Reply, Said
from .process import DriverEnded

log = logging.getLogger(__name__)

_OK = 200

_GATHER_SECONDS = 0.01
"""What a task that is not full waits for lines: they come one after another, and a task costs more than this."""


class AnyDriver(Protocol):
    """`process.Driver`."""

    def order(self, order: Order) -> None: ...
    async def reply(self) -> Reply: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Line:
    """answer: what it came to; cancelled where nobody waits for it any more."""

    path: str
    id: str
    body: bytes
    answer: asyncio.Future[Said]


class Cluster:
    """What runs lines (`jobs.endpoints.RunLine`).

    start: a driver that has been told what to do, and whose first reply says whether there is a cluster; it is called
    when there is something to run, and again after a driver was lost. host: of the inference servers, for messages.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[AnyDriver]],
        *,
        host: str,
        tasks: int,
        lines_per_task: int,
        connect_seconds: float,
    ) -> None:
        self._start = start
        self._host = host
        self._tasks = tasks
        self._lines_per_task = lines_per_task
        self._connect_seconds = connect_seconds
        self._driver: AnyDriver | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: deque[_Line] = deque()
        self._sent: dict[int, list[_Line]] = {}
        self._number = 0
        self._bell = asyncio.Event()

    async def answer(self, path: str, body: bytes, ctx: Context) -> bytes:
        """The JSON of an answer, on one line. Raises NotRun where there is no cluster, other StackErrors as the
        inference server does; cancelled, the task is stopped when nobody waits for a line of it.
        """
        line = _Line(path, ctx.request_id, body, asyncio.get_running_loop().create_future())
        self._waiting.append(line)
        self._bell.set()
        status, headers, content = await line.answer
        if status == _OK:
            return _answer(self._host, content, ctx)
        if status:
            raise refusal(self._host, status, headers, content)
        kind = UpstreamTimeout if content == SILENT else UpstreamError
        raise kind(f"{self._host} {content.decode('utf-8', 'replace')}")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        dispatching = asyncio.create_task(self._dispatch())
        try:
            yield
        finally:
            dispatching.cancel()
            await asyncio.gather(dispatching, return_exceptions=True)
            if self._driver is not None:
                await self._driver.close()
            if self._listening is not None:
                await self._listening

    async def _dispatch(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            if len(self._waiting) < self._lines_per_task:
                await asyncio.sleep(_GATHER_SECONDS)
            try:
                while len(self._sent) < self._tasks and self._live():
                    driver = self._driver or await self._connect()
                    self._send(driver, self._next())
            except NotRun as error:
                _fail(self._waiting, error)
                self._waiting.clear()
            except Exception as error:
                log.exception("lines cannot be given to Ray")
                _fail(self._waiting, NotRun(f"lines cannot be given to Ray: {type(error).__name__}"))
                self._waiting.clear()

    async def _connect(self) -> AnyDriver:
        if self._listening is not None:
            # The driver before this one is being closed.
            await self._listening
        driver = await self._start()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, ready, why = await driver.reply()
        except TimeoutError:
            ready, why = None, f"no connection within {self._connect_seconds:g} seconds"
        except DriverEnded as error:
            ready, why = None, str(error)
        except BaseException:
            await driver.close()
            raise
        if ready is None:
            await driver.close()
            raise NotRun(f"there is no Ray cluster: {why}")
        self._driver = driver
        self._listening = asyncio.create_task(self._listen(driver))
        return driver

    async def _listen(self, driver: AnyDriver) -> None:
        """Until the driver ends, or a task fails: Ray itself has tried that again by then, so that no more is hoped of
        this connection.
        """
        try:
            while True:
                number, answers, why = await driver.reply()
                if (lines := self._sent.pop(number, None)) is None:
                    continue
                self._bell.set()
                if answers is None:
                    self._sent[number] = lines
                    break
                for line, answer in zip(lines, answers, strict=True):
                    if not line.answer.done():
                        line.answer.set_result(answer)
        except DriverEnded as error:
            why = str(error)
        except Exception as error:
            log.exception("a reply of the Ray driver cannot be understood")
            why = type(error).__name__
        # What it was doing is to be done again.
        self._driver = None
        sent, self._sent = self._sent, {}
        for lines in sent.values():
            _fail(lines, NotRun(f"Ray could not run lines: {why}"))
        await driver.close()

    def _live(self) -> bool:
        """Whether somebody waits for a line that has not been sent."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        return bool(self._waiting)

    def _next(self) -> list[_Line]:
        """As many as a task has, of one path, in order; none where nobody waits any more."""
        lines: list[_Line] = []
        while self._live() and len(lines) < self._lines_per_task:
            if lines and self._waiting[0].path != lines[0].path:
                break
            lines.append(self._waiting.popleft())
        return lines

    def _send(self, driver: AnyDriver, lines: list[_Line]) -> None:
        if not lines:
            return
        self._number += 1
        number = self._number
        self._sent[number] = lines
        driver.order((number, lines[0].path, [(line.id, line.body) for line in lines]))
        for line in lines:
            line.answer.add_done_callback(lambda _: self._left(number))

    def _left(self, number: int) -> None:
        """Stops a task for which nobody waits."""
        lines = self._sent.get(number)
        if lines is None or not all(line.answer.done() for line in lines):
            return
        del self._sent[number]
        self._bell.set()
        if self._driver is not None:
            self._driver.order((number, "", []))


def host_of(url: str) -> str:
    """For messages: an URL may hold what is nobody's business."""
    return urlsplit(url).hostname or url


def _answer(host: str, content: bytes, ctx: Context) -> bytes:
    try:
        document = from_json(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise UpstreamError(f"{host} answered what is no JSON object", code="upstream_invalid_answer")
    count_tokens(ctx.usage, document.get("usage"))
    return on_one_line(content)


def _fail(lines: list[_Line] | deque[_Line], error: NotRun) -> None:
    for line in lines:
        if not line.answer.done():
            line.answer.set_exception(error)
