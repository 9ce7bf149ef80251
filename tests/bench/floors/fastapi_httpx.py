"""The relay that comes to mind first: FastAPI's body parameter, httpx to the upstream, a stream line by line."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from chat import MODELS, TO_UPSTREAM, Chat
from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse

UPSTREAM = os.environ["UPSTREAM"]
# Its defaults, 100 connections with 20 kept, would have it connect anew at 64 clients.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=60, limits=LIMITS) as app.state.client:
        yield


app = FastAPI(lifespan=client)


@app.get("/v1/models")
async def models() -> dict[str, object]:
    return MODELS


@app.post("/v1/chat/completions")
async def chat(asked: Chat) -> Response:
    upstream: httpx.AsyncClient = app.state.client
    body = asked.model_dump_json(exclude_none=True).encode()
    request = upstream.build_request("POST", f"{UPSTREAM}/chat/completions", content=body, headers=TO_UPSTREAM)
    if asked.stream:
        answer = await upstream.send(request, stream=True)
        return StreamingResponse(_relay(answer), answer.status_code, media_type="text/event-stream")
    answer = await upstream.send(request)
    return Response(answer.content, answer.status_code, media_type="application/json")


async def _relay(answer: httpx.Response) -> AsyncIterator[str]:
    try:
        async for line in answer.aiter_lines():
            if line:
                yield f"{line}\n\n"
    finally:
        await answer.aclose()
