"""Namespaces of a store, all of whose arguments have been looked at before the store sees them.

A backend is a `Store`; `Namespaces` makes a `runtime.kv.KvBackend` of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .rules import check_key, check_limit, check_seconds, check_text, check_value, space


class Store(Protocol):
    """`runtime.kv.Kv` with the namespace as first argument. Raises Unavailable where the store cannot serve."""

    async def get(self, space: str, key: str) -> bytes | None: ...

    async def put(self, space: str, key: str, value: bytes, seconds: float | None) -> None: ...

    async def add(self, space: str, key: str, value: bytes, seconds: float | None) -> bool: ...

    async def replace(self, space: str, key: str, value: bytes, was: bytes) -> bool: ...

    async def delete(self, space: str, key: str, was: bytes | None) -> bool: ...

    async def scan(self, space: str, prefix: str, after: str, limit: int) -> list[tuple[str, bytes]]: ...

    async def revision(self, space: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Namespaces:
    """outer: what the names of all namespaces begin with, None for nothing."""

    store: Store
    outer: str | None = None

    def namespace(self, name: str) -> Namespace:
        return Namespace(self.store, space(self.outer, name))


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace of a store (`runtime.kv.Kv`)."""

    store: Store
    space: str

    async def get(self, key: str) -> bytes | None:
        check_key(key)
        return await self.store.get(self.space, key)

    async def put(self, key: str, value: bytes, *, seconds: float | None = None) -> None:
        check_key(key)
        check_value(value)
        check_seconds(seconds)
        await self.store.put(self.space, key, value, seconds)

    async def add(self, key: str, value: bytes, *, seconds: float | None = None) -> bool:
        check_key(key)
        check_value(value)
        check_seconds(seconds)
        return await self.store.add(self.space, key, value, seconds)

    async def replace(self, key: str, value: bytes, *, was: bytes) -> bool:
        check_key(key)
        check_value(value)
        return await self.store.replace(self.space, key, value, was)

    async def delete(self, key: str, *, was: bytes | None = None) -> bool:
        check_key(key)
        return await self.store.delete(self.space, key, was)

    async def scan(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
        check_text(prefix)
        check_text(after)
        check_limit(limit)
        return await self.store.scan(self.space, prefix, after, limit)

    async def revision(self) -> int:
        return await self.store.revision(self.space)
