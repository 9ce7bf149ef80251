"""A store that is not there yet when the server starts: both may have been started together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...runtime.errors import Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


async def when_there(attempt: Callable[[], Awaitable[T]], *, seconds: float, instance: str, where: str) -> T:
    """What the attempt returns, once it no longer raises Unavailable.

    seconds: how long that may take. instance: the backend's name. where: the store is, for whoever starts the server,
    who reads it in the Unavailable that ends the start.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            left = deadline - time.monotonic()
            if left <= 0:
                why = f"storage.{instance}: {where}: {error.message}, and was waited for {seconds:g} s"
                raise Unavailable(why, code=error.code) from None
            log.warning("%s: %s is waited for, %.0f s more at most", instance, where, left)
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
