"""A service of chat completions that calls the tools it is told to call; a fake of ours.

What the last message says decides: `call NAME {…}` calls a tool, `break` ends a stream in its midst, `crawl` takes time
between pieces, `nap` is answered after three seconds, `json` answers `{"n": 3}`. Anything else is answered with how
many messages there were.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "tiny"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


class ChatService(ThreadingHTTPServer):
    """asked: the bodies. left: how many streams were not read to their end."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Any] = []
        self.left = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatService

    def do_GET(self) -> None:
        self._say(json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(asked)
        said = _last(asked)
        message, finish = _answer(said, len(asked["messages"])), "stop"
        if said == "nap":
            time.sleep(3)
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
            self._say(json.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode())
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            for delta in _deltas(message):
                self._event(choices=[{"index": 0, "delta": delta, "finish_reason": None}])
                if said == "break":
                    self.close_connection = True
                    return
                for _ in range(600 if said == "crawl" else 0):
                    time.sleep(0.1)
                    self._event(choices=[{"index": 0, "delta": {"content": "."}, "finish_reason": None}])
            self._event(choices=[{"index": 0, "delta": {}, "finish_reason": finish}])
            self._event(choices=[], usage=USAGE)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.server.left += 1
        self.close_connection = True

    def _event(self, **more: Any) -> None:
        chunk = {**HEAD, "object": "chat.completion.chunk", **more}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def _last(asked: Any) -> str:
    said = asked["messages"][-1]["content"]
    return said if isinstance(said, str) else ""


def _answer(said: str, messages: int) -> dict[str, Any]:
    if said.startswith("call "):
        _, name, arguments = said.split(" ", 2)
        call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
        return {"tool_calls": [call]}
    return {"content": '{"n": 3}' if said == "json" else f"{messages} messages, ü"}


def _deltas(message: dict[str, Any]) -> list[dict[str, Any]]:
    if calls := message.get("tool_calls"):
        return [{"role": "assistant", "tool_calls": [{"index": 0, **calls[0]}]}]
    text: str = message["content"]
    return [{"role": "assistant", "content": text[:5]}, {"content": text[5:]}]


@contextmanager
def chat_service() -> Iterator[ChatService]:
    server = ChatService()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
