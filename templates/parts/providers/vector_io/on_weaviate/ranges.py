"""Ranges of numbers for a service that finds nothing but equal texts: numbers as the beginnings of a text.

A number is sixteen hexadecimal digits that are in the order of numbers, and is found by each of their beginnings. All
numbers above 0x3f… are those that begin with 4, 5, …, f; with 3 and f; and so on: at most 240 beginnings.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ..marks import Within, digest

_DIGITS = "0123456789abcdef"
_SIGN = 1 << 63


def beginnings(numbers: Mapping[str, float]) -> list[str]:
    """The marks of these numbers, by the hashes of their names."""
    return [_mark(name, text[:end]) for name, value in numbers.items() for text in [_text(value)] for end in _ENDS]


def within(where: Within) -> tuple[str, ...]:
    """The marks of all numbers that compare so; of one that does a single mark is among them."""
    text = _text(where.value)
    upwards = where.sign in ("gt", "gte")
    found = [
        text[: end - 1] + digit
        for end in _ENDS
        for digit in _DIGITS
        if (digit > text[end - 1] if upwards else digit < text[end - 1])
    ]
    if where.sign in ("gte", "lte"):
        found.append(text)
    return tuple(_mark(where.name, each) for each in found)


_ENDS = range(1, 17)


def _text(value: float) -> str:
    """Sixteen digits, in the order of the numbers; 0.0 takes the sign from -0.0."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))
    return f"{bits ^ (2 * _SIGN - 1) if bits & _SIGN else bits | _SIGN:016x}"


def _mark(name: str, beginning: str) -> str:
    return digest("number", name, beginning)
