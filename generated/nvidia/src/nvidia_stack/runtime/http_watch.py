"""Ends the work of a request whose client has left, is silent for too long, or that the server no longer waits for."""

from __future__ import annotations

import asyncio
from typing import Literal

from .http_request import SILENCE_SECONDS, Receive

# Most requests that can be answered at once are: only one that takes longer gets a task to watch its connection.
PATIENCE_SECONDS = 0.02


class Lookout:
    """Looks after young requests, with one timer for them all: one for each costs more than finding its route."""

    __slots__ = ("_timer", "_young", "everyone")

    def __init__(self) -> None:
        self.everyone: set[Watch] = set()
        self._young: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watch: Watch) -> None:
        self.everyone.add(watch)
        self._young.add(watch)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._look)

    def remove(self, watch: Watch) -> None:
        self.everyone.discard(watch)
        self._young.discard(watch)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._young = {watch for watch in self._young if watch.is_young(now)}
        self._timer = loop.call_later(PATIENCE_SECONDS, self._look) if self._young else None


class Watch:
    """One request's: cancels the task it was made in. reason: why it did, None while it did not.

    While the request's body is read, only silence is looked out for: the client's leaving shows there by itself, and
    both use `receive`.
    """

    __slots__ = ("_heard", "_listener", "_lookout", "_receive", "_task", "_whole", "reason")

    def __init__(self, receive: Receive, lookout: Lookout) -> None:
        self._receive = receive
        self._lookout = lookout
        self._task = asyncio.current_task()
        self._listener: asyncio.Task[None] | None = None
        self._heard = asyncio.get_running_loop().time()
        self._whole = False
        self.reason: Literal["left", "silent", "stopping"] | None = None
        lookout.add(self)

    def hear(self) -> None:
        """A piece of the body has come."""
        self._heard = asyncio.get_running_loop().time()

    def listen(self) -> None:
        """The request is whole: looks out for the client's leaving, unless the answer comes first."""
        if not self._whole:
            self._whole = True
            self.hear()

    def cancel(self, reason: Literal["left", "silent", "stopping"]) -> None:
        if self.reason is None and self in self._lookout.everyone and self._task is not None:
            self.reason = reason
            self._task.cancel()

    def took_back(self) -> bool:
        """Whether a cancellation that arrived was this watch's, and then is one no longer."""
        if self.reason is None or self._task is None:
            return False
        self._task.uncancel()
        return True

    def close(self) -> None:
        """Stops looking, and cancelling."""
        self._lookout.remove(self)
        if self._listener is not None:
            self._listener.cancel()

    def is_young(self, now: float) -> bool:
        """Does what is due; whether more will be."""
        if self._whole and now - self._heard >= PATIENCE_SECONDS:
            self._listener = asyncio.get_running_loop().create_task(self._wait())
            return False
        if not self._whole and now - self._heard >= SILENCE_SECONDS:
            self.cancel("silent")
            return False
        return True

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.cancel("left")
