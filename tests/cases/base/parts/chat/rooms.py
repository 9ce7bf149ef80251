from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomResource:
    room_id: str | None
    provider_id: str | None
    seats: int


class Rooms:
    async def get_room(self, request: object, ctx: object) -> object:
        return request


@asynccontextmanager
async def open_rooms(*, sources: object, resources: object) -> AsyncIterator[Rooms]:
    yield Rooms()
