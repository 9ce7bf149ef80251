"""What the log says of an exception that nobody expected."""

from __future__ import annotations

import traceback


def trace(error: BaseException) -> str:
    """Its kind and where it came from, without its text: that may quote a URL, a header or a body, with a key in it."""
    places = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{places}".rstrip()
