"""A careful relay by hand: FastAPI, the body validated once by pydantic, aiohttp to the upstream, bytes relayed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from chat import MODELS, TO_UPSTREAM, Chat
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

UPSTREAM = os.environ["UPSTREAM"]


@asynccontextmanager
async def session(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.state.session:
        yield


app = FastAPI(lifespan=session)


@app.get("/v1/models")
async def models() -> dict[str, object]:
    return MODELS


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    body = await request.body()
    asked = Chat.model_validate_json(body)
    answer = await app.state.session.post(f"{UPSTREAM}/chat/completions", data=body, headers=TO_UPSTREAM)
    if asked.stream:
        return StreamingResponse(_relay(answer), answer.status, media_type="text/event-stream")
    async with answer:
        return Response(await answer.read(), answer.status, media_type="application/json")


async def _relay(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for chunk in answer.content.iter_any():
            yield chunk
