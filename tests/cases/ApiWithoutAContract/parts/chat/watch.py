from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Watch:
    async def get_hour(self, request: object, ctx: object) -> object:
        return request


@asynccontextmanager
async def open_watch() -> AsyncIterator[Watch]:
    yield Watch()


@asynccontextmanager
async def open_alarm(*, chat: object) -> AsyncIterator[Watch]:
    yield Watch()


@asynccontextmanager
async def open_store() -> AsyncIterator[object]:
    yield object()


@asynccontextmanager
async def open_diary(*, store: object) -> AsyncIterator[Watch]:
    yield Watch()
