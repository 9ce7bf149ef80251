"""What a key-value store is to those who keep something in one.

    registry = kv.namespace("registry")
    await registry.add("models/llama", b"{}")          # False where it is there already

A backend (`storage.backends` of a distribution) is one `KvBackend`; everybody who uses it takes a namespace of it, so
that none sees the keys of another. Values are bytes, as a rule JSON.

What every backend promises, and the suite in `testing/storage` holds it to: what a call has returned from is durable;
`add` and `replace` are atomic over all processes; keys are listed in the order of their UTF-8 bytes; a key is 1 to
512 bytes of UTF-8 without NUL, a value up to 8 MiB. Where the store cannot be reached, every call raises `Unavailable`
with the code `storage_unavailable`, and works again by itself once the store is back.
"""

from __future__ import annotations

from typing import Protocol


class Kv(Protocol):
    """One namespace of a key-value store."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, *, seconds: float | None = None) -> None:
        """Writes, whatever was there. seconds: after which the key is gone; None for never."""

    async def add(self, key: str, value: bytes, *, seconds: float | None = None) -> bool:
        """Writes where there is nothing; False where there is something."""

    async def replace(self, key: str, value: bytes, *, was: bytes) -> bool:
        """Writes where the value still is `was`, keeping the time it has left; False where it is not."""

    async def delete(self, key: str, *, was: bytes | None = None) -> bool:
        """Removes, with `was` only where the value still is that; False where there was nothing to remove."""

    async def scan(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
        """At most `limit` pairs whose key begins with `prefix` and comes after `after`, in the order of their keys."""

    async def revision(self) -> int:
        """A number that is another one after each write to this namespace, by whatever process; cheap to ask for.

        Who sees it unchanged has missed nothing: it changes together with the write, or after it.
        """


class KvBackend(Protocol):
    """A configured key-value store."""

    def namespace(self, name: str) -> Kv:
        """The keys of one user of the store. name: lower case, words joined by `_` or `-`."""
