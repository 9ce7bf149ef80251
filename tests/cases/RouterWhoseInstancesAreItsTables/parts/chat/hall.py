from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Hall:
    def __init__(self, *, table: object) -> None:
        self.table = table

    async def talk(self, request: object, ctx: object) -> object:
        return request


class Wall:
    pass


@asynccontextmanager
async def open_wall() -> AsyncIterator[Wall]:
    yield Wall()
