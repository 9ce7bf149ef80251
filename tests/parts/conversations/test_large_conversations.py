"""10,000 items in a conversation, and many who work on one, over real databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from parts.providers.conversations import store as stored
from parts.providers.conversations.builtin import BuiltinConversations, open_conversations
from parts.runtime.errors import NotFound
from parts.runtime.sql import Sql
from parts.testing.conversations.asking import Asking, caller, said, text_of
from real_servers import Postgres
from sql_backends import postgres_at, sqlite_at
from sqlalchemy import Engine, event, func, select

ITEMS = 10_000


@pytest.fixture(params=["sqlite", "postgres"])
async def sql(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sql]:
    if request.param == "sqlite":
        opened = sqlite_at(tmp_path / "sql.db")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        opened = postgres_at(postgres.database())
    async with opened as backend:
        yield backend


@pytest.fixture
async def provider(sql: Sql) -> AsyncIterator[BuiltinConversations]:
    async with open_conversations(store=sql) as opened:
        yield opened


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """The statements, with their parameters, that databases were asked meanwhile."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def filled(sql: Sql, provider: BuiltinConversations, count: int) -> str:
    """A conversation of so many items, put in by hundreds: what the API takes by twenties."""
    conversation = await Asking(provider).create()
    for start in range(0, count, 500):
        numbers = range(start, start + 500)
        items = [
            stored.KeptItem(
                f"msg_{number}",
                json.dumps(
                    {
                        "id": f"msg_{number}",
                        "type": "message",
                        "role": "user",
                        "status": "completed",
                        "content": [{"type": "input_text", "text": f"number {number}"}],
                    }
                ),
            )
            for number in numbers
        ]
        async with sql.writing() as connection:
            first = await stored.take_places(connection, conversation, caller(), len(items))
            await stored.add_items(connection, conversation, first, items)
    return conversation


async def test_10_000_items_in_a_conversation(sql: Sql, provider: BuiltinConversations) -> None:
    ask = Asking(provider)
    conversation = await filled(sql, provider, ITEMS)
    other = await ask.create([said("of another")])
    texts = [text_of(item) for item in await ask.all(conversation, order="asc", limit=100)]
    assert texts == [f"number {number}" for number in range(ITEMS)]
    assert [text_of(item) for item in (await ask.page(conversation, limit=2))["data"]] == ["number 9999", "number 9998"]
    assert text_of(await ask.item(conversation, "msg_5000")) == "number 5000"
    await ask.add(conversation, [said("the last")])
    assert text_of((await ask.page(conversation, limit=1))["data"][0]) == "the last"
    await ask.delete(conversation)
    assert await _kept(sql, conversation) == 0
    assert len(await ask.all(other)) == 1


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_takes_as_many_steps_wherever_it_is(sql: Sql, provider: BuiltinConversations, order: str) -> None:
    for _ in range(2):
        conversation = await filled(sql, provider, 5000)
    with asked() as seen:
        await Asking(provider).page(conversation, after="msg_2500", order=order, limit=100)
    assert len(seen) <= 4, f"a page is a few questions: {seen}"
    for statement, parameters in seen:
        if "stackgen_conversation_items" in statement:
            for line in await _plan(sql, statement, parameters):
                for wrong in ("SCAN ", "Seq Scan", "TEMP B-TREE", "Sort"):
                    assert wrong not in line, f"every item is looked at, or sorted: {line} for {statement}"


async def test_who_adds_to_a_conversation_that_is_removed_leaves_nothing(
    sql: Sql, provider: BuiltinConversations
) -> None:
    ask = Asking(provider)
    for _ in range(5):
        conversation = await ask.create()
        calls = [ask.add(conversation, [said("a"), said("b")]) for _ in range(6)]
        answers = await asyncio.gather(*calls[:3], ask.delete(conversation), *calls[3:], return_exceptions=True)
        assert not [each for each in answers if isinstance(each, Exception) and not isinstance(each, NotFound)]
        assert await _kept(sql, conversation) == 0


async def test_of_many_who_add_one_id_one_does(sql: Sql, provider: BuiltinConversations) -> None:
    ask = Asking(provider)
    conversation = await ask.create()
    item = {**said("mine"), "type": "message", "id": "msg_1"}
    answers = await asyncio.gather(*(ask.add(conversation, [item]) for _ in range(8)), return_exceptions=True)
    assert [getattr(each, "status", 200) for each in answers].count(200) == 1
    assert [getattr(each, "status", 200) for each in answers].count(400) == 7
    assert len(await ask.all(conversation)) == 1


async def test_who_made_it_is_kept_with_it(sql: Sql, provider: BuiltinConversations) -> None:
    conversation = await Asking(provider, caller("ann")).create()
    columns = (stored.CONVERSATIONS.c.owner, stored.CONVERSATIONS.c.attributes)
    async with sql.reading() as connection:
        found = (await connection.execute(select(*columns).where(stored.CONVERSATIONS.c.id == conversation))).one()
    assert (found.owner, json.loads(found.attributes)) == ("ann", {"teams": ["red", "blue"]})


async def _kept(sql: Sql, conversation: str) -> int:
    count = select(func.count()).where(stored.ITEMS.c.conversation_id == conversation)
    async with sql.reading() as connection:
        return int((await connection.execute(count)).scalar_one())


async def _plan(sql: Sql, statement: str, parameters: Any) -> list[str]:
    """How the database goes about it, in its own words."""
    explain = "EXPLAIN QUERY PLAN" if sql.dialect == "sqlite" else "EXPLAIN"
    async with sql.writing() as connection:
        if sql.dialect == "postgresql":
            await connection.exec_driver_sql("ANALYZE")
        rows = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
        return [str(row[-1]) for row in rows]
