"""One relay over any client and any server: `python serve.py CLIENT SERVER --host HOST --port PORT`, URL in UPSTREAM.

All is as little as in `floors/raw_relay.py`, so that what differs between two is the library.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from clients import CLIENTS, Ask

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MODELS = b'{"object": "list", "data": [{"id": "mock", "object": "model", "created": 0, "owned_by": "mock"}]}'


def relay(ask: Ask) -> App:
    """The application: it knows the list of models, and relays everything else."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/v1/models":
            await _send_whole(send, MODELS)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        async with ask(body) as answer:
            if not answer.streams:
                await _send_whole(send, await answer.read())
                return
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for piece in answer.pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    return app


async def _send_whole(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def over_uvicorn(app: App, host: str, port: int) -> None:
    """Over uvloop and httptools where they are installed, else over asyncio's loop and h11."""
    import uvicorn

    application: Any = app
    options: dict[str, Any] = {"lifespan": "off", "log_config": None, "access_log": False, "timeout_keep_alive": 75}
    await uvicorn.Server(uvicorn.Config(application, host=host, port=port, **options)).serve()


async def over_granian(app: App, host: str, port: int) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    await server.serve()


SERVERS: Mapping[str, Callable[[App, str, int], Awaitable[None]]] = {
    "uvicorn": over_uvicorn,
    "h11": over_uvicorn,
    "granian": over_granian,
}


def new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(client: str, server: str, host: str, port: int) -> None:
    async with CLIENTS[client](f"{os.environ['UPSTREAM']}/chat/completions") as ask:
        await SERVERS[server](relay(ask), host, port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("server", choices=SERVERS)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=new_loop()) as runner:
        runner.run(serve(given.client, given.server, given.host, given.port))
