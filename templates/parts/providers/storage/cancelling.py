"""Being cancelled while a driver works."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancelled_if_asked() -> Iterator[None]:
    """A block whose task is cancelled meanwhile ends so, even where the driver answers all the same.

    Before Python 3.12 `asyncio.wait_for`, which drivers use, lets go of a cancellation that comes together with what it
    waits for. Whoever follows a store would then do so for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
