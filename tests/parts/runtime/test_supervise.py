"""The supervisor with workers that do what no server should."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from parts.runtime.supervise import _plan_restart, _Slot

PARTS = Path(__file__).parents[3] / "templates"

SUPERVISED = """
import socket, sys, time
from parts.runtime.supervise import supervise

def work(tell):
    WORK

listener = socket.socket()
say = lambda: print("ready", flush=True)
sys.exit(supervise(work, workers=2, listener=listener, patience=0.5, on_ready=say, on_end=lambda pid: None))
"""


async def supervised(work: str) -> asyncio.subprocess.Process:
    """A process that supervises two workers that run `work`, with `tell` to say that they serve."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISED.replace("WORK", work)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(PARTS), "PATH": ""},
    )


async def stop(process: asyncio.subprocess.Process) -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def test_workers_that_are_told_to_end_while_they_start_end_well() -> None:
    process = await supervised("tell(); time.sleep(60)")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 10) == b"ready\n"
    code, errors = await stop(process)
    assert (code, "killed" in errors) == (0, False), errors


async def test_workers_that_do_not_end_are_killed() -> None:
    process = await supervised("import signal; signal.signal(signal.SIGTERM, lambda *_: 0); tell(); time.sleep(60)")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 10) == b"ready\n"
    code, errors = await stop(process)
    assert (code, "killed" in errors) == (1, True), errors


async def test_a_first_worker_that_fails_ends_the_whole_with_its_code() -> None:
    process = await supervised("return 7")
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, errors) == (7, b"")


def test_a_worker_that_never_lives_long_is_started_ever_more_rarely() -> None:
    slot = _Slot(started=time.monotonic())
    pauses = []
    for _ in range(2000):
        _plan_restart(slot, 1)
        pauses.append(slot.due - time.monotonic())
    assert [round(pause, 1) for pause in pauses[:3]] == [0.5, 1.0, 2.0]
    assert round(max(pauses)) == round(pauses[-1]) == 30
    slot.started -= 60
    _plan_restart(slot, 1)
    assert slot.due <= time.monotonic()
