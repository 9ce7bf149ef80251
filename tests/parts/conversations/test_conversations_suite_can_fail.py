"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parts.contracts.conversations import Conversations
from parts.providers.conversations import builtin, items, store
from parts.providers.conversations.items import Item
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, NotFound, StackError
from parts.runtime.ids import new_id
from parts.testing.conversations import ConversationsSuite
from sql_backends import sqlite_at
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.exc import IntegrityError

Patch = Callable[[pytest.MonkeyPatch], None]


def patched(module: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(module, name, value)


def kept_as(change: Callable[[Item], Item]) -> Patch:
    """An item is kept otherwise than it was said."""
    sound = items.kept
    return patched(builtin, "kept", lambda item, place: change(sound(item, place)))


def without(*keys: str) -> Patch:
    return kept_as(lambda item: {key: value for key, value in item.items() if key not in keys})


def all_input(item: Item) -> Item:
    parts = item.get("content", ())
    return {**item, **({"content": [{**part, "type": "input_text"} for part in parts]} if parts else {})}


def any_shown(item: Item, include: Collection[str]) -> Item:
    return item


def paged(change: Callable[[store.Page], store.Page]) -> Patch:
    async def page(*args: Any, **query: Any) -> store.Page:
        found = await sound(*args, **query)
        return change(found) if query["after"] is not None else found

    sound = store.page
    return patched(store, "page", page)


def backwards(patch: pytest.MonkeyPatch) -> None:
    async def page(*args: Any, order: str, **query: Any) -> store.Page:
        return await sound(*args, order="desc" if order == "asc" else "asc", **query)

    sound = store.page
    patch.setattr(store, "page", page)


def ten_at_most(patch: pytest.MonkeyPatch) -> None:
    async def page(*args: Any, limit: int, **query: Any) -> store.Page:
        return await sound(*args, limit=min(limit, 10), **query)

    sound = store.page
    patch.setattr(store, "page", page)


def after_anything(patch: pytest.MonkeyPatch) -> None:
    async def page(*args: Any, after: str | None, **query: Any) -> store.Page:
        try:
            return await sound(*args, after=after, **query)
        except NotFound:
            return await sound(*args, after=None, **query)

    sound = store.page
    patch.setattr(store, "page", page)
    patch.setattr(builtin, "is_id", lambda text: True)


async def forgets(connection: Any, conversation_id: str, ctx: Context, metadata: str) -> store.Row:
    return await store.find(connection, conversation_id, ctx)


async def remains(connection: Any, conversation_id: str, ctx: Context) -> None:
    await store.find(connection, conversation_id, ctx)


async def item_remains(connection: Any, conversation_id: str, item_id: str, ctx: Context) -> store.Row:
    return await store.find(connection, conversation_id, ctx)


async def takes_all_along(connection: Any, conversation_id: str, ctx: Context) -> None:
    await connection.execute(store.ITEMS.delete())
    await connection.execute(store.CONVERSATIONS.delete().where(store.CONVERSATIONS.c.id == conversation_id))


async def item_of_anybody(connection: Any, conversation_id: str, item_id: str, ctx: Context) -> store.KeptItem:
    row = (await connection.execute(select(store.ITEMS.c.id, store.ITEMS.c.body))).first()
    return store.KeptItem(*row)


async def first_of_anybody(connection: Any, ids: Any, ctx: Context) -> dict[str, store.KeptItem]:
    rows = await connection.execute(select(store.ITEMS.c.id, store.ITEMS.c.body).where(store.ITEMS.c.id.in_(ids)))
    found: dict[str, store.KeptItem] = {}
    for row in rows:
        found.setdefault(row.id, store.KeptItem(*row))
    return found


async def nothing_there(connection: Any, *_: Any) -> dict[str, store.KeptItem]:
    return {}


async def none_taken(connection: Any, *_: Any) -> set[str]:
    return set()


async def always_first(connection: Any, *_: Any) -> int:
    return 0


def refused_wrongly(conversation_id: str) -> BadRequest:
    return BadRequest("no")


def own_only(column: Any, ctx: Context) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.is_(None) if ctx.principal is None else column == ctx.principal
    return found


def everybody(column: Any, ctx: Context) -> ColumnElement[bool]:
    return true()


FLAWS: Mapping[str, Patch] = {
    "a_conversation_is_kept": patched(builtin, "checked", lambda metadata: {}),
    "a_conversation_needs_nothing": patched(builtin, "checked", lambda metadata: {"a": "b"}),
    "two_conversations_are_two": patched(store, "remove_conversation", takes_all_along),
    "metadata_is_replaced": patched(store, "set_metadata", forgets),
    "as_much_metadata_as_openai_takes_is_kept_and_no_more": patched(builtin, "checked", dict),
    "strange_metadata_is_text": patched(
        builtin, "checked", lambda pairs: {key: value.replace("\x00", "") for key, value in (pairs or {}).items()}
    ),
    "a_deleted_conversation_is_gone_with_its_items": patched(store, "remove_conversation", remains),
    "what_is_not_there_is_not_found": patched(store, "no_conversation", refused_wrongly),
    "an_item_of_every_type_is_kept_as_it_was_said": without("namespace"),
    "what_is_long_is_shown_to_those_who_ask": patched(builtin, "shown", any_shown),
    "a_text_becomes_a_part": kept_as(all_input),
    "strange_text_is_text": without("%"),
    "items_get_ids": patched(items, "new_id", lambda kind: new_id("x")),
    "an_id_that_comes_along_is_kept": kept_as(lambda item: {**item, "id": new_id("msg")}),
    "an_id_is_there_once": patched(store, "present", none_taken),
    "an_item_is_referred_to": patched(store, "find_anywhere", nothing_there),
    "an_item_is_removed": patched(store, "remove_item", item_remains),
    "an_item_is_of_its_conversation": patched(store, "find_item", item_of_anybody),
    "many_add_at_once": patched(store, "take_places", always_first),
    "items_come_in_their_order": backwards,
    "the_last_twenty_come_first": ten_at_most,
    "an_empty_page_is_a_page": paged(lambda page: replace(page, more=True)),
    "a_page_goes_on_where_items_were_added_and_removed": paged(lambda page: replace(page, items=page.items[1:])),
    "a_page_after_nothing_is_refused": after_anything,
    "one_user_asking_for_anothers_id": patched(store, "seen_by", everybody),
    "an_id_of_anothers_item_is_free": patched(store, "find_anywhere", first_of_anybody),
    "what_nobody_owns_is_everybodys": patched(store, "seen_by", own_only),
    "a_server_that_does_not_ask_who_calls_shows_all": patched(store, "seen_by", own_only),
}


class Flawed(ConversationsSuite):
    def __init__(self, path: Path) -> None:
        self.path = path

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Conversations]:
        async with sqlite_at(self.path) as sql, builtin.open_conversations(store=sql) as provider:
            yield provider


def test_every_claim_has_a_flaw() -> None:
    assert {name for name in dir(ConversationsSuite) if name.startswith("test_")} == {f"test_{name}" for name in FLAWS}


# A test that fails in the middle of its calls leaves the others unawaited.
@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("claim", FLAWS)
def test_a_flaw_is_found(claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FLAWS[claim](monkeypatch)
    with pytest.raises((AssertionError, StackError, IntegrityError)):
        getattr(Flawed(tmp_path / "sql.db"), f"test_{claim}")()
