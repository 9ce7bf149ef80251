"""What the group writer promises: rows written once and together, alone where one is bad, not lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.runtime.errors import Conflict, Unavailable
from parts.runtime.group_writer import Bounds, GroupWriter, group_writer

QUICK = Bounds(gather_seconds=0.0, pause_seconds=0.001, patience=30.0)
BAD = "bad"


class Store:
    """All of a list or none of it, as a transaction has it. away: how many of the next writes find nobody there."""

    def __init__(self, *, away: int = 0) -> None:
        self.rows: list[str] = []
        self.groups: list[list[str]] = []
        self.away = away
        self.open = asyncio.Event()
        self.open.set()

    async def write(self, rows: Sequence[str]) -> None:
        await self.open.wait()
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise Unavailable("the store is away", code="storage_unavailable", retry_after=5.0)
        if any(row.startswith(BAD) for row in rows):
            raise Conflict("a bad row")
        self.rows += rows
        self.groups.append(list(rows))


async def settled(writer: GroupWriter[str], kept: Sequence[str]) -> list[BaseException | None]:
    return list(await asyncio.gather(*(writer.keep(row) for row in kept), return_exceptions=True))


async def test_what_waits_together_is_written_together() -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        store.open.clear()
        first = asyncio.create_task(writer.keep("first"))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(writer.keep(f"{number}")) for number in range(50)]
        await asyncio.sleep(0.01)
        assert store.rows == []
        assert not first.done(), "what is not written is not acknowledged"
        store.open.set()
        await asyncio.gather(first, *others)
    assert [len(group) for group in store.groups] == [1, 50]


async def test_a_transaction_is_bounded() -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=Bounds(batch=8)) as writer:
        await settled(writer, [str(number) for number in range(30)])
    assert max(len(group) for group in store.groups) == 8
    assert store.rows == [str(number) for number in range(30)]


async def test_a_bad_row_fails_alone() -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        store.open.clear()
        asking = asyncio.create_task(settled(writer, ["a", "b", BAD, "c", "d"]))
        await asyncio.sleep(0.01)
        store.open.set()
        outcomes = await asking
    assert [type(each) for each in outcomes] == [type(None), type(None), Conflict, type(None), type(None)]
    assert store.rows == ["a", "b", "c", "d"]


async def test_a_store_that_is_away_is_told_to_each_who_waits_and_the_next_is_served() -> None:
    store = Store(away=1)
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        outcomes = await settled(writer, ["a", "b"])
        assert [type(each) for each in outcomes] == [Unavailable, Unavailable]
        assert outcomes[0] is not outcomes[1]
        assert isinstance(outcomes[0], Unavailable)
        assert (outcomes[0].code, outcomes[0].retry_after) == ("storage_unavailable", 5.0)
        await writer.keep("c")
    assert store.rows == ["c"]


async def test_rows_written_behind_are_tried_again_until_the_store_is_back() -> None:
    store = Store(away=4)
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        for row in "abc":
            writer.later(row)
        while not store.rows:
            await asyncio.sleep(0.001)
        assert writer.lost == 0
    assert store.rows == ["a", "b", "c"]


async def test_rows_written_behind_are_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(away=10_000)
    bounds = Bounds(gather_seconds=0.0, pause_seconds=0.001, patience=0.01)
    async with group_writer(store.write, name="rows", bounds=bounds) as writer:
        writer.later("a")
        while not writer.lost:
            await asyncio.sleep(0.001)
        store.away = 0
        await writer.keep("b")
    assert store.rows == ["b"]
    assert "rows are not kept, 1 since the start: the store is away" in caplog.text


async def test_where_too_much_waits_new_rows_are_refused_counted_and_told_of(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=Bounds(most=3, gather_seconds=0.0)) as writer:
        store.open.clear()
        for number in range(5):
            writer.later(str(number))
        with pytest.raises(Unavailable, match="too much waits"):
            await writer.keep("kept")
        assert writer.lost == 2
        store.open.set()
    assert store.rows == ["0", "1", "2"]
    assert caplog.text.count("rows are not kept") == 1


async def test_a_bad_row_written_behind_is_counted_and_the_others_are_written(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        for row in ("a", BAD, "b"):
            writer.later(row)
    assert store.rows == ["a", "b"]
    assert writer.lost == 1
    assert "the store refuses them with Conflict" in caplog.text


async def test_rows_written_behind_are_gathered() -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=Bounds(gather_seconds=3600.0)) as writer:
        for row in "abc":
            writer.later(row)
            await asyncio.sleep(0.001)
        assert store.groups == []
        await writer.keep("d")
        assert store.groups == [["a", "b", "c", "d"]], "who is waited for takes along what waits"
        for number in range(writer.bounds.batch):
            writer.later(str(number))
        while len(store.groups) < 2:
            await asyncio.sleep(0.001)
        writer.later("last")
    assert store.rows[-1] == "last", "the end waits for nobody"


async def test_at_the_end_what_is_left_is_written() -> None:
    store = Store(away=3)
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        for number in range(700):
            writer.later(str(number))
    assert store.rows == [str(number) for number in range(700)]


async def test_the_end_is_bounded_and_tells_who_still_waits(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=Bounds(gather_seconds=0.0, stop_seconds=0.01)) as writer:
        store.open.clear()
        waiting = asyncio.create_task(writer.keep("a"))
        writer.later("b")
        await asyncio.sleep(0.01)
    with pytest.raises(Unavailable, match="stopped before it was written"):
        await waiting
    with pytest.raises(Unavailable, match="stopping"):
        await writer.keep("c")
    writer.later("d")
    assert writer.lost == 2
    assert "the server has stopped" in caplog.text


async def test_who_leaves_does_not_hold_up_the_others() -> None:
    store = Store()
    async with group_writer(store.write, name="rows", bounds=QUICK) as writer:
        store.open.clear()
        leaving = asyncio.create_task(writer.keep("a"))
        staying = asyncio.create_task(writer.keep("b"))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
        store.open.set()
        await staying
    assert sorted(store.rows) == ["a", "b"]


async def test_a_fault_of_its_own_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    async def write(rows: Sequence[str]) -> None:
        raise asyncio.CancelledError

    async with group_writer(write, name="rows", bounds=QUICK) as writer:
        with pytest.raises(Unavailable):
            await writer.keep("a")
        with pytest.raises(Unavailable):
            await writer.keep("b")


@given(
    rows=st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 2)), max_size=40),
    aways=st.lists(st.integers(0, 3), max_size=6),
    batch=st.integers(1, 9),
)
def test_every_row_has_one_fate(rows: list[tuple[bool, bool, int]], aways: list[int], batch: int) -> None:
    """Whatever comes in whatever order: an acknowledged row is there once, one that was refused is not, and what is
    written behind is there once or counted.
    """

    async def scenario() -> None:
        store = Store()
        kept: dict[str, asyncio.Task[None]] = {}
        behind: list[str] = []
        bounds = Bounds(gather_seconds=0.0, pause_seconds=0.0001, patience=30.0, batch=batch)
        async with group_writer(store.write, name="rows", bounds=bounds) as writer:
            for number, (durable, bad, turns) in enumerate(rows):
                if number < len(aways):
                    store.away += aways[number]
                row = f"{BAD if bad else 'row'} {number}"
                if durable:
                    kept[row] = asyncio.create_task(writer.keep(row))
                else:
                    writer.later(row)
                    behind.append(row)
                for _ in range(turns):
                    await asyncio.sleep(0)
            await asyncio.gather(*kept.values(), return_exceptions=True)
        for row, task in kept.items():
            assert store.rows.count(row) == (1 if task.exception() is None else 0)
            if row.startswith(BAD):
                assert isinstance(task.exception(), Conflict | Unavailable)
        good = [row for row in behind if not row.startswith(BAD)]
        assert [row for row in store.rows if row in good] == good, "once each, in order"
        assert writer.lost == len(behind) - len(good)

    asyncio.run(scenario())
