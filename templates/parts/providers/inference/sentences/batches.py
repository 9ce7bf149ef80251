"""Texts that wait together become one batch.

A model takes 32 short texts in little more time than one, so whatever waits when the model is free goes to it together,
from however many requests it came:

    embedded = await batches.embed(["one text", "another"])    # its rows, whoever else's were computed beside them

The model runs on one thread of its own. A request crosses to that thread once, and back once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ....runtime.errors import StackError
from ..refusals import MOST_WAITING, failed, no_memory, overloaded, stopping, too_long

log = logging.getLogger(__name__)

Input: TypeAlias = str | list[int]
"""A text, or its tokens."""

Rows: TypeAlias = npt.NDArray[np.float32]
"""A vector per text."""

LINGER_SHARE = 0.125
"""For how much of its last batch's time a free model waits for the requests that it expects."""

LINGER_SECONDS = 0.01
"""For how long at most."""


class Tokenized(Protocol):
    """A text as a model reads it."""

    def __len__(self) -> int: ...


T = TypeVar("T", bound=Tokenized)


class OutOfMemory(Exception):
    """There was no memory for a batch."""


class Encoder(Protocol[T]):
    """A model, called from one thread."""

    @property
    def context(self) -> int | None:
        """Tokens of the longest text, None where there is no bound."""

    def enter(self) -> None:
        """Called once, on the thread that will make the other calls."""

    def tokenize(self, inputs: Sequence[Input]) -> list[T]: ...

    def encode(self, batch: Sequence[T]) -> Rows:
        """A row for each. Raises OutOfMemory."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """rows: in the order of the inputs. tokens: read for them."""

    rows: Rows
    tokens: int


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    """A request. todo: which of its texts are still to be computed, the longest last. left: nobody waits any more."""

    inputs: Sequence[Input]
    done: asyncio.Future[Embedded]
    texts: list[T] = field(default_factory=list)
    todo: list[int] = field(default_factory=list)
    rows: Rows | None = None
    missing: int = 0
    left: bool = False


_Pick: TypeAlias = tuple[_Job[T], int]


class Batches(Generic[T]):
    """The queue in front of a model. texts: of one batch at most. tokens: likewise, padding included, unless one text
    has more.
    """

    def __init__(self, encoder: Encoder[T], *, texts: int, tokens: int, name: str) -> None:
        self._encoder = encoder
        self._texts = texts
        self._tokens = tokens
        self._loop = asyncio.get_running_loop()
        self._turn = threading.Condition()
        self._waiting: list[_Job[T]] = []
        self._wanted = 1
        self._closing = False
        self._asked = 0
        # Of the last batch: how many requests it ended, how many seconds it took.
        self._ended, self._took = 1, 0.0
        self._thread = threading.Thread(target=self._work, name=name)
        self._thread.start()

    async def embed(self, inputs: Sequence[Input]) -> Embedded:
        """The vectors of some texts. A caller that is cancelled takes what is still to be computed with it.

        Raises BadRequest where one is too long, Unavailable where memory does not suffice, or too many wait.
        """
        if self._asked >= MOST_WAITING:
            raise overloaded()
        job: _Job[T] = _Job(inputs, self._loop.create_future())
        with self._turn:
            if self._closing:
                raise stopping()
            self._waiting.append(job)
            if len(self._waiting) >= self._wanted:
                self._turn.notify()
        self._asked += 1
        try:
            return await job.done
        finally:
            self._asked -= 1
            job.left = True

    async def close(self) -> None:
        """Ends after the batch that is being computed; what waits is refused."""
        with self._turn:
            self._closing = True
            self._turn.notify()
        await asyncio.to_thread(self._thread.join)

    # ── on the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        self._encoder.enter()
        begun: deque[_Job[T]] = deque()
        while not self._closing:
            fresh = self._take(wait=not begun)
            begun.extend(self._tokenize([job for job in fresh if not job.left]))
            began = time.monotonic()
            ended = 0
            for batch in split(pick(begun, self._texts), self._tokens):
                ended += self._run(batch)
            self._ended, self._took = max(ended, 1), time.monotonic() - began
        with self._turn:
            rest = [*begun, *self._waiting]
        self._fail(rest, stopping())

    def _take(self, *, wait: bool) -> list[_Job[T]]:
        """The requests that have come. wait: for the first, and then a moment for as many as were served last time:
        those who ask one thing after another come back together, and the first must not be computed alone.
        """
        with self._turn:
            if wait:
                while not self._waiting and not self._closing:
                    self._turn.wait()
                self._wanted = min(self._ended, self._texts)
                until = time.monotonic() + min(self._took * LINGER_SHARE, LINGER_SECONDS)
                while len(self._waiting) < self._wanted and not self._closing:
                    left = until - time.monotonic()
                    if left <= 0 or not self._turn.wait(left):
                        break
                self._wanted = 1
            taken, self._waiting = self._waiting, []
        return taken

    def _tokenize(self, jobs: list[_Job[T]]) -> list[_Job[T]]:
        """Those that can be computed; the others are told why not."""
        if not jobs:
            return []
        try:
            texts = iter(self._encoder.tokenize([each for job in jobs for each in job.inputs]))
        except Exception as error:
            if len(jobs) > 1:
                return [job for each in jobs for job in self._tokenize([each])]
            log.exception("a request's texts cannot be made tokens of")
            self._fail(jobs, failed(error))
            return []
        return [job for job in jobs if self._begin(job, [next(texts) for _ in job.inputs])]

    def _begin(self, job: _Job[T], texts: list[T]) -> bool:
        longest = max(map(len, texts))
        context = self._encoder.context
        if context is not None and longest > context:
            self._fail([job], too_long(context, longest, "input", holder="a text of the request"))
            return False
        job.texts = texts
        job.todo = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        job.missing = len(texts)
        return True

    def _run(self, batch: list[_Pick[T]]) -> int:
        """How many requests it ended. A batch that memory does not suffice for is tried again in halves."""
        batch = [(job, index) for job, index in batch if not job.left]
        if not batch:
            return 0
        try:
            rows = self._encoder.encode([job.texts[index] for job, index in batch])
            if len(rows) != len(batch):
                raise ValueError(f"{len(rows)} vectors for {len(batch)} texts")
        except OutOfMemory:
            rows = None
        except Exception as error:
            log.exception("the model failed on a batch")
            return self._fail(list(dict.fromkeys(job for job, _ in batch)), failed(error))
        if rows is not None:
            return self._deliver(batch, rows)
        if len(batch) == 1:
            return self._fail([batch[0][0]], no_memory(f"a text of {len(batch[0][0].texts[batch[0][1]])} tokens"))
        half = len(batch) // 2
        return self._run(batch[:half]) + self._run(batch[half:])

    def _deliver(self, batch: list[_Pick[T]], rows: Rows) -> int:
        ended: list[tuple[_Job[T], Embedded]] = []
        for (job, index), row in zip(batch, rows, strict=True):
            if job.rows is None:
                job.rows = np.empty((len(job.texts), rows.shape[1]), np.float32)
            job.rows[index] = row
            job.missing -= 1
            if job.missing == 0:
                ended.append((job, Embedded(job.rows, sum(map(len, job.texts)))))
        if ended:
            self._loop.call_soon_threadsafe(_settle, ended)
        return len(ended)

    def _fail(self, jobs: Sequence[_Job[T]], error: StackError) -> int:
        for job in jobs:
            job.left = True
        self._loop.call_soon_threadsafe(_settle, [(job, error) for job in jobs])
        return len(jobs)


def _settle(ended: Sequence[tuple[_Job[T], Embedded | StackError]]) -> None:
    for job, result in ended:
        if job.done.done():
            continue
        if isinstance(result, Embedded):
            job.done.set_result(result)
        else:
            job.done.set_exception(result)


# ── which texts go together ─────────────────────────────────────────────────────────────────────────────────────────


def pick(jobs: deque[_Job[T]], count: int) -> list[_Pick[T]]:
    """Up to so many texts, one of each request in turn: a long list does not keep a single text waiting. Requests of
    which nothing is left to be computed leave the queue.
    """
    picked: list[_Pick[T]] = []
    while jobs and len(picked) < count:
        job = jobs.popleft()
        if job.left:
            continue
        picked.append((job, job.todo.pop()))
        if job.todo:
            jobs.append(job)
    return picked


def split(picked: list[_Pick[T]], tokens: int) -> Iterator[list[_Pick[T]]]:
    """The texts as batches, the longest first, each of so many tokens at most with its padding."""
    picked.sort(key=lambda pick: len(pick[0].texts[pick[1]]), reverse=True)
    while picked:
        widest = max(len(picked[0][0].texts[picked[0][1]]), 1)
        count = max(tokens // widest, 1)
        yield picked[:count]
        picked = picked[count:]
