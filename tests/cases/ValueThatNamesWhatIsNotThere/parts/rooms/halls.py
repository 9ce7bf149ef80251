from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    seats: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HallsConfig:
    first_room: str | None = None
    speaker: str | None = None
    limits: Limits = field(default_factory=Limits)


class Halls:
    async def get_room(self, request: object, ctx: object) -> object:
        return request


@asynccontextmanager
async def open_halls(config: HallsConfig, *, sources: object, resources: object) -> AsyncIterator[Halls]:
    yield Halls()
