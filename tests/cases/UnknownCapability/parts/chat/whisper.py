from contextlib import asynccontextmanager
from .line import Talker

@asynccontextmanager
async def open_whisper() -> AsyncIterator[Talker]:
    yield Talker()
