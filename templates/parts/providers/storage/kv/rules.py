"""What may be a key, a value, a namespace; the same for every backend, whatever its own limits are."""

from __future__ import annotations

import math
import re

from ....runtime.errors import BadRequest, TooLarge

KEY_BYTES = 512
VALUE_BYTES = 8 * 1024 * 1024

_NAMESPACE = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LAST_CHARACTER = "\U0010ffff"
_SURROGATES = range(0xD800, 0xE000)


def check_key(key: str) -> None:
    """Raises BadRequest for what is no key: most keys are names that a client gave."""
    if not key:
        raise BadRequest("a key has at least one character", code="storage_key")
    check_text(key)


def check_text(text: str) -> None:
    """Raises BadRequest for what no key begins with. The text may be empty."""
    if "\0" in text:
        raise BadRequest("a key has no NUL character in it", code="storage_key")
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise BadRequest("a key is text that UTF-8 can hold: there is half a surrogate pair in it") from None
    if length > KEY_BYTES:
        raise BadRequest(f"a key has at most {KEY_BYTES} bytes in UTF-8, this one has {length}", code="storage_key")


def check_value(value: bytes) -> None:
    """Raises TooLarge for a value that no store has to take."""
    if len(value) > VALUE_BYTES:
        size = f"at most {VALUE_BYTES} bytes, this one has {len(value)}"
        raise TooLarge(f"a value has {size}", code="storage_value_too_large")


def check_seconds(seconds: float | None) -> None:
    """Raises ValueError for a time that is none: it is code that says how long a key lives."""
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"a key lives for more than no seconds, or for ever (None), not for {seconds!r}")


def check_limit(limit: int) -> None:
    """Raises ValueError for a number of pairs that is none."""
    if limit < 1:
        raise ValueError(f"a scan asks for one pair or more, not for {limit}")


def space(outer: str | None, name: str) -> str:
    """What a backend knows a namespace by. outer: its configured prefix, which keeps servers that share a store apart.

    Neither has a colon in it, so that two pairs never are one text.
    """
    if not _NAMESPACE.fullmatch(name) or len(name) > 64:
        raise ValueError(f"a namespace is 1 to 64 lower-case letters and digits, words joined by _ or -, not {name!r}")
    return name if outer is None else f"{outer}:{name}"


def between(prefix: str, after: str) -> tuple[str, str]:
    """The keys that begin with `prefix` and come after `after`: the least that one may be, and what all are less than.

    The order of UTF-8 bytes is that of code points. No key has a NUL, so nothing lies between `after` and what is
    returned for it.
    """
    return max(prefix, after + "\1" if after else ""), _beyond(prefix)


def _beyond(prefix: str) -> str:
    """The last character that has a next one gets it; where there is none, a text that is longer than keys are."""
    for place in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[place])
        if code < ord(_LAST_CHARACTER):
            after = code + 1 if code + 1 not in _SURROGATES else _SURROGATES.stop
            return prefix[:place] + chr(after)
    return _LAST_CHARACTER * KEY_BYTES
