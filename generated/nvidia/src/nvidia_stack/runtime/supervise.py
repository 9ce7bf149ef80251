"""Several processes that serve one socket: started, watched, replaced when they die, stopped together.

Workers are forks: they share the memory of what is imported, need no import by name, and settings with secrets in them
never pass through a pipe. The supervisor itself never runs an event loop, a thread or a provider, so that what it forks
is always as clean as at the start.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

log = logging.getLogger(__name__)

Work = Callable[[Callable[[], None]], int]
"""What a worker does: it is given whom to tell that it serves, and returns its exit code."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_SHORT_LIFE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
_TOLD_TO_END = (128 + signal.SIGTERM, 128 + signal.SIGINT)


@dataclass(slots=True)
class _Slot:
    """A place for one worker. failures: short lives in a row. due: when to start the next, on the monotonic clock."""

    pid: int | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0


@dataclass(slots=True)
class _Crew:
    work: Work
    slots: list[_Slot]
    on_ready: Callable[[], None]
    on_end: Callable[[int], None]
    wake: tuple[int, int] = field(default_factory=os.pipe)
    ready: tuple[int, int] = field(default_factory=os.pipe)
    # Held open by the supervisor alone: when it ends, however it does, workers read the end of it.
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    serving: int = 0
    announced: bool = False
    stopping: bool = False


def supervise(
    work: Work,
    *,
    workers: int,
    listener: socket.socket,
    patience: float,
    on_ready: Callable[[], None],
    on_end: Callable[[int], None],
) -> int:
    """Keeps `workers` of them until SIGTERM or SIGINT; the exit code.

    patience: seconds that workers have to end, then they are killed. on_ready: called when all of them serve for the
    first time. on_end: called with the process id of each that has ended. A worker that fails before any has served
    ends the whole, with its exit code: what is wrong is wrong for all of them.
    """
    crew = _Crew(work, [_Slot() for _ in range(workers)], on_ready, on_end)
    handlers = {number: signal.signal(number, _noop) for number in _SIGNALS}
    os.set_blocking(crew.wake[1], False)
    os.set_blocking(crew.wake[0], False)
    former = signal.set_wakeup_fd(crew.wake[1], warn_on_full_buffer=False)
    try:
        failed = _watch(crew)
        listener.close()
        return max(failed, _stop(crew, patience))
    finally:
        signal.set_wakeup_fd(former)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for pipe in (crew.wake, crew.ready, crew.lifeline):
            os.close(pipe[0])
            os.close(pipe[1])


def _noop(number: int, frame: FrameType | None) -> None:
    """Signals arrive through the wake-up pipe; this only keeps them from ending the process."""


def _watch(crew: _Crew) -> int:
    """Until told to stop (0), or until a start that cannot succeed (its exit code)."""
    while not crew.stopping:
        now = time.monotonic()
        # The first goes ahead: what is wrong is wrong for all of them, and then is said once.
        wanted = crew.slots if crew.serving else crew.slots[:1]
        for slot in wanted:
            if slot.pid is None and slot.due <= now:
                _start(crew, slot)
        due = [slot.due for slot in wanted if slot.pid is None]
        _listen(crew, max(0.0, min(due) - now) if due else None)
        for slot, code in _ended(crew):
            if not crew.serving and not crew.stopping:
                return code or 1
            _plan_restart(slot, code)
    return 0


def _listen(crew: _Crew, timeout: float | None) -> None:
    """Waits for a signal or a worker's word that it serves."""
    readable, _, _ = select.select([crew.wake[0], crew.ready[0]], [], [], timeout)
    if crew.ready[0] in readable:
        crew.serving += len(os.read(crew.ready[0], 1024))
    if crew.wake[0] in readable:
        numbers = os.read(crew.wake[0], 1024)
        crew.stopping = crew.stopping or signal.SIGTERM in numbers or signal.SIGINT in numbers
    if crew.serving >= len(crew.slots) and not crew.announced:
        crew.announced = True
        crew.on_ready()


def _start(crew: _Crew, slot: _Slot) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    slot.started = time.monotonic()
    # Held back meanwhile: until the worker has its own handlers, it would take a signal for one to the supervisor.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    slot.pid = os.fork()
    if slot.pid == 0:
        _be_worker(crew)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _be_worker(crew: _Crew) -> None:
    """Everything a worker is; it never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(crew.lifeline[1])
        threading.Thread(target=_outlive_nobody, args=(crew.lifeline[0],), daemon=True).start()
        code = crew.work(lambda: _tell(crew.ready[1]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # Not sys.exit: what the supervisor has registered to happen at its end is not the worker's to do.
        os._exit(code)


def _tell(ready: int) -> None:
    os.write(ready, b"!")


def _outlive_nobody(lifeline: int) -> None:
    """Stops this worker when the supervisor is gone."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _ended(crew: _Crew) -> list[tuple[_Slot, int]]:
    """The workers that have ended, and their exit codes, 128 + signal as a shell has it."""
    ended: list[tuple[_Slot, int]] = []
    for slot in crew.slots:
        if slot.pid is None:
            continue
        pid, status = os.waitpid(slot.pid, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            crew.on_end(pid)
            slot.pid = None
            ended.append((slot, code if code >= 0 else 128 - code))
    return ended


def _plan_restart(slot: _Slot, code: int) -> None:
    now = time.monotonic()
    slot.failures = slot.failures + 1 if now - slot.started < _SHORT_LIFE_SECONDS else 0
    # Bounded before it is raised: after some hours of failing, the power would be no float any more.
    pause = min(0.5 * 2 ** min(slot.failures - 1, 10), _LONGEST_PAUSE_SECONDS) if slot.failures else 0.0
    slot.due = now + pause
    log.error("a worker ended with %d; starting another in %.1f s", code, pause)


def _stop(crew: _Crew, patience: float) -> int:
    """Ends every worker; 0 if they all went well."""
    deadline = time.monotonic() + patience
    worst = 0
    _signal(crew, signal.SIGTERM)
    while any(slot.pid is not None for slot in crew.slots):
        left = deadline - time.monotonic()
        if left <= 0:
            log.error("workers did not end in time and are killed")
            _signal(crew, signal.SIGKILL)
            left = patience
            deadline += patience
        _listen(crew, min(left, 0.5))
        # A worker that was still starting, without handlers of its own, ends by the signal itself.
        worst = max([worst, *(code for _, code in _ended(crew) if code not in _TOLD_TO_END)])
    return 1 if worst else 0


def _signal(crew: _Crew, number: signal.Signals) -> None:
    for slot in crew.slots:
        if slot.pid is not None:
            os.kill(slot.pid, number)
