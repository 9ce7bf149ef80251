from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Clock:
    async def get_time(self, request: object, ctx: object) -> object:
        return request


@asynccontextmanager
async def open_clock() -> AsyncIterator[Clock]:
    yield Clock()


@asynccontextmanager
async def open_alarm(*, chat: object) -> AsyncIterator[Clock]:
    yield Clock()


@asynccontextmanager
async def open_store() -> AsyncIterator[object]:
    yield object()


@asynccontextmanager
async def open_diary(*, store: object) -> AsyncIterator[Clock]:
    yield Clock()
