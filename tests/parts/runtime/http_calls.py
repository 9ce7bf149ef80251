"""An app of every kind of route over plain functions, and a way to call it without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from parts.runtime.context import Context
from parts.runtime.errors import RateLimited, UpstreamError
from parts.runtime.http import App, Http
from parts.runtime.http_request import Message
from parts.runtime.metrics import Accounts
from parts.runtime.reply import Answer, Events
from pydantic import BaseModel, ConfigDict, Field

MAX_BODY = 100_000
PROVIDER_DATA: Mapping[str, Literal["password", "uri", "string"]] = {"openai_api_key": "password", "url": "uri"}


class Wire(BaseModel):
    model_config = ConfigDict(extra="allow")


class Text(Wire):
    type: Literal["text"]
    text: str


class Image(Wire):
    type: Literal["image"]
    url: str


class User(Wire):
    role: Literal["user"]
    content: str | list[Text | Image]


class Tool(Wire):
    role: Literal["tool"]
    content: str
    tool_call_id: str


class ChatRequest(Wire):
    model: str
    messages: Annotated[list[User | Tool], Field(min_length=1)]
    stream: bool | None = None
    temperature: Annotated[float, Field(le=2)] | None = None


class ItemRequest(Wire):
    item: str
    limit: int = 10
    include: list[str] | None = None


class Item(Wire):
    item: str
    limit: int
    include: list[str] | None = None
    note: str | None = None


@dataclass
class Provider:
    """Answers as the model's name says, and remembers what became of each call."""

    seen: list[tuple[ChatRequest, Context]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    cancelled: int = 0
    closed: int = 0
    sent: int = 0

    async def chat(self, request: ChatRequest, ctx: Context) -> Answer[Any] | Events[Any]:
        self.seen.append((request, ctx))
        ctx.usage.instance, ctx.usage.model = "up", request.model
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = 3, 4
        if request.stream:
            return Events(self._stream(request.model.removeprefix("plain-")), done=request.model[:6] != "plain-")
        match request.model:
            case "slow":
                await self._wait()
            case "limited":
                raise RateLimited("too many", code="rate", retry_after=1.2)
            case "broken":
                raise ValueError("sk-secret inside")
        return Answer(ctx.body)

    async def _wait(self) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _stream(self, model: str) -> AsyncGenerator[bytes, None]:
        try:
            if model == "limited":
                raise RateLimited("too many", retry_after=2)
            for number in range(10**9 if model in ("endless", "big") else 2):
                yield b"data: %d\n\n" % number if model != "big" else b"data: " + b"x" * 65536 + b"\n\n"
                self.sent += 1
                if model in ("endless", "hang"):
                    await asyncio.sleep(0.01 if model == "endless" else 60)
            if model == "half":
                raise UpstreamError("the upstream broke off")
            if model == "crash":
                raise ValueError("sk-secret inside")
        finally:
            self.closed += 1

    async def item(self, request: ItemRequest, ctx: Context) -> Item:
        return Item(
            **{
                "item": request.item,
                "limit": request.limit,
                **({"include": request.include} if request.include else {}),
            }
        )

    async def remove(self, request: ItemRequest, ctx: Context) -> None:
        self.removed.append(request.item)

    async def relayed(self, request: ItemRequest, ctx: Context) -> Answer[Any]:
        return Answer.of(await self.item(request, ctx))


def make_app(provider: Provider, accounts: Accounts | None = None) -> App:
    http = Http(accounts or Accounts(), max_body_bytes=MAX_BODY, provider_data=PROVIDER_DATA)
    return http.app(
        [
            http.relay("/v1/chat/completions", ChatRequest, provider.chat, provider_data=True),
            http.relay("/v1/other", ChatRequest, provider.chat),
            http.get("/v1/items/{item:path}", ItemRequest, provider.item),
            http.delete("/v1/items/{item:path}", ItemRequest, provider.item),
            http.post("/v1/box/{item}", ItemRequest, provider.item),
            http.post("/v1/box", ItemRequest, provider.item),
            http.delete("/v1/box/{item}", ItemRequest, provider.remove),
            http.relay("/v1/bytes/{item}", ItemRequest, provider.relayed, verb="GET"),
            http.relay("/v1/bytes/{item}", ItemRequest, provider.relayed, query=True),
            http.relay("/v1/plain/{item}", ItemRequest, provider.relayed),
            http.document("/openapi.json", b'{"openapi": "3.1.0"}'),
            http.metrics("/metrics"),
        ]
    )


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = json.loads(self.body)["error"]
        assert sorted(error) == ["code", "message", "param", "type"]
        assert "\n" not in error["message"]
        return error


async def call(
    app: App,
    verb: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    chunks: AsyncIterator[bytes] | None = None,
) -> Got:
    """One request; path may hold a query."""
    path, _, query = path.partition("?")
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": body if chunks is None else b"", "more_body": False}]

    async def receive() -> Message:
        if chunks is not None:
            async for chunk in chunks:
                return {"type": "http.request", "body": chunk, "more_body": True}
        if waiting:
            return waiting.pop()
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": verb,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    await app(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"
    assert not sent[-1].get("more_body", False)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], found, b"".join(message["body"] for message in sent[1:]))
