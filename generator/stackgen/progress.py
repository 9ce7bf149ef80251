"""What a command that takes its time says meanwhile, on standard error.

with Progress("stackgen run") as say:
    say("installing 24 locked packages")     # on a terminal, the seconds since then are counted beside it
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from types import TracebackType
from typing import TextIO

_COUNT_AFTER_SECONDS = 2.0


class Progress:
    """A line for each thing that begins. quiet: none. Colours and counted seconds only on a terminal."""

    def __init__(self, name: str, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet
        terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._counts = terminal and not quiet
        self._head = f"\x1b[2m{name}:\x1b[0m " if terminal and not os.environ.get("NO_COLOR") else f"{name}: "
        self._counter: threading.Thread | None = None
        self._done = threading.Event()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def __call__(self, text: str) -> None:
        """Says what begins now; what began before has ended."""
        self.finish()
        if self._quiet:
            return
        # What does not fit into the terminal's line cannot be written over.
        long = len(text) + 30 > shutil.get_terminal_size().columns
        if not self._counts or long or "\n" in text:
            self._write(f"{self._head}{text}\n")
            return
        self._write(f"{self._head}{text}")
        self._done = threading.Event()
        self._counter = threading.Thread(target=self._count, args=(f"{self._head}{text}", self._done), daemon=True)
        self._counter.start()

    def insist(self, text: str) -> None:
        """Says what must be seen, quiet or not."""
        self.finish()
        self._write(f"{self._head}{text}\n")

    def finish(self) -> None:
        """Ends the line that is being counted. No thread is left: the process may go on as another program."""
        if self._counter is not None:
            self._done.set()
            self._counter.join()
            self._counter = None
            self._write("\n")

    def _count(self, line: str, done: threading.Event) -> None:
        began = time.monotonic()
        pause = _COUNT_AFTER_SECONDS
        while not done.wait(pause):
            pause = 1.0
            self._write(f"\r{line}  {time.monotonic() - began:.0f} s")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
