"""Work on a model's threads, and what becomes of it when the server stops or its client leaves."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from parts.providers.inference.pools import on_pool
from parts.runtime.errors import Unavailable


async def test_what_the_server_stops_is_refused_whether_it_waits_or_comes_later() -> None:
    pool = ThreadPoolExecutor(1)
    go = threading.Event()
    running = asyncio.create_task(on_pool(pool, go.wait))
    waiting = asyncio.create_task(on_pool(pool, lambda: "never"))
    await asyncio.sleep(0)
    pool.shutdown(wait=False, cancel_futures=True)
    for refused in (waiting, on_pool(pool, lambda: "never")):
        with pytest.raises(Unavailable, match="the server is stopping") as caught:
            await refused
        assert caught.value.code == "server_stopping"
    go.set()
    assert await running


async def test_one_that_is_left_while_it_waits_never_begins() -> None:
    begun: list[str] = []
    go = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = asyncio.create_task(on_pool(pool, go.wait))
        waiting = asyncio.create_task(on_pool(pool, lambda: begun.append("waiting")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go.set()
        assert await running
    assert begun == []


async def test_what_the_work_raises_is_raised() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        await on_pool(pool, lambda: 1 // 0)
