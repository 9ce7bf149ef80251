"""A key-value store in memory, a fake: for tests that decide when it answers, and whether it does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from parts.runtime.errors import Unavailable


@dataclass
class MemoryKv:
    """One namespace. down: whether it cannot be reached. open: while it is not set, scans do not come back."""

    values: dict[str, bytes] = field(default_factory=dict)
    down: bool = False
    asked: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    _revision: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    def namespace(self, name: str) -> MemoryKv:
        return self

    async def get(self, key: str) -> bytes | None:
        await self._turn()
        return self.values.get(key)

    async def put(self, key: str, value: bytes, *, seconds: float | None = None) -> None:
        await self._turn()
        self.values[key] = value
        self._revision += 1

    async def add(self, key: str, value: bytes, *, seconds: float | None = None) -> bool:
        await self._turn()
        if key in self.values:
            return False
        self.values[key] = value
        self._revision += 1
        return True

    async def replace(self, key: str, value: bytes, *, was: bytes) -> bool:
        await self._turn()
        if self.values.get(key) != was:
            return False
        self.values[key] = value
        self._revision += 1
        return True

    async def delete(self, key: str, *, was: bytes | None = None) -> bool:
        await self._turn()
        if key not in self.values or was not in (None, self.values[key]):
            return False
        del self.values[key]
        self._revision += 1
        return True

    async def scan(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
        await self._turn()
        found = sorted((k, v) for k, v in self.values.items() if k.startswith(prefix) and k > after)[:limit]
        await self.open.wait()
        return found

    async def revision(self) -> int:
        await self._turn()
        return self._revision

    async def _turn(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise Unavailable("the store has gone", code="storage_unavailable")
