"""The registry: over a SQLite file that two of it share, and over a store that does what the test says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kv_backends import postgres_config, redis_config
from memory_kv import MemoryKv
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime import registry as registry_module
from parts.runtime import registry_records
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, StackError, Unavailable
from parts.runtime.kv import Kv, KvBackend
from parts.runtime.registry import Registry, following

CTX = Context("r")
ALICE = Context("r", principal="alice", attributes={"teams": ("red",)})
BOB = Context("r", principal="bob")
HOSTILE = (
    "'; DROP TABLE stackgen_kv; --",
    'x" OR "1"="1',
    "{{7*7}}",
    "${env.HOME}",
    "%s%n",
    "a/b/c d",
    "..c",
    "__proto__",
    '{"$gt": ""}',
    "模型/😀",
    "*",
    "a" * 512,
)


def registry_over(kv: Kv, declared: Collection[str] = (), told: list[set[str]] | None = None) -> Registry:
    def changed(ids: Collection[str]) -> None:
        if told is not None:
            told.append(set(ids))

    return Registry(kv, noun="model", declared=declared, changed=changed)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], AbstractAsyncContextManager[KvBackend]]:
    """The same store, opened anew each time, as by another process."""
    match request.param:
        case "sqlite":
            config = KvSqliteConfig(db_path=str(tmp_path / "kv.db"))
            return lambda: open_kv_sqlite(config, instance="kv")
        case "redis":
            redis = redis_config(request.getfixturevalue("valkey"))
            return lambda: open_kv_redis(redis, instance="kv")
    postgres = postgres_config(request.getfixturevalue("postgres").database())
    return lambda: open_kv_postgres(postgres, instance="kv")


@pytest.fixture
async def two(opens: Callable[[], AbstractAsyncContextManager[KvBackend]]) -> AsyncIterator[tuple[Kv, Kv]]:
    """One namespace, as two processes have it: each with connections of its own."""
    name = f"registry_{uuid4().hex}"
    async with opens() as one, opens() as other:
        yield one.namespace(name), other.namespace(name)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def registered_once_back(registry: Registry, identity: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await registry.register(identity, {}, CTX)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_registered_is_there_at_once_and_after_a_restart(two: tuple[Kv, Kv]) -> None:
    first = registry_over(two[0])
    async with following(first):
        made = await first.register("a/x", {"provider_id": "a", "metadata": {"n": [1, None, "é"]}}, ALICE)
        assert first.entries == {"a/x": made}
    later = registry_over(two[1])
    async with following(later):
        assert later.entries == {"a/x": made}
    assert later.entries["a/x"].owner.principal == "alice"
    assert later.entries["a/x"].owner.attributes == '{"teams": ["red"]}'


async def test_another_process_sees_a_change(two: tuple[Kv, Kv]) -> None:
    assert registry_module.POLL_SECONDS <= 0.5, "a change is to be seen within a second"
    here, there = registry_over(two[0]), registry_over(two[1])
    async with following(here), following(there):
        await here.register("x", {"n": 1}, CTX)
        await until(lambda: "x" in there.entries)
        await there.unregister("x", CTX)
        await until(lambda: "x" not in here.entries)


async def test_of_many_who_register_one_id_at_once_one_wins(two: tuple[Kv, Kv]) -> None:
    sides = [registry_over(kv) for kv in two]
    tries = [sides[number % 2].register("x", {"n": number}, CTX) for number in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    won = [each for each in results if not isinstance(each, BaseException)]
    assert len(won) == 1
    assert all(isinstance(each, Conflict) for each in results if each is not won[0])
    assert await two[0].get("x") == registry_records.encoded(won[0])


async def test_an_id_is_text_and_nothing_else(two: tuple[Kv, Kv]) -> None:
    here, there = (registry_over(kv) for kv in two)
    for identity in HOSTILE:
        await here.register(identity, {"says": identity}, CTX)
    await there.refresh()
    assert {identity: entry.fields["says"] for identity, entry in there.entries.items()} == {i: i for i in HOSTILE}
    for number, identity in enumerate(HOSTILE, start=1):
        await there.unregister(identity, CTX)
        await here.refresh()
        assert set(here.entries) == set(HOSTILE[number:])


@pytest.mark.parametrize(
    "identity",
    [
        "",
        " x",
        "x ",
        "a\nb",
        "a\0b",
        "\ud800",
        "\u202ex",
        "a" * 513,
        "é" * 257,
        "/x",
        "x/",
        "a//b",
        "a/../b",
        ".",
        "..",
    ],
)
async def test_what_cannot_be_an_id_is_refused(identity: str) -> None:
    kv = MemoryKv()
    with pytest.raises(BadRequest, match="model_id") as caught:
        await registry_over(kv).register(identity, {}, CTX)
    assert caught.value.param == "model_id"
    assert (kv.asked, len(caught.value.message) < 400) == (0, True)


# ── the same again, and otherwise ───────────────────────────────────────────────────────────────────────────────────


async def test_the_same_again_changes_nothing() -> None:
    kv = MemoryKv()
    registry = registry_over(kv)
    first = await registry.register("x", {"n": 1, "m": {"b": 1, "a": 2}}, CTX)
    written = dict(kv.values)
    assert await registry.register("x", {"m": {"a": 2, "b": 1}, "n": 1}, CTX) == first
    assert kv.values == written


async def test_other_fields_are_a_conflict_that_says_which() -> None:
    registry = registry_over(MemoryKv())
    await registry.register("x", {"n": 1, "m": "é", "same": 1}, CTX)
    with pytest.raises(Conflict, match=r"n is 1 and not true; m is .* and not null\. Unregister") as caught:
        await registry.register("x", {"n": True, "same": 1}, CTX, said=["n", "m", "same"])
    assert (caught.value.code, caught.value.param) == ("model_exists", "n")


async def test_fields_that_the_request_did_not_name_are_not_compared() -> None:
    registry = registry_over(MemoryKv())
    first = await registry.register("x", {"n": 1, "m": "old"}, CTX)
    assert await registry.register("x", {"n": 1, "m": "default"}, CTX, said=["n"]) == first


async def test_what_was_unregistered_elsewhere_a_moment_ago_is_registered_anew() -> None:
    """Memory may be half a second old, and a 200 must mean that it is kept."""
    kv = MemoryKv()
    here, there = registry_over(kv), registry_over(kv)
    await here.register("x", {"n": 1}, CTX)
    await there.unregister("x", CTX)
    await here.register("x", {"n": 1}, CTX)
    assert "x" in kv.values


async def test_who_is_not_registered_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        await registry_over(MemoryKv()).unregister("x" * 10_000, CTX)
    assert (caught.value.code, len(caught.value.message) < 400) == ("model_not_found", True)


@pytest.mark.parametrize("identity", ["a\0b", "x" * 600, ""])
async def test_what_no_store_takes_as_a_key_is_not_registered(identity: str, tmp_path: Path) -> None:
    async with open_kv_sqlite(KvSqliteConfig(db_path=str(tmp_path / "kv.db")), instance="kv") as backend:
        with pytest.raises(NotFound) as caught:
            await registry_over(backend.namespace("models")).unregister(identity, CTX)
    assert caught.value.code == "model_not_found"


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_somebody_else_owns_is_not_there_and_its_id_is_taken() -> None:
    registry = registry_over(MemoryKv())
    await registry.register("x", {"n": "secret"}, ALICE)
    with pytest.raises(NotFound):
        await registry.unregister("x", BOB)
    for fields in ({"n": "secret"}, {"n": 2}):
        with pytest.raises(Conflict, match="by somebody else") as caught:
            await registry.register("x", fields, BOB)
        assert "secret" not in caught.value.message
    await registry.unregister("x", ALICE)
    assert not registry.entries


async def test_what_nobody_owns_is_everybodys() -> None:
    registry = registry_over(MemoryKv())
    await registry.register("x", {}, CTX)
    await registry.unregister("x", BOB)


# ── the distribution ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_the_distribution_declares_is_not_a_clients_to_change() -> None:
    kv = MemoryKv()
    registry = registry_over(kv, declared=["fast"])
    for change in (registry.register("fast", {}, CTX), registry.unregister("fast", CTX)):
        with pytest.raises(Conflict, match="'fast' is declared by the distribution") as caught:
            await change
        assert caught.value.code == "model_declared"
    assert not kv.values


async def test_a_distribution_that_declares_a_registered_id_has_it_until_it_lets_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kv = MemoryKv()
    await registry_over(kv).register("fast", {"n": 1}, CTX)
    await registry_over(kv).register("slow", {"n": 2}, CTX)
    declaring = registry_over(kv, declared=["fast"])
    async with following(declaring):
        assert set(declaring.entries) == {"slow"}
    assert "as the distribution declares them: models 'fast'" in caplog.text
    after = registry_over(kv)
    async with following(after):
        assert after.entries["fast"].fields == {"n": 1}


async def test_replicas_with_an_old_and_a_new_file_leave_each_other_alone(two: tuple[Kv, Kv], soon: None) -> None:
    old, new = registry_over(two[0], declared=["fast"]), registry_over(two[1], declared=["quick"])
    async with following(old), following(new):
        await new.register("fast", {"n": 1}, CTX)
        await old.register("mark", {}, CTX)
        await until(lambda: "mark" in new.entries)
        await old.refresh()
        assert (set(old.entries), set(new.entries)) == ({"mark"}, {"fast", "mark"})


# ── a store that has gone ───────────────────────────────────────────────────────────────────────────────────────────


async def test_while_the_store_is_gone_reads_go_on_and_registering_is_refused(soon: None) -> None:
    kv = MemoryKv()
    registry = registry_over(kv)
    async with following(registry):
        await registry.register("x", {"n": 1}, CTX)
        kv.down = True
        for change in (registry.register("y", {}, CTX), registry.unregister("x", CTX)):
            with pytest.raises(Unavailable) as caught:
                await change
            assert (caught.value.status, caught.value.code) == (503, "storage_unavailable")
        registry.check_loaded()
        assert set(registry.entries) == {"x"}
        kv.down = False
        await registry.register("y", {}, CTX)


@pytest.mark.parametrize("opens", ["redis", "postgres"], indirect=True)
async def test_a_database_that_is_started_again_is_followed_again(
    two: tuple[Kv, Kv], soon: None, request: pytest.FixtureRequest, opens: object
) -> None:
    server = request.getfixturevalue("valkey" if "redis" in request.node.callspec.id else "postgres")
    here, there = (registry_over(kv) for kv in two)
    async with following(here), following(there):
        await here.register("x", {}, CTX)
        server.stop()
        try:
            with pytest.raises(Unavailable):
                await here.register("y", {}, CTX)
            assert set(here.entries) == {"x"}
        finally:
            server.start()
        await registered_once_back(here, "z")
        await until(lambda: set(there.entries) >= {"x", "z"})


async def test_a_store_that_is_late_is_waited_for_in_the_background(
    soon: None, caplog: pytest.LogCaptureFixture
) -> None:
    kv = MemoryKv()
    await registry_over(kv).register("x", {}, CTX)
    kv.down = True
    registry = registry_over(kv)
    async with following(registry):
        assert "not known yet: the store has gone" in caplog.text
        with pytest.raises(Unavailable, match="has not been reached"):
            registry.check_loaded()
        kv.down = False
        await until(lambda: "x" in registry.entries)
        registry.check_loaded()


async def test_what_a_newer_server_wrote_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    kv = MemoryKv()
    await registry_over(kv).register("good", {}, CTX)
    foreign = {
        "new": b'{"format": 2}',
        "broken": b"\xff{",
        "list": b"[]",
        "owner": b'{"format":1,"fields":{},"owner":7}',
    }
    kv.values |= foreign
    registry = registry_over(kv)
    async with following(registry):
        assert set(registry.entries) == {"good"}
        for identity in foreign:
            with pytest.raises(Conflict, match="newer server"):
                await registry.register(identity, {}, CTX)
            with pytest.raises(NotFound):
                await registry.unregister(identity, CTX)
    assert "the store holds model 'new' in a form that this server does not know" in caplog.text
    assert foreign.items() <= kv.values.items()


async def test_a_fault_of_the_store_does_not_end_the_watching(soon: None, caplog: pytest.LogCaptureFixture) -> None:
    class Flawed(MemoryKv):
        faults = 2

        async def scan(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
            if self.values and self.faults:
                self.faults -= 1
                raise ZeroDivisionError
            return await super().scan(prefix, after=after, limit=limit)

    kv = Flawed()
    registry = registry_over(kv)
    async with following(registry):
        await registry_over(kv).register("x", {}, CTX)
        await until(lambda: "x" in registry.entries)
    assert "reading the registered models failed" in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR


# ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_written_while_the_store_is_read_is_neither_lost_nor_raised_again() -> None:
    kv = MemoryKv()
    registry = registry_over(kv)
    await registry.register("gone", {}, CTX)
    kv.open.clear()
    reading = asyncio.create_task(registry.refresh())
    for _ in range(5):
        await asyncio.sleep(0)
    # The page has been read, and is on its way.
    await registry.register("new", {}, CTX)
    await registry.unregister("gone", CTX)
    kv.open.set()
    await reading
    assert set(registry.entries) == {"new"}


async def test_one_change_among_thousands_is_told_as_one() -> None:
    kv = MemoryKv()
    told: list[set[str]] = []
    writer, reader = registry_over(kv), registry_over(kv, told=told)
    for number in range(2500):
        await writer.register(f"m{number}", {}, CTX)
    await reader.refresh()
    before = reader.entries["m7"]
    await writer.register("late", {}, CTX)
    await writer.unregister("m9", CTX)
    await reader.refresh()
    await reader.refresh()
    assert [len(ids) for ids in told] == [2500, 2]
    assert told[1] == {"late", "m9"}
    assert reader.entries["m7"] is before


async def test_an_unchanged_store_is_asked_for_its_number_only(soon: None) -> None:
    kv = MemoryKv()
    registry = registry_over(kv)
    async with following(registry):
        await registry.register("x", {}, CTX)
        await asyncio.sleep(0.05)
        kv.open.clear()  # a scan would not come back
        asked = kv.asked
        await until(lambda: kv.asked > asked + 3)


IDS = st.sampled_from(["a", "b", "c/d"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.integers(0, 1), IDS, st.integers(0, 2), st.sampled_from([CTX, ALICE, BOB])),
        st.tuples(st.just("unregister"), st.integers(0, 1), IDS, st.just(0), st.sampled_from([CTX, ALICE, BOB])),
        st.tuples(st.just("refresh"), st.integers(0, 1), st.just("a"), st.just(0), st.just(CTX)),
    ),
    max_size=25,
)


@given(steps=STEPS)
def test_whatever_is_done_in_whatever_order_answers_and_memory_follow_one_table(
    steps: list[tuple[str, int, str, int, Context]],
) -> None:
    async def run() -> None:
        kv = MemoryKv()
        sides = [registry_over(kv), registry_over(kv, declared=["b"])]
        table: dict[str, tuple[int, str | None]] = {}
        for word, side, identity, value, ctx in steps:
            registry = sides[side]
            wanted = _expected(table, word, side, identity, value, ctx)
            answer: type[StackError] | None = None
            try:
                match word:
                    case "register":
                        await registry.register(identity, {"n": value}, ctx)
                    case "unregister":
                        await registry.unregister(identity, ctx)
                    case _:
                        await registry.refresh()
            except StackError as error:
                answer = type(error)
            assert answer is wanted
        for side, registry in enumerate(sides):
            await registry.refresh()
            known = {key: (entry.fields["n"], entry.owner.principal) for key, entry in registry.entries.items()}
            assert known == {key: kept for key, kept in table.items() if (side, key) != (1, "b")}

    asyncio.run(run())


def _expected(
    table: dict[str, tuple[int, str | None]], word: str, side: int, identity: str, value: int, ctx: Context
) -> type[StackError] | None:
    """What a step has to answer, once `table` has followed it."""
    if word == "refresh":
        return None
    if (side, identity) == (1, "b"):
        return Conflict
    kept = table.get(identity)
    visible = kept is not None and (ctx.principal is None or kept[1] in (None, ctx.principal))
    if word == "register":
        if kept is None:
            table[identity] = (value, ctx.principal)
            return None
        return None if visible and kept[0] == value else Conflict
    if not visible:
        return NotFound
    del table[identity]
    return None
