"""A built gateway in front of a fake service, for tests that decide what the service does.

    service.plays(streams(*STORY, ending="break"))
    with pytest.raises(openai.APIError): …

The fake lives on a thread of its own, so that a test may use the synchronous SDK; the server is a process.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from openai import OpenAI
from upstreams import FakeUpstream, Script, Seen, answers, fake_upstream

from .servers import Running

if TYPE_CHECKING:
    from .conftest import Built

SETTINGS_KEY = "sk-settings-7f3a9c51d2e84b60"
HEADER_KEY = "sk-header-c09b4e7712fd4a35"
MODEL = "openai/gpt-test"
# The same service again, as an instance with the usual long patience.
PATIENT_MODEL = "vllm/gpt-test"
TALK: list[Any] = [{"role": "user", "content": "hi"}]
READ_SECONDS = 1.0
MAX_BODY = 1024 * 1024

_MODELS = answers({"object": "list", "data": [{"id": "gpt-test", "object": "model", "created": 1, "owned_by": "me"}]})


def answer_of(content: str = "hello", **more: object) -> dict[str, object]:
    """A chat completion."""
    return {
        "id": "a1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-test",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        **more,
    }


class Service:
    """The fake, seen from the tests' thread: `requests` are the POSTs since `plays`; every GET lists one model."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._scripts: Sequence[Script] = ()
        self.fake: FakeUpstream | None = None
        self.requests: list[Seen] = []

    def plays(self, *scripts: Script) -> None:
        """What the next POSTs meet, the last of it again and again."""
        self._scripts = scripts
        self.requests = []
        self._loop.call_soon_threadsafe(self._here.cut.clear)

    @property
    def url(self) -> str:
        return self._here.url

    @property
    def open(self) -> int:
        """Connections that are."""
        return self._here.open

    @property
    def was_cut(self) -> bool:
        """Whether a connection was closed while its answer was under way."""
        return self._here.cut.is_set()

    @property
    def _here(self) -> FakeUpstream:
        assert self.fake is not None
        return self.fake

    async def _dispatch(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.method == "GET":
            return await _MODELS(seen, writer)
        self.requests.append(seen)
        return await self._scripts[min(len(self.requests), len(self._scripts)) - 1](seen, writer)

    async def run(self, ready: threading.Event, stop: asyncio.Event) -> None:
        async with fake_upstream(self._dispatch) as self.fake:
            ready.set()
            await stop.wait()


@contextmanager
def fake_service() -> Iterator[Service]:
    loop = asyncio.new_event_loop()
    service, ready, stop = Service(loop), threading.Event(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(service.run(ready, stop)), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@dataclass(frozen=True, slots=True)
class Front:
    """A server that runs, in front of a service."""

    server: Running
    service: Service

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def client(self, **options: Any) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, **options)

    def is_well(self) -> bool:
        """Whether it answers a good request as it should."""
        self.service.plays(answers(answer_of("still here")))
        with self.client(timeout=10) as client:
            answer = client.chat.completions.create(model=MODEL, messages=TALK)
        return answer.choices[0].message.content == "still here" and self.server.process.poll() is None

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics").text

    def total(self, metric: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return total_of(self.metrics(), metric, **labels)


def total_of(exposition: str, metric: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels, in what `/metrics` says."""
    found = 0.0
    for name, said, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", exposition, re.MULTILINE):
        if name == metric and all(f'{key}="{text}"' in said for key, text in labels.items()):
            found += float(value)
    return found


@contextmanager
def front(built: Built, service: Service, folder: Path, *arguments: str, **server: object) -> Iterator[Front]:
    """The gateway with two instances on the service, an impatient one and a patient one; server: its settings."""
    network = {"retries": 1, "backoff": 0.01, "timeout": {"read": READ_SECONDS}}
    values = {
        "server": {"max_body_bytes": MAX_BODY, "log_level": "debug", "log_requests": True, **server},
        "providers": {"inference": {"openai": {"network": network}}},
    }
    file = folder / f"values-{time.monotonic_ns()}.json"
    file.write_text(json.dumps(values))
    with built.serve(environ_for(service), "--config", str(file), *arguments) as running:
        yield Front(running, service)


def environ_for(service: Service) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": SETTINGS_KEY,
        "OPENAI_BASE_URL": service.url,
        "VLLM_URL": service.url,
        # Nobody listens there.
        "OLLAMA_URL": "http://127.0.0.1:9/v1",
    }


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────────────


def request_of(path: str, body: bytes, *headers: str) -> bytes:
    """A request as bytes, whole."""
    head = (f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join([*head, *headers, "", ""]).encode() + body


def chat_body(model: str = MODEL, **more: object) -> bytes:
    return json.dumps({"model": model, "messages": TALK, **more}).encode()


def connect(front: Front, *, receive_buffer: int | None = None) -> socket.socket:
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", int(front.url.rpartition(":")[2])))
    return connection


def stream_text(front: Front, path: str = "/v1/chat/completions", body: bytes | None = None) -> tuple[int, str]:
    """The status and the whole text of a stream."""
    sent = chat_body(stream=True) if body is None else body
    answer = httpx.post(front.url + path, content=sent, headers={"content-type": "application/json"}, timeout=20)
    return answer.status_code, answer.text


def datas(text: str) -> list[str]:
    """What the events of a stream say."""
    assert text.endswith("\n\n")
    return [event.removeprefix("data: ") for event in text[:-2].split("\n\n")]


# ── what a process holds ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Holdings:
    """Of a process: open files, threads, resident bytes."""

    files: int
    threads: int
    resident: int


def holdings(pid: int) -> Holdings:
    status: Mapping[str, str] = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    resident = int(status["VmRSS"].split()[0]) * 1024
    return Holdings(len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]), resident)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def becomes_true(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether a condition holds, now or within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
