from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import lamp


class Sundial:
    async def get_time(self, request: object, ctx: object) -> object:
        return request


@asynccontextmanager
async def open_sundial() -> AsyncIterator[Sundial]:
    yield Sundial()
