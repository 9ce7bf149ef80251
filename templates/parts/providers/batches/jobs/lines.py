"""The lines of a file that comes in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

_BOM = b"\xef\xbb\xbf"


class LineTooLong(Exception):
    """number: of the line."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


async def lines(pieces: AsyncIterable[bytes], limit: int) -> AsyncIterator[tuple[int, bytes]]:
    """The lines that are not blank, each with its number from 1 on, without its end (LF or CRLF).

    limit: bytes of one line, beyond which LineTooLong is raised; no more than that and a piece is held.
    """
    number, rest = 0, bytearray()
    async for piece in pieces:
        first, *others = piece.split(b"\n")
        rest += first
        for each in others:
            number += 1
            if line := _line(number, rest, limit):
                yield number, line
            rest = bytearray(each)
        if len(rest) > limit:
            raise LineTooLong(number + 1)
    if line := _line(number + 1, rest, limit):
        yield number + 1, line


def _line(number: int, content: bytearray, limit: int) -> bytes:
    if len(content) > limit:
        raise LineTooLong(number)
    line = bytes(content)
    return (line.removeprefix(_BOM) if number == 1 else line).strip()
