from contextlib import asynccontextmanager


class Own:
    async def get_tme(self, request, ctx): ...


@asynccontextmanager
async def open_own() -> AsyncIterator[Own]:
    yield Own()
