"""What the log says of an exception that nobody expected."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

SysExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Formatter(logging.Formatter):
    """Tells an exception's kind and where it came from, and not its text: that may quote a URL, a header or a body, and
    a key in them. Whoever logs it, we or a library.
    """

    def formatException(self, ei: SysExcInfo) -> str:  # logging's name
        kind, _, place = ei
        places = "".join(traceback.format_tb(place))
        return f"{places}{kind.__name__ if kind else 'no exception'}"
