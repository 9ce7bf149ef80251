"""The model's thread, and the event loop's side of it.

One thread runs the model. Between two steps it lets in what has come and lets go what has left; each step serves every
row that runs. As many rows run as are set; the others wait in the event loop, where leaving is free.

    async with aclosing(engine.generate(jobs)) as pieces:
        async for piece in pieces: …
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, Sequence

import torch

from ..refusals import MOST_WAITING, failed, overloaded, stopping
from .constraints import Guides
from .loading import Loaded
from .rows import Job, Piece, Row
from .worker import Said, Worker

log = logging.getLogger(__name__)


class Engine:
    """A model that generates for many at once; opening it blocks. rows: answers at once. loop: where it is used."""

    def __init__(self, loaded: Loaded, guides: Guides, rows: int, loop: asyncio.AbstractEventLoop) -> None:
        self.loaded = loaded
        self.guides = guides
        self._free = rows
        self._waiting: deque[Row] = deque()
        self._inbox: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._loop = loop
        self._worker = Worker(loaded, self._hear, guides)
        self._thread = threading.Thread(target=self._work, name="torch-text", daemon=True)
        self._closed = False
        self._thread.start()

    @property
    def generated(self) -> int:
        """Tokens so far, over all requests."""
        return self._worker.generated

    # ── in the event loop ───────────────────────────────────────────────────────────────────────────────────────────

    async def generate(self, jobs: Sequence[Job]) -> AsyncGenerator[Piece, None]:
        """What is generated for these, mixed, until each has finished. Closing it ends them with the next step.

        Raises StackError.
        """
        heard: asyncio.Queue[Piece | BaseException] = asyncio.Queue()
        rows = [Row(job, heard.put_nowait) for job in jobs]
        if self._closed:
            raise stopping()
        if len(self._waiting) + len(rows) > MOST_WAITING:
            raise overloaded()
        self._waiting.extend(rows)
        self._admit()
        try:
            unfinished = len(rows)
            while unfinished:
                said = await heard.get()
                if isinstance(said, BaseException):
                    raise failed(said) from None
                unfinished -= said.finish is not None
                yield said
        finally:
            for row in rows:
                row.left = True
            self._waiting = deque(row for row in self._waiting if not row.left)

    def _admit(self) -> None:
        while self._free and self._waiting and not self._closed:
            self._free -= 1
            self._inbox.put(self._waiting.popleft())

    def _deliver(self, said: list[Said], ended: int) -> None:
        for row, what in said:
            if not row.left:
                row.say(what)
        self._free += ended
        self._admit()

    async def close(self) -> None:
        """Ends what is being generated, and the thread."""
        self._closed = True
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)
        for row in self._waiting:
            row.say(stopping())
        self._waiting.clear()

    # ── in the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, said: list[Said], ended: int) -> None:
        self._loop.call_soon_threadsafe(self._deliver, said, ended)

    def _work(self) -> None:
        with torch.inference_mode():
            while self._come():
                try:
                    self._worker.turn()
                except Exception as error:  # a fault of ours must not end the thread
                    log.debug("between two steps", exc_info=True)
                    self._worker.fail(error)
        self._worker.fail(stopping())

    def _come(self) -> bool:
        """Lets in who has come, waiting for someone where nothing runs. Whether to go on."""
        while not self._inbox.empty() or self._worker.idle:
            row = self._inbox.get()
            if row is None:
                return False
            self._worker.welcome(row)
        return True
