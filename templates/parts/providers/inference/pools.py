"""Work of a model on threads of its own, and what becomes of it when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from .refusals import stopping

T = TypeVar("T")


async def on_pool(pool: Executor, work: Callable[[], T]) -> T:
    """What the work gives. A caller that is cancelled takes it along, unless it has begun.

    Raises Unavailable where the pool is shut down before it begins.
    """
    try:
        job = pool.submit(work)
    except RuntimeError as error:
        # The same kind of error tells that there are no more threads.
        if "shutdown" not in str(error):
            raise
        raise stopping() from None
    try:
        return await asyncio.wrap_future(job)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise stopping() from None
        raise
