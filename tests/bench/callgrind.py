"""Instructions that a process takes, counted by valgrind's callgrind: the same on a busy machine as on an idle one."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from built.servers import clean_environ
from processes import stop

TOOLS = ("valgrind", "vgdb")
_TOTAL = re.compile(r"^(?:totals|summary): (\d+)$", re.MULTILINE)


def is_here() -> bool:
    return all(map(shutil.which, TOOLS))


class Counter:
    """What one process has done since it was last asked; at first, since its start."""

    def __init__(self, pid: int, folder: Path) -> None:
        self._pid, self._folder, self._number = pid, folder, 0
        self._since = time.monotonic()

    def take(self) -> tuple[int, float]:
        """Instructions, and the seconds they were spread over."""
        prefix = f"--vgdb-prefix={self._folder / 'vgdb'}"
        subprocess.run(["vgdb", prefix, f"--pid={self._pid}", "dump"], check=True, capture_output=True, timeout=60)
        before, self._since = self._since, time.monotonic()
        self._number += 1
        found = _TOTAL.search((self._folder / f"counts.{self._number}").read_text())
        assert found, "callgrind's dump has no total"
        return int(found[1]), self._since - before


@contextmanager
def counted(command: Sequence[str | Path], environ: Mapping[str, str], folder: Path) -> Iterator[Counter]:
    """A process under callgrind. folder: an empty one for its counts and its log."""
    options = ("--tool=callgrind", f"--callgrind-out-file={folder / 'counts'}", f"--vgdb-prefix={folder / 'vgdb'}")
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(
            ["valgrind", *options, *map(str, command)],
            # One order of sets and dictionaries of strings, or each run would be another.
            env={**clean_environ(environ), "PYTHONHASHSEED": "0"},
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        yield Counter(process.pid, folder)
    finally:
        stop(process)
