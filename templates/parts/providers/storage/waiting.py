"""A store that is not there yet when the server starts: both may have been started together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...runtime.errors import SettingsError, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


async def when_there(attempt: Callable[[], Awaitable[T]], *, seconds: float, instance: str, mend: str) -> T:
    """What the attempt returns, once it no longer raises Unavailable.

    seconds: how long that may take. instance: the backend's name. mend: what to look at, for whoever starts the server;
    they read it in the SettingsError that ends the start.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            left = deadline - time.monotonic()
            if left <= 0:
                why = f"{error.message} ({error.__cause__})" if error.__cause__ is not None else error.message
                said = f"storage.{instance}: waited {seconds:g} seconds, and still {why}. {mend}"
                raise SettingsError([said]) from None
            if pause == _FIRST_PAUSE:
                log.warning("the start waits up to %g seconds for the store %s", seconds, instance)
        await asyncio.sleep(min(pause, max(left, 0)))
        pause = min(2 * pause, _LONGEST_PAUSE)
