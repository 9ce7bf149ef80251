"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parts.contracts.agents import Agents
from parts.contracts.agents.responses import AgentTurn
from parts.providers.agents import asking, carrying, messages, service, store, toolbox, turning
from parts.providers.agents.folding import Folder
from parts.providers.agents.meta_reference import open_meta_reference
from parts.providers.agents.toolbox import Tool, Toolbox
from parts.providers.agents.turning import Turning
from parts.runtime.errors import BadRequest, StackError, UpstreamError
from parts.testing.agents import AgentsSuite, FakeServer
from sql_backends import sqlite_at
from sqlalchemy import true
from sqlalchemy.exc import IntegrityError

Patch = Callable[[pytest.MonkeyPatch], None]


def patched(module: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(module, name, value)


def around(module: object, name: str, change: Callable[..., Any]) -> Patch:
    """The function's place is taken by `change`, which gets it before its arguments."""
    sound = getattr(module, name)
    return patched(module, name, lambda *args, **more: change(sound, *args, **more))


def without(*keys: str) -> Patch:
    """The model is asked without these."""

    def less(sound: Callable[..., dict[str, object]], params: object) -> dict[str, object]:
        return {key: value for key, value in sound(params).items() if key not in keys}

    return around(asking, "_sampling", less)


def told_twice(sound: Callable[..., Any], instructions: str, turns: Sequence[AgentTurn]) -> Any:
    return [*sound(instructions, turns), *sound("", turns[-1:])]


async def removes_agent_alone(connection: Any, agent_id: str, ctx: Any) -> None:
    await store.find_agent(connection, agent_id, ctx)
    await connection.execute(store.AGENTS.delete().where(store.AGENTS.c.id == agent_id))


async def lists_backwards(sound: Callable[..., Any], *args: Any) -> Any:
    return (await sound(*args))[::-1]


async def tells_of_all(
    sound: Callable[..., Any], connection: Any, session: str, *, ids: Any = None, before: Any = None
) -> Any:
    return await sound(connection, session, before=before)


async def always_writes(connection: Any, turn: str, revision: int, state: Any, body: str) -> bool:
    await connection.execute(store.TURNS.update().where(store.TURNS.c.id == turn).values(state=state, body=body))
    return True


async def a_turn_fails(self: Toolbox, call: Any, ctx: Any) -> Any:
    raise UpstreamError("a tool failed")


async def lists_too_much(sound: Callable[..., Any], wanted: Any, runtime: Any, ctx: Any) -> list[Tool]:
    group = wanted.name.partition("/")[0]
    return [replace(each, args=wanted.args) for each in await sound(type(wanted)(name=group, args={}), runtime, ctx)]


async def lists_without_args(sound: Callable[..., Any], wanted: Any, runtime: Any, ctx: Any) -> list[Tool]:
    return [replace(each, args={}) for each in await sound(wanted, runtime, ctx)]


async def first_of_two(agent: Any, more: Any, runtime: Any, ctx: Any) -> Toolbox:
    found = [Tool(each) for each in agent.client_tools or ()]
    for wanted in toolbox._once([*(agent.toolgroups or ()), *more]):
        found += await toolbox._listed(wanted, runtime, ctx)
    return Toolbox({each.definition.name: each for each in reversed(found)}, runtime)


async def passes(*_: object) -> None:
    return None


async def passes_unless_asked_first(sound: Callable[..., Any], safety: Any, shields: Any, said: Any, ctx: Any) -> Any:
    return await sound(safety, shields, said[:1], ctx) if len(said) == 1 else None


async def passes_what_fails(sound: Callable[..., Any], *args: Any) -> Any:
    try:
        return await sound(*args)
    except StackError:
        return None


def shown_without_context(sound: Callable[..., Any], said: Any) -> Any:
    return sound([type(each).model_validate({**each.model_dump(), "context": None}) for each in said])


def forgets_deltas(self: Folder, piece: object) -> Any:
    sound_add(self, piece)
    return []


def all_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Folder, "take", lambda self, chunk: sound_take(self, chunk) and [])


async def ends_well(self: carrying.NewTurn) -> None:
    """A turn that broke off is kept as one that is complete."""
    self.turn.completed_at = self.turn.started_at
    if self.there:
        await self.end("complete")


sound_add, sound_take = Folder._add, Folder.take

FLAWS: Mapping[str, Patch] = {
    "an_agent_is_as_it_was_made": patched(service, "checked", lambda agent: agent.model_copy(update={"name": "Bob"})),
    "names_are_texts": around(service, "to_json", lambda sound, text: sound(text.replace("\x00", ""))),
    "pages_of_agents_and_sessions": around(store, "list_sessions", lists_backwards),
    "a_session_has_its_turns": around(store, "list_turns", tells_of_all),
    "removing_takes_along_what_belongs_to_it": patched(store, "remove_agent", removes_agent_alone),
    "ids_of_nothing": patched(store, "no_turn", lambda turn: BadRequest("no")),
    "one_user_asking_for_anothers": patched(store, "seen_by", lambda column, ctx: true()),
    "a_turn_whole": patched(turning, "account", lambda ctx, used: None),
    "a_turn_as_events": all_at_once,
    "the_model_is_told_what_was_said_before": around(turning, "chat_of", told_twice),
    "how_the_model_is_asked": without("top_k"),
    "documents_are_read_with_the_message": patched(service, "with_documents", lambda said, documents: list(said)),
    "a_model_that_is_not_there": patched(carrying.NewTurn, "fail", carrying.NewTurn.begin),
    "a_turn_that_breaks_off": patched(carrying.NewTurn, "fail", ends_well),
    "a_client_that_leaves": patched(carrying.NewTurn, "fail", ends_well),
    "an_answer_that_is_cut_off": patched(Folder, "finish", lambda self: ([], service.not_yet())),
    "what_no_model_can_be_asked": patched(service, "checked", lambda agent: agent),
    "a_tool_of_the_server": patched(toolbox.Toolbox, "shown", lambda self: []),
    "a_call_as_it_is_written": patched(Folder, "_add", forgets_deltas),
    "tools_that_fail_are_told_to_the_model": patched(Toolbox, "run", a_turn_fails),
    "arguments_of_a_tool_group_stand_over_the_models": around(toolbox, "_listed", lists_without_args),
    "tools_of_one_turn": around(toolbox, "_listed", lists_too_much),
    "whether_tools_are_called": around(turning, "request_body", lambda sound, *args, first: sound(*args, first=True)),
    "the_model_is_not_called_for_ever": patched(turning, "without_calls", lambda message: message),
    "two_tools_of_one_name_and_groups_that_are_not": patched(service, "gathered", first_of_two),
    "a_tool_of_the_client": patched(Toolbox, "of_client", lambda self, call: False),
    "answers_that_do_not_fit": patched(service, "_fit", lambda row, turn, answers: None),
    "resuming_fails_and_is_done_again": patched(carrying.Resumed, "fail", lambda self: self.end("failed")),
    "two_who_resume_at_once": patched(store, "set_turn", always_writes),
    "what_is_looked_up_is_told": patched(Toolbox, "stores_of", lambda self, call: None),
    "definitions_within_the_instructions": patched(
        turning, "instructions_of", lambda agent, use, tools: agent.instructions
    ),
    "a_client_that_never_answers": patched(messages, "_settled", list),
    "what_is_said_does_not_pass": patched(turning, "judged", passes),
    "documents_and_answers_of_tools_are_judged_too": around(turning, "shown", shown_without_context),
    "an_answer_does_not_pass": around(turning, "judged", passes_unless_asked_first),
    "what_passes": patched(
        Turning, "_judge", lambda self, shields, where, said: self._infer() if where == "user-input" else nothing()
    ),
    "a_shield_that_is_not_there_lets_nothing_pass": around(turning, "judged", passes_what_fails),
}


async def nothing() -> AsyncIterator[object]:
    for each in ():
        yield each


class Flawed(AgentsSuite):
    seconds = 10.0

    def __init__(self, path: Path) -> None:
        self.path = path

    @asynccontextmanager
    async def opens_over(self, server: FakeServer) -> AsyncIterator[Agents]:
        async with (
            sqlite_at(self.path) as sql,
            open_meta_reference(
                store=sql, inference=server.model, safety=server.guard, tool_runtime=server.tools
            ) as provider,
        ):
            yield provider


def test_every_claim_has_a_flaw() -> None:
    assert {name for name in dir(AgentsSuite) if name.startswith("test_")} == {f"test_{name}" for name in FLAWS}


# A test that fails in the middle of its calls leaves the others unawaited.
@pytest.mark.filterwarnings("ignore:coroutine", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("claim", FLAWS)
def test_a_flaw_is_found(claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FLAWS[claim](monkeypatch)
    with pytest.raises((AssertionError, StackError, IntegrityError)):
        getattr(Flawed(tmp_path / "sql.db"), f"test_{claim}")()
