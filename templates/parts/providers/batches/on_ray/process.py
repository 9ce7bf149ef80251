"""The driver as the server has it: a child process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping

from . import driver
from .driver import HEAD, Order, Reply, Setup, frame, length

_GOODBYE_SECONDS = 5.0

_KEPT = frozenset(
    {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
)


class DriverEnded(Exception):
    """Why, for a log."""


class Driver:
    """Ended by `close`, and with this process: its orders end then."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._orders, self._replies = process.stdin, process.stdout

    def order(self, order: Order | Setup) -> None:
        """There are never more than a few on their way, so that nobody waits for the pipe."""
        self._orders.write(frame(order))

    async def reply(self) -> Reply:
        """The next one. Raises DriverEnded."""
        try:
            content = await self._replies.readexactly(length(await self._replies.readexactly(HEAD)))
        except asyncio.IncompleteReadError:
            raise DriverEnded(f"the driver process ended with {await self._process.wait()}") from None
        reply: Reply = pickle.loads(content)
        return reply

    async def close(self) -> None:
        """Lets it leave the cluster, for a while. May be called again."""
        self._orders.close()
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def start_driver(setup: Setup) -> Driver:
    """It has replied nothing yet."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", driver.__file__),
        stdin=PIPE,
        stdout=PIPE,
        env=_environment(os.environ),
        # Ctrl-C in a terminal is for the server, which ends the driver once its batches have ended.
        start_new_session=True,
    )
    started = Driver(process)
    started.order(setup)
    return started


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Ray's own variables, and what a process needs: a local cluster's workers inherit it all, and no key is for them.

    Ray tells its makers of its use unless it is told not to.
    """
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith("RAY_")}
    return {"RAY_USAGE_STATS_ENABLED": "0", **kept}
