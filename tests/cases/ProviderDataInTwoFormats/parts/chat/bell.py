from contextlib import asynccontextmanager
from .line import Talker

@asynccontextmanager
async def open_bell() -> AsyncIterator[Talker]:
    yield Talker()
