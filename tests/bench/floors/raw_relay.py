"""The least that Python can do: plain ASGI, aiohttp to the upstream, bytes relayed, nothing read of them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

UPSTREAM = os.environ["UPSTREAM"]
TO_UPSTREAM = {"authorization": "Bearer none", "content-type": "application/json"}
MODELS = b'{"object": "list", "data": [{"id": "mock", "object": "model", "created": 0, "owned_by": "mock"}]}'


class Relay:
    """The application; its session lives from start-up to shutdown."""

    _session: aiohttp.ClientSession

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] == "/v1/models":
            await _send_whole(send, 200, MODELS)
        else:
            await self._relay(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._session.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _relay(self, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        async with self._session.post(f"{UPSTREAM}/chat/completions", data=body, headers=TO_UPSTREAM) as answer:
            if answer.content_type != "text/event-stream":
                await _send_whole(send, answer.status, await answer.read())
                return
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _send_whole(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = Relay()
