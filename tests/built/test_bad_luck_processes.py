"""Processes that are told to stop, or are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from parts.runtime.metrics import SETTLE_SECONDS
from upstreams import STORY, answers, chunk, hangs, streams, waits

from .conftest import Built
from .fronts import (
    MODEL,
    PATIENT_MODEL,
    TALK,
    Front,
    Service,
    answer_of,
    becomes_true,
    chat_body,
    children,
    connect,
    datas,
    front,
    request_of,
    stream_text,
)

pytestmark = pytest.mark.slow

GRACE_SECONDS = 2.0
WORKERS = [1, 2]


@pytest.fixture
def built(build: Callable[[str], Built]) -> Built:
    return build("gateway")


class Asking:
    """A call on a thread of its own; `result` waits for it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._answer: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._answer.append(call()))
        self._thread.start()

    def result(self) -> Any:
        self._thread.join(30)
        return self._answer[0]


def stopping(running: Front) -> None:
    """Sends SIGTERM and waits until the server takes no more connections."""
    running.server.process.send_signal(signal.SIGTERM)
    assert becomes_true(lambda: not _takes_connections(running)), "new connections are taken after SIGTERM"


def _takes_connections(running: Front) -> bool:
    try:
        connect(running).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("workers", WORKERS)
def test_streams_finish_within_the_grace_after_sigterm(
    built: Built, service: Service, tmp_path: Path, workers: int
) -> None:
    with front(built, service, tmp_path, workers=workers) as running:
        service.plays(streams(*STORY, pause=0.4))
        asking = [Asking(lambda: stream_text(running)) for _ in range(3)]
        assert becomes_true(lambda: len(service.requests) == 3)
        stopping(running)
        for each in asking:
            status, text = each.result()
            assert status == 200
            assert [json.loads(data) for data in datas(text)[:-1]] == list(STORY[:3])
            assert datas(text)[-1] == "[DONE]"
        assert running.server.process.wait(10) == 0


@pytest.mark.parametrize("workers", WORKERS)
def test_beyond_the_grace_a_stream_ends_with_an_error_event_and_done(
    built: Built, service: Service, tmp_path: Path, workers: int
) -> None:
    with front(built, service, tmp_path, workers=workers, shutdown_seconds=GRACE_SECONDS) as running:
        service.plays(streams(chunk("one"), done=False, ending="hang"))
        body = chat_body(PATIENT_MODEL, stream=True)
        asking = Asking(lambda: stream_text(running, body=body))
        assert becomes_true(lambda: bool(service.requests))
        started = time.monotonic()
        stopping(running)
        status, text = asking.result()
        assert GRACE_SECONDS * 0.8 < time.monotonic() - started < GRACE_SECONDS + 3
        assert status == 200
        first, error, done = datas(text)
        assert json.loads(first) == chunk("one")
        assert json.loads(error)["error"]["code"] == "server_stopping"
        assert done == "[DONE]"
        assert running.server.process.wait(10) == 0
    assert becomes_true(lambda: service.was_cut)


def test_beyond_the_grace_a_call_is_the_sdks_server_error(built: Built, service: Service, tmp_path: Path) -> None:
    with front(built, service, tmp_path, shutdown_seconds=0.5) as running:
        service.plays(hangs)

        def ask() -> openai.APIStatusError:
            with running.client() as client, pytest.raises(openai.InternalServerError) as caught:
                client.chat.completions.create(model=PATIENT_MODEL, messages=TALK)
            return caught.value

        asking = Asking(ask)
        assert becomes_true(lambda: bool(service.requests))
        stopping(running)
        error = asking.result()
        assert (error.status_code, error.code, error.type) == (503, "server_stopping", "service_unavailable")
        assert error.response.headers["retry-after"] == "1"
        assert running.server.process.wait(10) == 0


def test_a_second_sigterm_ends_it_at_once(built: Built, service: Service, tmp_path: Path) -> None:
    with front(built, service, tmp_path, shutdown_seconds=60) as running:
        service.plays(streams(chunk("one"), done=False, ending="hang"))
        asking = Asking(lambda: stream_text(running, body=chat_body(PATIENT_MODEL, stream=True)))
        assert becomes_true(lambda: bool(service.requests))
        stopping(running)
        running.server.process.send_signal(signal.SIGTERM)
        assert datas(asking.result()[1])[-1] == "[DONE]"
        assert running.server.process.wait(10) == 0


@pytest.mark.parametrize("workers", WORKERS)
def test_an_idle_server_stops_at_once_whoever_is_connected(
    built: Built, service: Service, tmp_path: Path, workers: int
) -> None:
    with front(built, service, tmp_path, workers=workers) as running:
        assert running.is_well()
        with connect(running) as idle, connect(running) as halfway:
            halfway.sendall(b"POST /v1/chat/completions HT")
            started = time.monotonic()
            running.server.process.send_signal(signal.SIGTERM)
            assert running.server.process.wait(10) == 0
            assert time.monotonic() - started < 3
            assert _ended(idle)
        assert "Traceback" not in running.server.log.read_text()


def _ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


# ── several workers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_killed_worker_is_replaced_while_the_other_serves(built: Built, service: Service, tmp_path: Path) -> None:
    with front(built, service, tmp_path, workers=2) as running:
        first, second = children(running.pid)
        os.kill(first, signal.SIGKILL)
        service.plays(answers(answer_of()))
        for _ in range(20):
            with running.client() as client:
                assert client.chat.completions.create(model=MODEL, messages=TALK).choices
        assert becomes_true(lambda: len(set(children(running.pid)) - {first}) == 2)
        assert second in children(running.pid)
        # The new one serves: with the other gone too, there is nobody else for a moment.
        time.sleep(0.3)
        os.kill(second, signal.SIGKILL)
        assert running.is_well()


def test_a_killed_workers_request_ends_and_is_no_longer_in_flight(
    built: Built, service: Service, tmp_path: Path
) -> None:
    with front(built, service, tmp_path, workers=2) as running:
        service.plays(hangs)
        with connect(running) as connection:
            connection.sendall(request_of("/v1/chat/completions", chat_body(PATIENT_MODEL)))
            assert becomes_true(lambda: bool(service.requests))
            # What another worker has counted shows within a second.
            assert becomes_true(lambda: running.total("stack_requests_in_flight") == 1)
            for pid in children(running.pid):
                os.kill(pid, signal.SIGKILL)
            assert _ended(connection)
        assert becomes_true(lambda: service.was_cut)
        assert becomes_true(lambda: len(children(running.pid)) == 2)
        assert running.is_well()
        assert becomes_true(lambda: running.total("stack_requests_in_flight") == 0)


def test_two_workers_accounts_add_up_to_the_whole(built: Built, service: Service, tmp_path: Path) -> None:
    count = 40
    with front(built, service, tmp_path, workers=2) as running:
        service.plays(waits(0.02, answers(answer_of())))

        def ask() -> None:
            for _ in range(count // 4):
                answer = httpx.post(
                    f"{running.url}/v1/chat/completions",
                    content=chat_body(),
                    headers={"content-type": "application/json"},
                    timeout=20,
                )
                assert answer.status_code == 200

        for each in [Asking(ask) for _ in range(4)]:
            each.result()
        # What another worker has counted shows within a second.
        assert becomes_true(lambda: running.total("stack_requests_total", instance="openai", status="200") == count)
        time.sleep(SETTLE_SECONDS)
        for _ in range(4):  # whichever worker answers, it tells of both
            assert running.total("stack_requests_total", instance="openai", model=MODEL, status="200") == count
            assert running.total("stack_tokens_total", instance="openai", kind="prompt") == 5 * count
            assert running.total("stack_tokens_total", instance="openai", kind="completion") == 7 * count
            operation = "POST /v1/chat/completions"
            assert running.total("stack_request_seconds_count", operation=operation) == count
        os.kill(children(running.pid)[0], signal.SIGKILL)
        assert becomes_true(lambda: len(children(running.pid)) == 2)
        # What the dead had counted is still counted.
        assert running.total("stack_requests_total", instance="openai", status="200") == count


def test_workers_do_not_outlive_a_killed_supervisor(built: Built, service: Service, tmp_path: Path) -> None:
    with front(built, service, tmp_path, workers=2) as running:
        workers = children(running.pid)
        running.server.process.kill()
        running.server.process.wait()
        assert becomes_true(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 10)
        assert not _takes_connections(running)
