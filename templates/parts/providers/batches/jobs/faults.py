"""Which errors pass."""

from __future__ import annotations

from ....runtime.errors import RateLimited, StackError, Unavailable

_OURS = 500


class NotRun(Unavailable):
    """What runs lines is away as a whole: no line has failed, and the batch waits."""


def is_passing(error: StackError) -> bool:
    """Whether what failed may work later, without anybody changing the request."""
    return error.status >= _OURS or isinstance(error, RateLimited)


def is_busy(error: StackError) -> bool:
    """Whether who refused asked to be left alone for a while."""
    return isinstance(error, RateLimited | Unavailable)
