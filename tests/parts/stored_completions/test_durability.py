"""When rows are durable, how many commits that takes, and what happens where the store is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.providers.stored_completions.builtin import (
    CompletionStore,
    StoredCompletionsConfig,
    open_stored_completions,
)
from parts.runtime.errors import Unavailable
from parts.runtime.reply import Events
from parts.runtime.sql import Sql
from parts.testing.stored_completions.base import Model, answer, context, dump, fresh, get, ids, keep, say, streamed

if TYPE_CHECKING:
    from sqlalchemy import Insert
    from sqlalchemy.ext.asyncio import AsyncConnection

GONE = "the database is not available"


@dataclass
class Watched:
    """A database whose transactions are counted, and that goes away when it is told to."""

    sql: Sql
    commits: int = 0
    gone: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()
        self.dialect = self.sql.dialect
        self.prepare, self.reading, self.insert = self.sql.prepare, self.sql.reading, self.sql.insert

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        if self.gone:
            raise Unavailable(GONE, code="storage_unavailable")
        async with self.sql.writing() as connection:
            yield connection

    async def write_all(self, statement: Insert, rows: Sequence[Mapping[str, object]]) -> None:
        await self.held.wait()
        if self.gone:
            raise Unavailable(GONE, code="storage_unavailable")
        await self.sql.write_all(statement, rows)
        self.commits += 1


@asynccontextmanager
async def opened(
    folder: Path, keep: Literal["asked", "all"] = "asked", waiting: int = 100
) -> AsyncIterator[tuple[Watched, CompletionStore]]:
    config = StoredCompletionsConfig(keep=keep, max_write_queue_size=waiting)
    async with open_sql_sqlite(SqlSqliteConfig(db_path=str(folder / "store.db")), instance="sql_default") as sql:
        watched = Watched(sql)
        async with open_stored_completions(config, store=watched) as store:
            watched.commits = 0
            yield watched, store


async def test_many_at_once_make_far_fewer_commits(tmp_path: Path) -> None:
    async with opened(tmp_path, waiting=2000) as (sql, store):
        made = await asyncio.gather(*(keep(store, None) for _ in range(1000)))
        assert sql.commits <= 50
        found: list[str] = []
        while len(found) < 1000:
            found += await ids(store, None, limit=100, **({"after": found[-1]} if found else {}))
        assert sorted(found) == sorted(made)


async def test_an_answer_waits_for_its_row(tmp_path: Path) -> None:
    async with opened(tmp_path) as (sql, store):
        sql.held.clear()
        saying = asyncio.ensure_future(say(store, Model(dump(answer(fresh()))), None))
        await asyncio.sleep(0.05)
        assert not saying.done()
        sql.held.set()
        assert (await get(store, json.loads(await saying)["id"], None))["object"] == "chat.completion"


async def test_a_stream_s_events_do_not_wait_but_its_end_does(tmp_path: Path) -> None:
    async with opened(tmp_path) as (sql, store):
        sql.held.clear()
        blocks = streamed(fresh(), "a", "b")
        body = dump({"model": "tiny", "messages": [{"role": "user", "content": "x"}], "store": True, "stream": True})
        ctx = context(None)
        ctx.body = body
        request = CreateChatCompletionRequest.model_validate_json(body)
        events = await store.keeping(Model(*blocks)).create_chat_completion(request, ctx)
        assert isinstance(events, Events)
        reading = aiter(events)
        assert [await anext(reading) for _ in blocks] == blocks
        end = asyncio.ensure_future(anext(reading, None))
        await asyncio.sleep(0.05)
        assert not end.done(), "what follows is [DONE]"
        sql.held.set()
        assert await end is None
        await events.aclose()
        assert len(await ids(store, None)) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_without_the_store_who_asks_is_told(tmp_path: Path, stream: bool) -> None:
    async with opened(tmp_path) as (sql, store):
        sql.gone = True
        said = streamed(fresh(), "a") if stream else [dump(answer(fresh()))]
        first = Model(*said)
        with pytest.raises(Unavailable, match=GONE):
            await say(store, first, None, stream=stream)
        assert len(first.asked) == 1, "nobody knew yet"
        second = Model(*said)
        with pytest.raises(Unavailable, match=GONE):
            await say(store, second, None, stream=stream)
        assert second.asked == [], "known by now: no model works for nothing"
        others = Model(*said)
        assert await say(store, others, None, stream=stream, store=None) == b"".join(said), (
            "who did not ask, is answered"
        )
        sql.gone = False
        await say(store, second, None, stream=stream)
        assert len(await ids(store, None)) == 1


async def test_everything_is_kept_behind_and_before_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path, keep="all") as (sql, store):
        made = [await keep(store, None, store=None) for _ in range(10)]
        made.append(fresh())
        await say(store, Model(*streamed(made[-1], "a")), None, store=None, stream=True)
        assert sql.commits == 0, "nobody waited for one"
        await keep(store, None, store=False)
    async with opened(tmp_path) as (_, store):
        assert await ids(store, None) == made


async def test_what_cannot_be_kept_behind_hinders_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path, keep="all", waiting=3) as (sql, store):
        sql.gone = True
        labels = {"k": "v" * 600}
        for _ in range(5):
            await keep(store, None, store=None)
        sql.gone = False
        await asyncio.sleep(0.5)
        assert 1 <= len(await ids(store, None)) <= 3
        kept = await keep(store, None, store=None, metadata=labels)
        await asyncio.sleep(0.5)
        assert (await get(store, kept, None))["metadata"] is None, "labels over the limit are not labels"


async def test_a_page_ends_where_it_gets_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parts.providers.stored_completions.builtin.MOST_BYTES_OF_A_PAGE", 1500)
    async with opened(tmp_path) as (_, store):
        long = [{"role": "user", "content": "x" * 1000}]
        made = [await keep(store, None, messages=long) for _ in range(3)]
        assert await ids(store, None) == made[:1]
        assert await ids(store, None, after=made[0]) == made[1:2]


async def test_what_waits_to_be_written_behind_is_bounded_by_its_size(tmp_path: Path) -> None:
    long = [{"role": "user", "content": "x" * 20_000_000}]
    async with opened(tmp_path, keep="all") as (sql, store):
        sql.held.clear()
        for _ in range(5):
            await keep(store, None, store=None, messages=long)
        sql.held.set()
        await asyncio.sleep(0.5)
        await keep(store, None, store=None)
    async with opened(tmp_path) as (_, store):
        found = await ids(store, None)
        assert len(found) == 1, "a page ends where it gets long"
        rest = await ids(store, None, after=found[0])
        last = await ids(store, None, order="desc", limit=1)
        assert len(rest) == 1
        assert (await get(store, last[0], None))["input_messages"] != long, "there was room again"
