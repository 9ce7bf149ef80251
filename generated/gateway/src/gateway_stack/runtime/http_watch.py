"""Ends the work of a request whose client has left, or that the server no longer waits for."""

from __future__ import annotations

import asyncio
from typing import Literal

from .http_request import Receive

# Most requests that can be answered at once are: only one that takes longer gets a task to watch its connection.
PATIENCE_SECONDS = 0.02


class Watch:
    """One request's: cancels the task it was made in. reason: why it did, None while it did not."""

    __slots__ = ("_closed", "_listener", "_receive", "_task", "_timer", "reason")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._listener: asyncio.Task[None] | None = None
        self._closed = False
        self.reason: Literal["left", "stopping"] | None = None

    def listen(self) -> None:
        """Starts to look out for the client's leaving; not before the body is read, as both use `receive`."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._start)

    def cancel(self, reason: Literal["left", "stopping"]) -> None:
        if self.reason is None and not self._closed and self._task is not None:
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
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()

    def _start(self) -> None:
        self._listener = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.cancel("left")
