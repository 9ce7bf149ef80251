from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .line import LineConfig, Talker


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoConfig(LineConfig):
    retries: int
    loud: bool
    words: tuple[str, ...]
    labels: Mapping[str, str]
    log: str | None


class Echo(Talker):
    pass


@asynccontextmanager
async def open_echo(config: EchoConfig, *, instance: str, tone: str) -> AsyncIterator[Echo]:
    yield Echo()
