"""What the suites of key-value stores share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from ...runtime.kv import Kv, KvBackend
from ..suite import Suite

STRANGE = (
    "%",
    "_",
    "*",
    "?",
    "[",
    "]",
    "[^a]",
    "\\",
    "\\%",
    "'",
    '"',
    "`",
    ";",
    "--",
    "{",
    "}",
    "$",
    "$where",
    ".",
    ":",
    "/",
    "..",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\x01",
    "\x7f",
    "'; DROP TABLE stackgen_kv; --",
    "x' OR '1'='1",
    "*3\r\n$3\r\nDEL\r\n",
    "${env.HOME}",
    "{{7*7}}",
    '{"$gt": ""}',
)
"""Keys that are patterns, quotes, commands or escapes to somebody. Here they are text."""


class KvBaseSuite(Suite[KvBackend]):
    """`opens()` gives the same store each time: opened twice, it is what two processes have of it."""

    def keeps(self, test: Callable[[Kv], Awaitable[None]]) -> None:
        """One test of one namespace, which nobody else has ever used."""

        async def in_namespace(backend: KvBackend) -> None:
            await test(backend.namespace(fresh()))

        self.run(in_namespace)


def fresh() -> str:
    """The name of a namespace that nobody has used."""
    return f"test-{uuid4().hex}"


async def everything(kv: Kv, prefix: str = "", *, limit: int = 1000) -> list[tuple[str, bytes]]:
    """All pairs with this prefix, `limit` at a time."""
    found: list[tuple[str, bytes]] = []
    while page := await kv.scan(prefix, after=found[-1][0] if found else "", limit=limit):
        found += page
    return found


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits for something that comes by itself; the suite's own limit of time ends a test for which it does not."""
    while not await holds():
        await asyncio.sleep(0.01)
