"""Ids of responses and of the items in them: an item's id says which response it is of.

response_id()                     → "resp_" and 48 hexadecimal digits
Ids("resp_ab…")("msg")            → "msg_", the first 40 of those digits, and a count
stem_of("msg_ab…00000002")        → the 40 digits
"""

from __future__ import annotations

import re

from ...runtime.ids import new_id

_RESPONSE = re.compile(r"resp_[0-9a-f]{48}")
_ITEM = re.compile(r"[a-z]{2,8}_([0-9a-f]{40})[0-9a-f]{8}")
_STEM = 40


def response_id() -> str:
    return new_id("resp")


def is_response_id(text: str) -> bool:
    """Whether a response could have this id."""
    return _RESPONSE.fullmatch(text) is not None


def stem_of(item_id: str) -> str | None:
    """What the response's id has behind `resp_`, as far as an item's id says; None for an item of no response."""
    found = _ITEM.fullmatch(item_id)
    return found[1] if found is not None else None


class Ids:
    """Names the items of a response."""

    __slots__ = ("_count", "_stem")

    def __init__(self, response: str) -> None:
        self._stem = response.removeprefix("resp_")[:_STEM]
        self._count = 0

    def __call__(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._stem}{self._count:08x}"
