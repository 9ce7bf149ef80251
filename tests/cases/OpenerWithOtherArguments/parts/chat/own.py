from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass

from .clock import Clock


@asynccontextmanager
async def open_own(*, version: str, chat: object, tone: str, extra: int = 1) -> AsyncIterator[Clock]:
    yield Clock()
