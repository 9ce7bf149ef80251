"""A served app over real sockets: clients that leave or are slow, and SIGTERM with streams in flight."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from http_calls import Provider, make_app
from parts.runtime.metrics import Accounts
from parts.runtime.serve import Process, ServerConfig, bind

HERE = Path(__file__).parent
PARTS = HERE.parents[2] / "templates"


def request(path: str, model: str, *, stream: bool = True) -> bytes:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x"}], "stream": stream}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def until(what: object, seconds: float = 5.0) -> None:
    assert callable(what)
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(provider: Provider) -> AsyncIterator[tuple[int, Accounts]]:
    config = ServerConfig(port=0, shutdown_seconds=1)
    listener = bind(config)
    port = listener.getsockname()[1]
    ready = asyncio.Event()

    async def main() -> None:
        nonlocal process
        process = Process(config, listener, ready.set)
        await process.serve(make_app(provider, process.accounts))

    process: Process | None = None
    task = asyncio.create_task(main())
    await ready.wait()
    assert process is not None
    try:
        yield port, process.accounts
    finally:
        process.stop()
        await asyncio.wait_for(task, 10)
        await asyncio.sleep(0.05)
        # Nothing that a request started outlives the server.
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_client_that_leaves_in_mid_stream_cancels_the_work() -> None:
    provider = Provider()
    async with serving(provider) as (port, accounts):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "endless"))
        await reader.readuntil(b"data: 3\n\n")
        writer.close()
        await until(lambda: provider.closed == 1)
        assert 'status="499"' in accounts.exposition()[0].decode()


async def test_a_client_that_leaves_a_silent_stream_cancels_the_work() -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "hang"))
        await reader.readuntil(b"data: 0\n\n")
        writer.close()
        await until(lambda: provider.closed == 1)


async def test_a_client_that_leaves_before_the_answer_cancels_the_work() -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "slow", stream=False))
        await until(lambda: provider.seen)
        await asyncio.sleep(0.05)
        writer.close()
        await until(lambda: provider.cancelled == 1)


async def test_a_client_that_leaves_in_mid_body_is_nobodys_fault(caplog: pytest.LogCaptureFixture) -> None:
    provider = Provider()
    async with serving(provider) as (port, accounts):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "m")[:-5])
        await asyncio.sleep(0.1)
        writer.close()
        await until(lambda: b'status="499"' in accounts.exposition()[0])
    assert not caplog.records


async def test_a_client_that_leaves_with_requests_waiting_behind_its_stream_cancels_the_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = Provider()
    async with serving(provider) as (port, accounts):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "endless") * 3)
        await reader.readuntil(b"data: 3\n\n")
        writer.transport.abort()
        await until(lambda: provider.closed == 1)
        await until(lambda: 'status="499"' in accounts.exposition()[0].decode())
    assert len(provider.seen) == 1
    assert not caplog.records


async def test_the_request_after_a_stream_is_watched_too() -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "m") + request("/v1/chat/completions", "slow", stream=False))
        await reader.readuntil(b"[DONE]\n\n\r\n0\r\n\r\n")
        await until(lambda: len(provider.seen) == 2)
        writer.close()
        await until(lambda: provider.cancelled == 1)


async def test_a_stream_to_a_client_of_http_1_0_ends_with_the_connection() -> None:
    async with serving(Provider()) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/v1/chat/completions", "m").replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert [b"data: %d\n\n" % number in answer for number in range(3)] == [True, True, False]
    assert b"data: [DONE]\n\n" in answer


async def test_a_slow_client_is_waited_for_and_not_buffered_for() -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, request("/v1/chat/completions", "big"))
        await until(lambda: provider.sent > 2)
        await asyncio.sleep(0.3)
        before = provider.sent
        await asyncio.sleep(0.3)
        assert provider.sent == before
        assert provider.sent * 65536 < 16 * 1024 * 1024
        await loop.sock_recv(client, 65536)
        client.close()
        await until(lambda: provider.closed == 1)


async def test_a_hundred_slow_clients_leave_the_server_quick_for_others() -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        slow = [await asyncio.open_connection("127.0.0.1", port, limit=1024) for _ in range(100)]
        for _, writer in slow:
            writer.write(request("/v1/chat/completions", "hang"))
        await until(lambda: len(provider.seen) == 100)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        started = time.monotonic()
        writer.write(request("/v1/chat/completions", "m", stream=False))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 1
        writer.close()
        for _, writer in slow:
            writer.close()
        await until(lambda: provider.closed == 100)


async def test_connections_are_kept_alive_between_requests() -> None:
    async with serving(Provider()) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(request("/v1/chat/completions", "m"))
            assert (await reader.readuntil(b"[DONE]\n\n\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


# ── as a process ────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def process(*arguments: object) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """server_main.py, once it says that it is ready."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "server_main.py"), *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(PARTS), "PATH": ""},
    )
    assert started.stdout is not None
    try:
        line = (await asyncio.wait_for(started.stdout.readline(), 20)).decode()
        found = re.search(r"^serving tested on http://127.0.0.1:(\d+)", line)
        yield started, int(found[1]) if found else 0
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def fetch(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


async def end(started: asyncio.subprocess.Process) -> tuple[int, str]:
    _, errors = await asyncio.wait_for(started.communicate(), 20)
    assert started.returncode is not None
    return started.returncode, errors.decode()


@pytest.mark.parametrize("workers", [1, 2])
async def test_sigterm_with_streams_in_flight(workers: int) -> None:
    async with process(0, workers, 1) as (server, port):
        endless, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/chat", "endless"))
        plain, writer_2 = await asyncio.open_connection("127.0.0.1", port)
        writer_2.write(request("/chat", "slow", stream=False))
        await endless.readuntil(b"data: 1\n\n")
        server.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        with pytest.raises(OSError, match="onnect"):
            await asyncio.open_connection("127.0.0.1", port)
        stream = await endless.read()
        assert b"data: 20\n\n" in stream, "it went on for a while"
        assert stream.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        assert b'"type": "service_unavailable"' in stream
        assert (await plain.readline()).startswith(b"HTTP/1.1 503")
        code, errors = await end(server)
        assert (code, errors.count("closed well")) == (0, workers), errors
        assert "Traceback" not in errors


async def test_sigterm_with_a_slow_client() -> None:
    async with process(0, 1, 0.5) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(request("/chat", "big"))
        await reader.readexactly(100)
        server.send_signal(signal.SIGTERM)
        code, errors = await end(server)
        assert (code, "closed well" in errors) == (0, True), errors
        writer.close()


async def test_sigterm_when_idle_is_quick() -> None:
    async with process(0, 1, 30) as (server, _):
        started = time.monotonic()
        server.send_signal(signal.SIGINT)
        assert (await end(server))[0] == 0
        assert time.monotonic() - started < 2


async def test_workers_share_the_port_and_the_accounts_and_a_dead_one_is_replaced() -> None:
    async with process(0, 2, 5) as (server, port):
        pids: set[bytes] = set()
        for _ in range(200):
            pids.add(await fetch(port, "/pid"))
            if len(pids) == 2:
                break
        assert await fetch(port, "/die") == b""
        answers = [await fetch(port, "/pid") for _ in range(20)]
        assert all(answers)
        # What the other worker has counted shows within a second.
        await asyncio.sleep(1.2)
        metrics = (await fetch(port, "/metrics")).decode()
        counted = re.search(r'stack_requests_total{[^}]*operation="GET /pid",status="200"} (\d+)', metrics)
        assert counted is not None
        assert int(counted[1]) >= 21
        assert "stack_requests_in_flight 0.0" in metrics
        server.send_signal(signal.SIGTERM)
        code, errors = await end(server)
        assert (code, "a worker ended with 9" in errors) == (0, True), errors


async def test_workers_do_not_outlive_their_supervisor() -> None:
    async with process(0, 2, 5) as (server, port):
        server.kill()
        await server.wait()
        deadline = time.monotonic() + 5
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                break
            writer.close()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with process(port, 1, 1) as (server, _):
            code, errors = await end(server)
    assert (code, errors) == (
        3,
        f"tested cannot start: cannot listen on 127.0.0.1 port {port}: Address already in use\n",
    )


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_start_that_cannot_succeed(workers: int) -> None:
    async with process(0, workers, 1, "refuse") as (server, _):
        code, errors = await end(server)
    assert code == 3
    assert "tested cannot start: the database is not there\n" in errors
    async with process(0, workers, 1, "crash") as (server, _):
        code, errors = await end(server)
    assert code == 1
    assert "tested has crashed\n" in errors
    assert errors.rstrip().endswith("ValueError")
    assert "server_main.py" in errors  # where it came from, and not its text, which could quote a key
    assert "ValueError: oh" not in errors


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    nonsense = tmp_path / "x.pem"
    nonsense.write_text("x")
    with pytest.raises(OSError, match="cannot be used"):
        bind(ServerConfig(port=0, tls_certfile=str(nonsense), tls_keyfile=str(nonsense)))
    with pytest.raises(ValueError, match="both or neither"):
        bind(ServerConfig(port=0, tls_certfile=str(nonsense)))
