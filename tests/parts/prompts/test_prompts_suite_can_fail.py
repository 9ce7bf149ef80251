"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from parts.contracts.prompts import Prompts
from parts.contracts.prompts.requests import RetrievePromptRequest
from parts.contracts.prompts.responses import Prompt
from parts.providers.prompts import builtin
from parts.providers.prompts.builtin import BuiltinPrompts
from parts.providers.prompts.document import Document, Version
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError
from parts.runtime.owner import Owner
from parts.testing.prompts import PromptsSuite

Patch = Callable[[pytest.MonkeyPatch], None]


def patched(where: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(where, name, value)


def declares(change: Callable[[str, list[str]], list[str]]) -> Patch:
    return patched(builtin, "declared", lambda text, variables: change(text, variables or []))


def shows_the_latest(patch: pytest.MonkeyPatch) -> None:
    sound = Document.shown
    patch.setattr(Document, "shown", lambda self, number=None: sound(self, number or self.latest))


def follows(is_default: bool) -> Patch:
    sound = Document.followed
    return patched(Document, "followed", lambda self, version, **_: sound(self, version, is_default=is_default))


async def nothing_happens(self: BuiltinPrompts, request: Any, ctx: Context) -> None:
    pass


async def is_only_shown(self: BuiltinPrompts, request: Any, ctx: Context) -> Prompt:
    return await self.retrieve_prompt(RetrievePromptRequest(prompt_id=request.prompt_id), ctx)


async def blindly(self: Any, prompt_id: str, ctx: Context, change: Callable[[Document], Document]) -> Document:
    document, _ = await self._found(prompt_id, ctx)
    changed = change(document)
    await self._kv.put(prompt_id, changed.dumped())
    return changed


FLAWS: Mapping[str, Patch] = {
    "a_prompt_is_kept": declares(lambda text, names: names[::-1]),
    "strange_text_is_text": patched(
        builtin, "Version", lambda text, variables: Version(text.replace("\x00", ""), variables)
    ),
    "prompts_are_listed_in_their_default_versions": shows_the_latest,
    "a_deleted_prompt_is_gone": patched(BuiltinPrompts, "delete_prompt", nothing_happens),
    "what_is_not_there_is_not_found": patched(builtin, "NotFound", BadRequest),
    "an_update_is_the_next_version": follows(is_default=False),
    "an_update_need_not_become_the_default": follows(is_default=True),
    "the_older_verbs_do_the_same": patched(BuiltinPrompts, "post_prompt", is_only_shown),
    "an_update_quotes_the_latest_version": patched(builtin, "Conflict", BadRequest),
    "of_many_updates_at_once_one_is_made": patched(BuiltinPrompts, "_changed", blindly),
    "a_default_set_meanwhile_is_in_no_updates_way": patched(builtin, "_TRIES", 1),
    "a_version_that_is_not_there_is_not_found": patched(Document, "_check", lambda self, number: None),
    "a_prompt_with_an_undeclared_variable": declares(lambda text, names: names),
    "a_variable_may_stand_twice_or_nowhere": declares(lambda text, names: names),
    "a_name_is_a_name": declares(lambda text, names: names),
    "one_user_asking_for_anothers_id": patched(Owner, "seen_by", lambda self, ctx: True),
    "what_nobody_owns_is_everybodys": patched(Owner, "seen_by", lambda self, ctx: self.principal == ctx.principal),
}


class Flawed(PromptsSuite):
    def __init__(self, path: Path) -> None:
        self.path = path

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Prompts]:
        async with (
            open_kv_sqlite(KvSqliteConfig(db_path=str(self.path)), instance="kv_default") as kv,
            builtin.open_prompts(store=kv) as provider,
        ):
            yield provider


def test_every_claim_has_a_flaw() -> None:
    assert {name for name in dir(PromptsSuite) if name.startswith("test_")} == {f"test_{name}" for name in FLAWS}


# A test that fails in the middle of its calls leaves the others unawaited.
@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("claim", FLAWS)
def test_a_flaw_is_found(claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FLAWS[claim](monkeypatch)
    with pytest.raises((AssertionError, StackError, IndexError)):
        getattr(Flawed(tmp_path / "kv.db"), f"test_{claim}")()
