from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass

from .clock import Clock


@dataclass
class Inner:
    deep: int


@dataclass
class OwnConfig:
    size: str
    name: str
    left: bool
    inner: Inner
    flat: int


@asynccontextmanager
async def open_own(config: OwnConfig) -> AsyncIterator[Clock]:
    yield Clock()
