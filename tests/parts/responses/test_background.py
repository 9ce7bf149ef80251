"""Responses in the background: queued, made, cancelled, taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from parts.contracts.responses import Responses
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest
from parts.testing.responses.asking import Asking, text_of
from parts.testing.suite import refused
from response_provider import responses
from scripted import Json, Model, Reply, text
from sql_backends import sqlite_at

Test = Callable[[Asking], Awaitable[None]]


class Slow(Model):
    """Answers once it is let; until then whoever asks waits. waiting: somebody does."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(*replies)
        self.let = asyncio.Event()
        self.waiting = asyncio.Event()

    async def create_chat_completion(self, request: Any, ctx: Context) -> Any:
        self.waiting.set()
        await self.let.wait()
        return await super().create_chat_completion(request, ctx)


def run(folder: Path, model: Model, test: Test) -> None:
    async def within() -> None:
        async with asyncio.timeout(60), responses(sqlite_at(folder / "sql.db"), model) as provider:
            await test(Asking(provider, "m", "ann"))

    asyncio.run(within())


async def ended(asking: Asking, response_id: str) -> Json:
    while (response := await asking.get(response_id))["status"] in ("queued", "in_progress"):
        await asyncio.sleep(0.02)
    return response


def test_it_is_queued_and_then_there(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        queued = await asking.create("Hi", background=True, metadata={"a": "b"})
        assert (queued["status"], queued["background"], queued["output"]) == ("queued", True, [])
        inputs = (await asking.inputs(queued["id"]))["data"]
        made = await ended(asking, queued["id"])
        assert (made["status"], text_of(made), made["metadata"]) == ("completed", "Hello.", {"a": "b"})
        assert made["created_at"] == queued["created_at"]
        assert (await asking.inputs(queued["id"]))["data"] == inputs
        again = await asking.create("And?", previous_response_id=queued["id"])
        assert again["previous_response_id"] == queued["id"]
        assert await asking.cancel(queued["id"]) == made, "what has ended stays as it is"
        await asking.delete(queued["id"])
        assert (await refused(asking.get(queued["id"]))).status == 404

    run(tmp_path, Model(text("Hello.")), test)


def test_it_is_cancelled(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        response_id = (await asking.create("Hi", background=True))["id"]
        await model.waiting.wait()
        assert (await asking.get(response_id))["status"] == "in_progress"
        assert (await asking.cancel(response_id))["status"] == "cancelled"
        assert (await asking.cancel(response_id))["status"] == "cancelled"
        assert (await asking.get(response_id))["status"] == "cancelled"
        await asking.delete(response_id)
        assert (await refused(asking.get(response_id))).status == 404

    model = Slow(text("Never."))
    run(tmp_path, model, test)
    assert model.asked == []


def test_one_that_is_not_in_the_background_is_not_cancelled(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        response = await asking.create("Hi")
        assert (await refused(asking.cancel(response["id"]))).code == "not_in_background"
        assert (await refused(asking.cancel(f"resp_{'0' * 48}"))).status == 404

    run(tmp_path, Model(text("Hello.")), test)


def test_it_fails(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        response_id = (await asking.create("Hi", background=True))["id"]
        failed = await ended(asking, response_id)
        assert (failed["status"], failed["error"]) == ("failed", {"code": "server_error", "message": "not this"})

    run(tmp_path, Model(BadRequest("not this")), test)


def test_what_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    secret = {"type": "mcp", "server_label": "s", "server_url": "http://a.example/", "authorization": "t"}

    async def test(asking: Asking) -> None:
        gone = f"resp_{'0' * 48}"
        assert (await refused(asking.create("Hi", background=True, previous_response_id=gone))).status == 404
        for wrong in ({"store": False}, {"stream": True}, {"tools": [secret]}, {"tools": [{"type": "web_search"}]}):
            assert (await refused(asking.create("Hi", background=True, **wrong))).status == 400

    run(tmp_path, Model(text("No.")), test)


def test_a_response_is_its_callers_in_the_background_too(tmp_path: Path) -> None:
    async def within() -> None:
        async with asyncio.timeout(60), responses(sqlite_at(tmp_path / "sql.db"), Slow(text("Hi."))) as provider:
            await others_see_nothing(provider)

    asyncio.run(within())


async def others_see_nothing(provider: Responses) -> None:
    ann, bob = Asking(provider, "m", "ann"), Asking(provider, "m", "bob")
    response_id = (await ann.create("Hi", background=True))["id"]
    for call in (bob.get(response_id), bob.inputs(response_id), bob.cancel(response_id), bob.delete(response_id)):
        assert (await refused(call)).status == 404  # type: ignore[type-var]
    assert (await ann.cancel(response_id))["status"] == "cancelled"


def test_it_is_made_by_whoever_comes_next(tmp_path: Path) -> None:
    async def within() -> None:
        async with asyncio.timeout(60):
            async with responses(sqlite_at(tmp_path / "sql.db"), slow := Slow(text("Never."))) as provider:
                response_id = (await Asking(provider, "m").create("Hi", background=True))["id"]
                await slow.waiting.wait()
            async with responses(sqlite_at(tmp_path / "sql.db"), Model(text("Hello."))) as provider:
                made = await ended(Asking(provider, "m"), response_id)
            assert (made["status"], text_of(made)) == ("completed", "Hello.")

    asyncio.run(within())
