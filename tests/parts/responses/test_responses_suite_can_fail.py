"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from parts.contracts.responses import Responses
from parts.providers.responses import draft, folding, history, messages, service, store, table, work
from parts.providers.responses.speaking import Speech
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError
from parts.testing.responses import ResponsesSuite
from response_provider import responses
from scripted import Model
from sql_backends import sqlite_at
from sqlalchemy import ColumnElement, true
from test_response_suites import obedient

Patch = Callable[[pytest.MonkeyPatch], None]
Item = dict[str, Any]


def patched(module: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(module, name, value)


def begins_with(**fields: object) -> Patch:
    """A response says something else of itself."""
    sound = draft.begun
    return patched(draft, "begun", lambda asked: {**sound(asked), **fields})


def asked_otherwise(change: Callable[[Any], None]) -> Patch:
    """A request is read as another."""

    def looked_through(request: Any) -> Any:
        change(request)
        return sound(request)

    sound = service.looked_through
    return patched(service, "looked_through", looked_through)


def kept_anyway(request: Any) -> None:
    request.store = None


def neither(request: Any) -> None:
    request.conversation = request.previous_response_id = None


def something(request: Any) -> None:
    request.input = request.input or "Hello?"


def without_the_first(patch: pytest.MonkeyPatch) -> None:
    async def own(said: list[Item], *args: Any) -> Any:
        return await sound(said[1:] if len(said) > 1 else said, *args)

    sound = history._own
    patch.setattr(history, "_own", own)


def in_one_piece(self: Speech, piece: str, logprobs: Any = None) -> None:
    self._pieces.append(piece)


def a_call_that_is_text(self: folding.Folding, piece: Any, number: int) -> None:
    self.take({"choices": [{"delta": {"content": "weather()"}}]})


def answers_anything(self: messages.Messages, call_id: str, answer: Item) -> None:
    self.done.append(answer)


async def remains(*_: Any) -> bool:
    return True


def refused_wrongly(response_id: str, param: str) -> StackError:
    return BadRequest("no")


async def one_at_most(*args: Any, limit: int, **query: Any) -> Any:
    return await _PAGE(*args, limit=min(limit, 2), **query)


_PAGE = table.page


def everybody(column: Any, ctx: Context) -> ColumnElement[bool]:
    return true()


def other_words(patch: pytest.MonkeyPatch) -> None:
    async def keep(self: store.ResponseStore, response: Item, items: Any, ctx: Context) -> None:
        await sound(self, {**response, "metadata": {"a": "b"}}, items, ctx)

    sound = store.ResponseStore.keep
    patch.setattr(store.ResponseStore, "keep", keep)


def tells_first(patch: pytest.MonkeyPatch) -> None:
    async def events(self: work.Work) -> Any:
        yield b'event: a\ndata: {"type":"response.created"}\n\n'
        async for block in sound(self):
            yield block

    sound = work.Work.events
    patch.setattr(work.Work, "events", events)


FLAWS: Mapping[str, Patch] = {
    "a_text_is_answered": begins_with(metadata={}),
    "what_was_asked_is_repeated": begins_with(instructions=None),
    "items_are_answered": without_the_first,
    "a_function_is_called_by_the_application": patched(folding.Folding, "_take_call", a_call_that_is_text),
    "an_output_of_no_call_is_refused": patched(messages.Messages, "_place_answer", answers_anything),
    "a_response_before_and_a_conversation_are_not_both": asked_otherwise(neither),
    "nothing_to_answer_is_refused": asked_otherwise(something),
    "a_text_comes_in_pieces": patched(Speech, "take", in_one_piece),
    "a_call_comes_in_pieces": patched(folding.Folding, "_take_call", a_call_that_is_text),
    "what_a_stream_has_said_is_kept": other_words,
    "what_cannot_be_asked_is_refused_before_the_first_event": tells_first,
    "a_response_is_kept_unless_told_otherwise": asked_otherwise(kept_anyway),
    "what_was_deleted_is_gone": patched(table, "remove", remains),
    "ids_that_there_are_not": patched(store, "no_response", refused_wrongly),
    "what_a_response_answers": patched(service, "_place", lambda places, item_id, param: 0),
    "pages_of_responses": patched(table, "page", one_at_most),
    "a_response_is_its_callers": patched(table, "seen_by", everybody),
}


class Flawed(ResponsesSuite):
    def __init__(self, path: Path) -> None:
        self.path = path

    def opens(self) -> AbstractAsyncContextManager[Responses]:
        return responses(sqlite_at(self.path), Model(answers=obedient))


def test_every_claim_has_a_flaw() -> None:
    assert {name for name in dir(ResponsesSuite) if name.startswith("test_")} == {f"test_{name}" for name in FLAWS}


# A test that fails in the middle of its calls leaves the others unawaited.
@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("claim", FLAWS)
def test_a_flaw_is_found(claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FLAWS[claim](monkeypatch)
    with pytest.raises((AssertionError, StackError, ValueError)):
        getattr(Flawed(tmp_path / "sql.db"), f"test_{claim}")()
