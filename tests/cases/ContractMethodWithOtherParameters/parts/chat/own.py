from contextlib import asynccontextmanager


class Base:
    def get_time(self, request): ...


class Own(Base):
    pass


@asynccontextmanager
async def open_own() -> AsyncIterator[Own]:
    yield Own()
