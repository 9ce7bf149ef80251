"""Regular expressions of clients: whatever one says, it cannot hold up the server.

A pattern may take for ever on some texts. The library `regex` knows those of Python's own, gives up after a time, and
lets other threads run meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import regex

from ...runtime.errors import BadRequest

SECONDS = 1.0
"""For one pattern in one text."""

LONGEST = 4096
MOST = 100


def check(patterns: Sequence[str], param: str) -> None:
    """Raises BadRequest for what is no pattern."""
    if len(patterns) > MOST:
        raise BadRequest(f"there are {len(patterns)} patterns; expected {MOST} at most", param=param)
    for number, each in enumerate(patterns):
        try:
            if len(each) > LONGEST:
                raise BadRequest(f"it has {len(each)} characters; expected {LONGEST} at most", param=param)
            compiled(each)
        except regex.error as error:
            message = f"{each[:100]!r} is no regular expression: {error}"
            raise BadRequest(message, param=f"{param}.{number}") from None


@lru_cache(maxsize=256)
def compiled(pattern: str) -> regex.Pattern[str]:
    # As far as Llama Stack's patterns go, V0 is what Python's own library does.
    return regex.compile(pattern, flags=regex.V0)


def found(patterns: Iterable[str], text: str) -> str | None:
    """The first group of the first pattern that is found, or all of it where it has none; None where none is.

    Raises BadRequest for a pattern that does not come to an end.
    """
    for each in patterns:
        try:
            match = compiled(each).search(text, timeout=SECONDS, concurrent=True)
        except TimeoutError:
            message = f"{each[:100]!r} has not come to an end within {SECONDS} s in a text of {len(text)} characters"
            raise BadRequest(message, code="pattern_too_slow", param="scoring_functions") from None
        if match is not None:
            text_found: str | None = match.group(1) if match.re.groups else match.group(0)
            return text_found
    return None
