"""Following a namespace, over the SQLite backend and over a store that comes and goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.errors import Unavailable
from parts.runtime.kv import Kv
from parts.runtime.kv_watch import changes


@dataclass
class Feed:
    """What a follower is told."""

    changes: AsyncIterator[None]
    told: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def follow(self) -> None:
        async for _ in self.changes:
            self.told.release()


@pytest.fixture
async def kv(tmp_path: Path) -> AsyncIterator[Kv]:
    async with open_kv_sqlite(KvSqliteConfig(db_path=str(tmp_path / "kv.db")), instance="kv_default") as backend:
        yield backend.namespace("registry")


async def test_the_start_and_each_write_are_told(kv: Kv) -> None:
    async with aclosing(changes(kv, seconds=0.001)) as feed:
        await anext(feed)
        for number in range(3):
            await kv.put("a", b"%d" % number)
            await anext(feed)
        following = asyncio.ensure_future(anext(feed))
        await kv.get("a")
        await asyncio.sleep(0.1)
        assert not following.done(), "nobody has written"
        await kv.delete("a")
        await following


async def test_a_write_of_another_process_is_seen_within_a_second(tmp_path: Path) -> None:
    config = KvSqliteConfig(db_path=str(tmp_path / "kv.db"))
    async with open_kv_sqlite(config, instance="one") as one, open_kv_sqlite(config, instance="two") as two:
        feed = Feed(changes(one.namespace("registry")))
        following = asyncio.create_task(feed.follow())
        await feed.told.acquire()
        await two.namespace("registry").put("a", b"1")
        await feed.told.acquire()
        following.cancel()


class Switched:
    """The revision of a namespace whose store is away whenever the test says so: a double."""

    def __init__(self) -> None:
        self.away = False
        self.looks = 0

    async def revision(self) -> int:
        self.looks += 1
        if self.away:
            raise Unavailable("the key-value store is not available", code="storage_unavailable")
        return 7


async def test_a_store_that_is_back_is_told_and_its_absence_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    store = Switched()
    feed = Feed(changes(cast(Kv, store), seconds=0.001))
    following = asyncio.create_task(feed.follow())
    await feed.told.acquire()
    for _ in range(2):
        caplog.clear()
        store.away = True
        looks = store.looks
        while store.looks < looks + 5:
            await asyncio.sleep(0.001)
        assert feed.told.locked(), "nothing to read while it is away"
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        store.away = False
        await feed.told.acquire()
    following.cancel()


async def test_a_store_that_is_away_from_the_start_is_told_when_it_comes() -> None:
    store = Switched()
    store.away = True
    feed = Feed(changes(cast(Kv, store), seconds=0.001))
    following = asyncio.create_task(feed.follow())
    while store.looks < 3:
        await asyncio.sleep(0.001)
    assert feed.told.locked()
    store.away = False
    await feed.told.acquire()
    following.cancel()
