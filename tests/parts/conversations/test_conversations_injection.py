"""SQL and template injection in every string field: a text is kept as that text, and nothing else happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kv_backends import postgres_config
from parts.contracts.conversations import Conversations
from parts.providers.conversations.builtin import open_conversations
from parts.providers.prompts.builtin import open_prompts
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.runtime.errors import StackError
from parts.testing.conversations.asking import EVERYTHING, STRANGE, Asking, caller, said
from parts.testing.conversations.items import holds
from parts.testing.conversations.samples import SAMPLES
from parts.testing.prompts.asking import Asking as AskingPrompts
from parts.testing.suite import refused
from real_servers import Database, Postgres
from sql_backends import postgres_at, sqlite_at

FIXED = frozenset(
    {"type", "role", "status", "phase", "detail", "execution", "button", "environment", "ranker", "size", "syntax"}
    | {"search_context_size", "memory_limit", "require_approval", "country", "skill_id", "id"}
)
"""Members that are no free text."""

HOSTILE = (
    *STRANGE,
    "'); DELETE FROM stackgen_conversations; --",
    "1 UNION SELECT owner FROM stackgen_conversations",
    "$1",
    "%(id)s",
    ":conversation_id",
    "E'\\\\'",
    "\\u0000",
    '{"$ne": null}',
    "{{ owner }}",
    "{% for c in ''.__class__.__mro__ %}",
)
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def planted(value: Any, text: str, key: str = "") -> Any:
    """The same with `text` in every member that is free text."""
    if isinstance(value, dict):
        return {name: planted(each, text, name) for name, each in value.items()}
    if isinstance(value, list):
        return [planted(each, text, key) for each in value]
    return text if isinstance(value, str) and key not in FIXED else value


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


@pytest.fixture(params=["sqlite", "postgres"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Conversations]:
        backend = (
            sqlite_at(tmp_path / "sql.db")
            if request.param == "sqlite"
            else postgres_at(request.getfixturevalue("database"))
        )
        async with backend as store, open_conversations(store=store) as provider:
            yield provider

    return opened


def test_every_item_has_free_text_to_plant_in() -> None:
    untouched = [sample["type"] for sample in SAMPLES if planted(sample, "x") == sample]
    assert untouched == []


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, other=TEXTS)
async def test_in_items_and_metadata(opens: Any, text: str, other: str) -> None:
    async with opens() as provider:
        ask = Asking(provider)
        bystander = await ask.create([said("untouched")], {"a": "b"})
        conversation = await ask.create(metadata={text: other})
        wanted = [{**planted(sample, text), text: other} for sample in SAMPLES]
        for start in range(0, len(wanted), 20):
            await ask.add(conversation, wanted[start : start + 20], EVERYTHING)
        found = await ask.all(conversation, order="asc", limit=100, include=list(EVERYTHING))
        for item, sample in zip(found, wanted, strict=True):
            holds(item, sample)
        assert (await ask.update(conversation, {other: text})).metadata == {other: text}
        assert (await ask.retrieve(bystander)).metadata == {"a": "b"}
        assert len(await ask.all(bystander)) == 1


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, who=TEXTS)
async def test_in_ids_and_principals(opens: Any, text: str, who: str) -> None:
    async with opens() as provider:
        # A database's text cannot hold NUL, and no way of saying who one is can either.
        owner = caller(who.replace("\x00", ""))
        ask = Asking(provider, owner)
        conversation = await ask.create([said("mine")])
        for call in (
            ask.retrieve(text),
            ask.delete(text),
            ask.page(text),
            ask.page(conversation, after=text),
            ask.item(conversation, text),
            ask.delete_item(conversation, text),
            ask.add(conversation, [{"type": "item_reference", "id": text}]),
            Asking(provider, caller(f"not {who}".replace("\x00", ""))).retrieve(conversation),
        ):
            assert (await refused(call)).status in (400, 404)
        assert len(await ask.all(conversation)) == 1


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, who=TEXTS)
async def test_in_prompts(database: Database, text: str, who: str) -> None:
    async with (
        open_kv_postgres(postgres_config(database), instance="kv_default") as store,
        open_prompts(store=store) as provider,
    ):
        ask = AskingPrompts(provider, caller(who))
        names = ["owner"] if "{{ owner }}" in text else []
        made = await ask.create(text, names)
        assert await ask.retrieve(made.prompt_id) == made
        assert made.prompt == text
        assert (await ask.update(made.prompt_id, 1, text + text, names)).prompt == text + text
        for prompt_id in (text, made.prompt_id + text):
            with pytest.raises(StackError, match="there is no prompt"):
                await ask.retrieve(prompt_id)
        await ask.delete(made.prompt_id)
