"""The training process as the server has it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ...runtime.errors import Unavailable
from .training import child
from .training.order import Order, Told, order_line, read_told

_KEPT = frozenset({"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH"})
_PROXIES = frozenset({"http_proxy", "https_proxy", "no_proxy", "all_proxy", "ssl_cert_file", "ssl_cert_dir"})
_PREFIXES = ("HF_", "TORCH_", "PYTORCH_", "CUDA_", "CUBLAS_", "NCCL_", "OMP_", "MKL_", "XDG_", "NVIDIA_VISIBLE_")

_LONGEST_LINE = 1024 * 1024


class TrainingProcess:
    """One that has begun. It ends with this one, however this one ends."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def told(self) -> AsyncIterator[Told]:
        """What it tells, to its end. Raises Unavailable where something else has ended it."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            # What is killed may be in the midst of a line.
            if line.endswith(b"\n"):
                yield read_told(line)
        code = await self._process.wait()
        if code < 0:
            raise Unavailable(f"the training process was ended by {_signal(-code)}", code="training_ended")
        if code:
            raise ChildFailed(f"the training process ended with {code}")


class ChildFailed(Exception):
    """It met an error that nobody thought of, which it has written to the server's log."""


@asynccontextmanager
async def training(order: Order | None) -> AsyncIterator[TrainingProcess]:
    """A process at work on an order; None: one that only says whether it could be. Leaving ends it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", child.__name__),
        stdin=PIPE,
        stdout=PIPE,
        env=_environment(os.environ),
        limit=_LONGEST_LINE,
        # Ctrl-C in a terminal is for the server.
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(b"null\n" if order is None else order_line(order))
        yield TrainingProcess(process)
    finally:
        # At once, since whatever it leaves is whole.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.stdin.close()
        await process.wait()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What torch, the hub's client and a process need: the server's keys are not for code that comes with a model."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or name.lower() in _PROXIES or name.startswith(_PREFIXES)
    }
    # Threads that spin while they wait take the processors from the server; a log is no place for bars.
    usual = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
    return {**usual, **kept, "PYTHONPATH": _path()}


def _path() -> str:
    """Where this process finds its modules, the package itself among them."""
    return os.pathsep.join(os.path.abspath(each) for each in sys.path)


def _signal(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
