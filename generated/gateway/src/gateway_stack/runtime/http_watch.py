"""Ends the work of a request whose client has left, is silent for too long, or that the server no longer waits for."""

from __future__ import annotations

import asyncio
from typing import Literal

from .http_line import Line
from .http_request import SILENCE_SECONDS

Reason = Literal["left", "silent", "stopping"]


class Watch:
    """One request's: cancels the task it was made in. everyone: where it stands while it may.

    reason: why it did, None while it did not. While the request's body is read, only silence is looked out for: the
    client's leaving shows there by itself.
    """

    __slots__ = ("_everyone", "_heard", "_line", "_listening", "_loop", "_task", "_timer", "reason")

    def __init__(self, line: Line, everyone: set[Watch]) -> None:
        self._line = line
        self._everyone = everyone
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._listening = False
        self._heard = self._loop.time()
        # Most requests come whole, head and body at once, and need none.
        self._timer = self._loop.call_later(SILENCE_SECONDS, self._look) if line.has_more() else None
        self.reason: Reason | None = None
        everyone.add(self)

    def hear(self) -> None:
        """A piece of the body has come."""
        self._heard = self._loop.time()

    def listen(self) -> None:
        """The request is whole: looks out for the client's leaving."""
        self._stop_timer()
        if not self._listening:
            self._listening = True
            self._line.watch(self._left)

    def cancel(self, reason: Reason) -> None:
        if self.reason is None and self in self._everyone and self._task is not None:
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
        self._everyone.discard(self)
        self._stop_timer()
        if self._listening:
            # The connection's next request may be watched by now when this is called once more.
            self._listening = False
            self._line.watch(None)

    def _left(self) -> None:
        self.cancel("left")

    def _look(self) -> None:
        left = self._heard + SILENCE_SECONDS - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self.cancel("silent")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
