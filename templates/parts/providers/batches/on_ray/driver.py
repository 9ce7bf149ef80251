"""The process that speaks with Ray: a script, and the functions that it ships to the cluster.

    python -P driver.py < orders > replies

It is not the server's process, since Ray's driver takes over signals of its process, and ends it where the cluster is
lost. Nothing of the package is imported: what a script defines is shipped by value, so that the machines of the cluster
need Ray and the standard library and no more. It ends with its orders.
"""

from __future__ import annotations

import http.client
import logging
import os
import pickle
import struct
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

Setup: TypeAlias = tuple[str, str, float, float]
"""The first order. Ray's address, `local` for a cluster of its own; the URL of the inference servers; the seconds that
they may be silent; the CPUs that a task reserves.
"""

Asked: TypeAlias = tuple[str, bytes]
"""A line: request id and body."""

Order: TypeAlias = tuple[int, str, list[Asked]]
"""A task: its number, from 1 on, the path to post to, and its lines; without lines, that it is to be stopped."""

Said: TypeAlias = tuple[int, dict[str, str], bytes]
"""What came of a line: status, the headers that matter, body. Status 0: no answer, and the body says why."""

Reply: TypeAlias = tuple[int, list[Said] | None, str]
"""The number of a task, 0 for the driver itself, which is ready; what came of its lines in their order. None: it could
not be run, for that reason.
"""

MOST_BYTES = 64 * 1024 * 1024
"""Of one answer."""

SILENT = b"did not answer in time"

_HEADERS = ("Retry-After", "Retry-After-Ms", "Location")
_LENGTH = struct.Struct(">Q")


# ── on the cluster ──────────────────────────────────────────────────────────────────────────────────────────────────


def run_lines(url: str, path: str, lines: list[Asked], seconds: float) -> list[Said]:
    """Posts them all at once."""
    with ThreadPoolExecutor(len(lines)) as pool:
        return list(pool.map(lambda line: post(url, path, line, seconds), lines))


def post(url: str, path: str, line: Asked, seconds: float) -> Said:
    """seconds: that the server may be silent."""
    at = urlsplit(url)
    kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = kind(at.hostname or "", at.port, timeout=seconds)
    id, body = line
    try:
        headers = {"Content-Type": "application/json", "X-Request-Id": id}
        connection.request("POST", at.path.rstrip("/") + path, body, headers)
        response = connection.getresponse()
        content = response.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            return 0, {}, b"answered more than %d bytes" % MOST_BYTES
        found = {name: value for name in _HEADERS if (value := response.getheader(name)) is not None}
        return response.status, found, content
    except TimeoutError:
        return 0, {}, SILENT
    except (OSError, http.client.HTTPException) as error:
        return 0, {}, f"cannot be asked: {error or type(error).__name__}".encode()
    finally:
        connection.close()


# ── the script ──────────────────────────────────────────────────────────────────────────────────────────────────────


def frame(content: object) -> bytes:
    """As it goes through a pipe between the two processes."""
    packed = pickle.dumps(content)
    return _LENGTH.pack(len(packed)) + packed


def length(head: bytes) -> int:
    """Of what follows the head of a frame, which has HEAD bytes."""
    (found,) = _LENGTH.unpack(head)
    return int(found)


HEAD = _LENGTH.size


def _read(pipe: BinaryIO) -> Any:
    """None at the end."""
    head = pipe.read(HEAD)
    if len(head) < HEAD:
        return None
    content = pipe.read(length(head))
    return pickle.loads(content)


def drive(orders: BinaryIO, reply: Callable[[Reply], None]) -> None:
    """Until there are no more orders."""
    import ray
    from ray.exceptions import TaskCancelledError

    setup: Setup | None = _read(orders)
    if setup is None:
        return
    address, url, seconds, cpus = setup
    more = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **more)
    except Exception as error:
        # Of many kinds, and all of them say that there is no cluster.
        log.debug("no cluster", exc_info=True)
        return reply((0, None, f"{type(error).__name__}: {error}"))
    run = ray.remote(run_lines).options(num_cpus=cpus, scheduling_strategy="SPREAD")
    tasks: dict[int, Any] = {}
    reply((0, [], ""))

    def ended(number: int, future: Future[list[Said]]) -> None:
        tasks.pop(number, None)
        error = future.exception()
        if error is None:
            reply((number, future.result(), ""))
        elif not isinstance(error, TaskCancelledError):
            reply((number, None, f"{type(error).__name__}: {error}"))

    while (order := _read(orders)) is not None:
        number, path, lines = order
        try:
            if lines:
                tasks[number] = task = run.remote(url, path, lines, seconds)
                task.future().add_done_callback(lambda future, number=number: ended(number, future))
            elif (task := tasks.get(number)) is not None:
                # With force, since what the task waits for may take minutes yet.
                ray.cancel(task, force=True)
        except Exception as error:
            log.debug("an order could not be carried out", exc_info=True)
            reply((number, None, f"{type(error).__name__}: {error}"))
    ray.shutdown()


def main() -> None:
    """Whatever else is printed goes where errors go; nothing that is started from here gets hold of the pipes."""
    orders, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    turn = threading.Lock()

    def reply(content: Reply) -> None:
        with turn:
            replies.write(frame(content))
            replies.flush()

    try:
        drive(orders, reply)
    except BrokenPipeError:
        sys.exit(1)  # The server has ended.


if __name__ == "__main__":
    main()
