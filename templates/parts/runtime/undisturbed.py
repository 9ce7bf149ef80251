"""Work that is not left half done where whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives, or raises. A cancellation that comes meanwhile is raised once the work has ended.

    For short steps only: a thread that uses a file which its caller would close, a row and what belongs to it.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            # Looked at, so that nobody is told of an error that went unseen.
            task.exception()
        raise cancelled
    return task.result()
