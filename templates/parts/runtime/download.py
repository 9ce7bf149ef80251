"""Bytes on their way out, as a contract method answers them: a stream, never held whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

ANY_BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What a file holds. Whoever has it reads it to its end, or closes it.

    pieces: its bytes, in order; a StackError where they break off. size: how many there are, None where nobody knows.
    filename: what the client is told to call it, any text; "" for nothing. content_type: as the header says it.
    part: its bytes from one place to another, that one excluded, in place of all; None where that would cost as much.
    """

    pieces: AsyncGenerator[bytes, None]
    size: int | None = None
    filename: str = ""
    content_type: str = ANY_BYTES
    part: Callable[[int, int], AsyncGenerator[bytes, None]] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.pieces

    async def aclose(self) -> None:
        """Frees what the bytes come from."""
        await self.pieces.aclose()
