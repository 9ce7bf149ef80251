"""Removes files whose time is over, and what a crash has left half done. Every process does so, each row once."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from ...runtime.errors import StackError

if TYPE_CHECKING:
    from .keeping import Blobs
    from .rows import FileRows

log = logging.getLogger(__name__)

AT_ONCE = 100


async def sweeping(rows: FileRows, blobs: Blobs, seconds: float) -> None:
    """Sweeps now and then, until it is cancelled. seconds: between two times, about."""
    while True:
        try:
            if count := await sweep(rows, blobs):
                log.info("removed %d files that were over or half done", count)
        except StackError as error:
            log.warning("files cannot be swept at present: %s", error.message)
        except Exception:
            log.exception("sweeping files failed")
        # Processes that start together do not sweep together for ever.
        await asyncio.sleep(seconds * random.uniform(0.75, 1.25))


async def sweep(rows: FileRows, blobs: Blobs) -> int:
    """How many rows it removed. Raises StackError where the database is not there."""
    count = 0
    while abandoned := await rows.abandoned(AT_ONCE):
        for id in abandoned:
            if await rows.claim(id):
                try:
                    await remove(rows, blobs, id)
                    count += 1
                except StackError as error:
                    # The row stays, and is tried again when its lease is over.
                    log.warning("the file %s cannot be removed at present: %s", id, error.message)
    return count


async def remove(rows: FileRows, blobs: Blobs, id: str) -> None:
    """Bytes first, then their row. For whoever has claimed the row. Raises StackError."""
    await blobs.delete(id)
    await rows.remove(id)
