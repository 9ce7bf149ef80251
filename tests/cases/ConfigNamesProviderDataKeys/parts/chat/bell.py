from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .line import Talker


@dataclass(frozen=True, slots=True, kw_only=True)
class BellConfig:
    headers: Mapping[str, str]


@asynccontextmanager
async def open_bell(config: BellConfig) -> AsyncIterator[Talker]:
    yield Talker()
