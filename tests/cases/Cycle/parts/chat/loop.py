from contextlib import asynccontextmanager
from .clock import Clock


class Bell:
    async def ring(self, request, ctx): ...


@asynccontextmanager
async def open_loop(*, bell: object) -> AsyncIterator[Clock]:
    yield Clock()


@asynccontextmanager
async def open_bell(*, clock: object) -> AsyncIterator[Bell]:
    yield Bell()
