"""A built server that keeps chat completions, before the openai SDK; its upstream is a fake of ours."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import OpenAI
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, ROOT, Running, stackgen

pytestmark = pytest.mark.slow

MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
PIECES = ("Hi", " there", " ü!")


class Fake(BaseHTTPRequestHandler):
    """Answers every chat in the same words: at once, or in pieces."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._say(json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        head = {"id": f"chatcmpl-{uuid4().hex}", "created": 1_700_000_000, "model": "tiny-1"}
        if asked["messages"][-1]["content"] == "count":
            head["id"] = "chatcmpl-7"
        if not asked.get("stream"):
            message = {"role": "assistant", "content": "".join(PIECES), "refusal": None}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
            self._say(json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage}).encode())
            return
        deltas: list[Any] = [{"delta": {"role": "assistant", "content": each}} for each in PIECES]
        deltas.append({"delta": {}, "finish_reason": "stop"})
        said = b""
        for delta in deltas:
            choice = {"index": 0, "finish_reason": None, **delta}
            event = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            said += b"data: " + json.dumps(event).encode() + b"\n\n"
        self._say(said + b"data: [DONE]\n\n", "text/event-stream")

    def _say(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("stores") / "stores"
    done = stackgen("build", "stores", "--specs", ROOT / "tests/bench/specs", "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("stores", folder, environment_for(folder, CACHE / "envs", lambda _: None))


@contextmanager
def serving(built: Built, upstream: str, folder: Path, **more: str) -> Iterator[tuple[Running, OpenAI]]:
    environ = {"OPENAI_BASE_URL": upstream, "OPENAI_API_KEY": "none", "FOLDER": str(folder), **more}
    with (
        built.serve(environ, "--workers", "2") as server,
        OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        yield server, client


def ask(client: OpenAI, **more: Any) -> str:
    """One whole answer that is kept; its id."""
    return str(client.chat.completions.create(model="openai/tiny", messages=MESSAGES, store=True, **more).id)


def test_the_sdk_finds_what_was_kept(built: Built, upstream: str, tmp_path: Path) -> None:
    with serving(built, upstream, tmp_path) as (_, client):
        kept = client.chat.completions
        first = kept.create(model="openai/tiny", messages=MESSAGES, store=True, metadata={"topic": "a", "n": "1"})
        chunks = list(kept.create(model="openai/tiny", messages=MESSAGES, store=True, metadata={"n": "2"}, stream=True))
        kept.create(model="openai/tiny", messages=MESSAGES)
        second = chunks[0].id
        assert [each.id for each in kept.list()] == [first.id, second]
        assert [each.id for each in kept.list(order="desc", limit=1)] == [second, first.id], "page by page"
        assert [each.id for each in kept.list(metadata={"topic": "a", "n": "1"})] == [first.id]
        assert [each.id for each in kept.list(model="openai/tiny", metadata={"n": "2"})] == [second]
        found = kept.retrieve(first.id)
        assert (found.choices, found.usage) == (first.choices, first.usage)
        assert kept.retrieve(second).choices[0].message.content == "".join(PIECES)
        assert [each.content for each in kept.messages.list(first.id, limit=1)] == ["Be brief.", "Hello?"]
        changed = kept.update(first.id, metadata={"topic": "b"})
        assert changed.model_dump()["metadata"] == {"topic": "b"}
        assert kept.delete(first.id).deleted
        with pytest.raises(openai.NotFoundError):
            kept.retrieve(first.id)
        with pytest.raises(openai.BadRequestError, match="metadata"):
            ask(client, metadata={"k": "v" * 513})


def test_an_upstream_that_counts_gives_ids_that_are_found(built: Built, upstream: str, tmp_path: Path) -> None:
    with serving(built, upstream, tmp_path) as (_, client):
        counted: list[Any] = [{"role": "user", "content": "count"}]
        kept = client.chat.completions
        ids = [kept.create(model="openai/tiny", messages=counted, store=True).id for _ in range(2)]
        for _ in range(2):
            (id_,) = {each.id for each in kept.create(model="openai/tiny", messages=counted, store=True, stream=True)}
            ids.append(id_)
        assert len(set(ids)) == 4
        assert [kept.retrieve(each).id for each in ids] == ids


def test_what_was_answered_survives_kill_minus_9(built: Built, upstream: str, tmp_path: Path) -> None:
    with serving(built, upstream, tmp_path) as (server, client):
        with ThreadPoolExecutor(8) as threads:
            ids = list(threads.map(lambda _: ask(client), range(40)))
        stream = client.chat.completions.create(model="openai/tiny", messages=MESSAGES, store=True, stream=True)
        ids += {each.id for each in stream}
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        for pid in (*map(int, children), server.process.pid):
            os.kill(pid, signal.SIGKILL)
        server.process.wait()
    with serving(built, upstream, tmp_path) as (_, client):
        assert [client.chat.completions.retrieve(each).id for each in ids] == ids


def test_everything_is_written_before_the_server_stops(built: Built, upstream: str, tmp_path: Path) -> None:
    with serving(built, upstream, tmp_path, KEEP="all") as (server, client):
        made = client.chat.completions.create(model="openai/tiny", messages=MESSAGES).id
        client.chat.completions.create(model="openai/tiny", messages=MESSAGES, store=False)
        assert server.stop() == 0
    with serving(built, upstream, tmp_path) as (_, client):
        assert [each.id for each in client.chat.completions.list()] == [made]
