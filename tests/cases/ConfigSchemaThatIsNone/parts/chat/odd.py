from contextlib import asynccontextmanager
from dataclasses import dataclass
from .clock import Clock


@dataclass
class OddConfig:
    numbers: tuple[int, ...]
    empty: str
    wrong: int
    part: str


@asynccontextmanager
async def open_odd(config: OddConfig) -> AsyncIterator[Clock]:
    yield Clock()
