"""The process that trains: a module to be run, which ends with its standard input.

    python -P -m …training.child < order > what it tells

It is not the server's process: a server that trains goes on answering, the memory goes away with the job, and what ends
this process does not end the server. When the server is gone, however it went, its end of the pipe is closed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from .order import Told, read_order, told_line

log = logging.getLogger(__name__)

_Tell: TypeAlias = Callable[[Told], None]

_NICENESS = 5
"""Whoever asks the server something waits for the answer; nobody waits for training."""

_LEFT_ALONE = 3
"""The exit code where the server has gone."""


def main() -> int:
    """What libraries print goes where errors go, so that it does not mix with what is told."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    orders, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    line = orders.readline()
    if not line:
        return _LEFT_ALONE
    threading.Thread(target=_end_with, args=(orders,), daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)

    def tell(what: Told) -> None:
        told.write(told_line(what))
        told.flush()

    try:
        _train(line, tell)
    except BrokenPipeError:
        return _LEFT_ALONE
    return 0


def _train(line: bytes, tell: _Tell) -> None:
    """`null` in place of an order asks whether one could be carried out."""
    try:
        from .job import train
    except (ImportError, OSError) as error:
        # OSError: a library that torch loads is not there.
        log.warning("there can be no training here", exc_info=True)
        tell(Told(event="failed", message=_without(error)))
    else:
        if line.strip() != b"null":
            train(read_order(line), tell)


def _without(error: ImportError | OSError) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) and error.name else ""
    trouble = f"{missing} is not installed where this server runs" if missing else f"torch cannot be imported ({error})"
    return f"training needs torch: {trouble}; the server's README says which builds it takes, and how to install one"


def _end_with(orders: BinaryIO) -> None:
    orders.read()
    os._exit(_LEFT_ALONE)


if __name__ == "__main__":
    sys.exit(main())
