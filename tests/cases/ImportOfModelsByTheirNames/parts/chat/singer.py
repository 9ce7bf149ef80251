from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .line import Talker


@dataclass(frozen=True, slots=True, kw_only=True)
class SingerConfig:
    model: str = "ours/usual"
    model_id: str | None = None


class Singer(Talker):
    pass


@asynccontextmanager
async def open_singer(config: SingerConfig) -> AsyncIterator[Singer]:
    yield Singer()
