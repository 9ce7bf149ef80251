"""What others have written to a namespace, as it comes.

async for _ in changes(kv.namespace("registry")):
    table = await read_all()
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from .errors import Unavailable
from .kv import Kv

log = logging.getLogger(__name__)

LONGEST_PAUSE = 1.0
"""Between two looks at a store that is away, in seconds."""


async def changes(kv: Kv, *, seconds: float = 0.25, since: int | None = None) -> AsyncGenerator[None, None]:
    """Yields at the start, whenever somebody has written to the namespace, and when a store that was away is back.

    Writes that come together are told once; whoever reads the namespace then has missed none. seconds: between two
    looks. since: the revision at which the namespace has been read; then the start is no news. A store that cannot be
    reached is looked at less and less often, and told of in the log once.
    """
    seen = since
    pause = seconds
    away = False
    while True:
        try:
            found = await kv.revision()
        except Unavailable as error:
            if not away:
                log.warning("what others write is not seen for now: %s", error.message)
            away = True
            pause = max(seconds, min(2 * pause, LONGEST_PAUSE))
        else:
            if away or found != seen:
                seen, away, pause = found, False, seconds
                yield
        await asyncio.sleep(pause)
