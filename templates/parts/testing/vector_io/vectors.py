"""Vectors are kept, found by what they are near to, replaced and removed."""

from __future__ import annotations

import asyncio
import math

from ...runtime.vector_filters import Compare
from ...runtime.vector_index import VectorIndex
from ..suite import refused
from .base import IndexBaseSuite, entry, everything, fresh, vector

NEAR = 1e-5
"""How far a score may be off: vectors are 32-bit floats."""


class VectorsSuite(IndexBaseSuite):
    def test_the_nearest_come_first_with_their_cosine(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            angles = {"a": 0.0, "b": 0.3, "c": 0.7, "d": 1.2, "e": 2.5}
            entries = [entry(id, (math.cos(each), math.sin(each), 0)) for id, each in angles.items()]
            await index.add(store, [entries[number] for number in (3, 0, 4, 2, 1)])
            hits = await index.near(store, vector(1, 0, 0), limit=10, where=None)
            assert [hit.id for hit in hits] == list(angles), "what has the least angle is the first"
            for hit in hits:
                wanted = max(0.0, math.cos(angles[hit.id]))
                assert abs(hit.score - wanted) < NEAR, f"{hit.id} has the cosine {wanted}, at least 0"
            hits = await index.near(store, vector(1, 0, 0), limit=2, where=None)
            assert [hit.id for hit in hits] == ["a", "b"], "no more than were asked for, and the best"

        self.keeps(test)

    def test_a_length_does_not_matter(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry("long", (70, 70, 0)), entry("short", (0.02, 0, 0)), entry("none", (0, 0, 0))])
            hits = await index.near(store, vector(5, 0, 0), limit=10, where=None)
            found = {hit.id: hit.score for hit in hits}
            assert [hit.id for hit in hits][:2] == ["short", "long"]
            assert abs(found["short"] - 1) < NEAR
            assert abs(found["long"] - math.sqrt(0.5)) < NEAR
            assert found.get("none", 0.0) == 0.0, "what has no direction is like nothing"

        self.keeps(test)

    def test_an_entry_with_the_id_of_another_takes_its_place(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry("a", (1, 0, 0)), entry("b", (0, 1, 0))])
            await index.add(store, [entry("a", (0, 0, 1), group="other")])
            hits = await index.near(store, vector(0, 0, 1), limit=10, where=None)
            assert hits[0].id == "a"
            assert sorted(hit.id for hit in hits) == ["a", "b"], "it is there once"
            await index.remove(store, "a")
            assert await everything(index, store) == {"a", "b"}, "it is of its new group only"

        self.keeps(test)

    def test_a_group_is_removed_as_a_whole(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry(f"a{number}", group="a") for number in range(5)])
            await index.add(store, [entry(f"b{number}", group="b") for number in range(5)])
            await index.remove(store, "a")
            await index.remove(store, "there is none")
            assert await everything(index, store) == {f"b{number}" for number in range(5)}
            await index.add(store, [entry("a0", group="a")])
            assert "a0" in await everything(index, store), "and can come back"

        self.keeps(test)

    def test_stores_have_nothing_to_do_with_each_other(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            other = fresh()
            await index.create(other, 2)
            await index.add(store, [entry("same", group="g")])
            await index.add(other, [entry("same", (0, 1), group="g"), entry("more", (1, 0))])
            assert await everything(index, store) == {"same"}
            await index.remove(store, "g")
            hits = await index.near(other, vector(0, 1), limit=10, where=None)
            assert [hit.id for hit in hits] == ["same", "more"], "and may be of other dimensions"
            await index.drop(other)
            assert (await refused(index.near(other, vector(0, 1), limit=1, where=None))).status >= 400

        self.keeps(test)

    def test_made_twice_and_dropped_twice(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry("a")])
            await index.create(store, 3)
            assert await everything(index, store) == {"a"}, "what is there stays as it is"
            other = fresh()
            await index.drop(other)
            await index.create(other, 3)
            await index.add(other, [entry("b")])
            await index.drop(other)
            await index.drop(other)
            assert (await refused(index.add(other, [entry("c")]))).status >= 400, "there is nothing to add to"
            await index.create(other, 3)
            assert await everything(index, other) == set(), "a new one of the name is empty"
            await index.drop(other)

        self.keeps(test)

    def test_an_empty_store_finds_nothing(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            assert await index.near(store, vector(1, 0, 0), limit=10, where=None) == []

        self.keeps(test)

    def test_what_one_process_keeps_another_finds(self) -> None:
        if not self.shared:
            self.refuses_others()
            return

        async def test(index: VectorIndex, store: str) -> None:
            async with self.opens() as other:
                await index.add(store, [entry("a", group="a"), entry("b", (0, 1, 0), group="b")])
                assert await everything(other, store) == {"a", "b"}, "at once"
                await other.remove(store, "a")
                await other.add(store, [entry("c", (0, 0, 1))])
                assert await everything(index, store) == {"b", "c"}
                await other.add(store, [entry("b", (1, 1, 1))])
                hits = await index.near(store, vector(1, 1, 1), limit=1, where=None)
                assert [hit.id for hit in hits] == ["b"]
                await other.drop(store)
                assert (await refused(index.near(store, vector(1, 0, 0), limit=1, where=None))).status >= 400
                await other.create(store, 3)
                assert await everything(index, store) == set()
                await index.add(store, [entry("d")])
            async with self.opens() as later:
                assert await everything(later, store) == {"d"}, "also when the first is gone"

        self.keeps(test)

    def test_what_is_kept_is_there_when_it_is_opened_again(self) -> None:
        store = fresh()

        async def first(index: VectorIndex) -> None:
            await index.create(store, 3)
            await index.add(store, [entry("a", (1, 0, 0), group="a"), entry("b", (0, 1, 0), attributes={"k": 1})])
            await index.remove(store, "a")

        async def later(index: VectorIndex) -> None:
            await index.create(store, 3)
            assert await everything(index, store) == {"b"}
            assert await everything(index, store, Compare("k", "eq", 1)) == {"b"}
            await index.add(store, [entry("c")])
            assert await everything(index, store) == {"b", "c"}, "and it goes on"
            await index.drop(store)

        self.run(first)
        self.run(later)

    def test_many_at_once(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            async def add(group: int) -> None:
                await index.add(store, [entry(f"{group}-{n}", (group + 1, n, 1), group=str(group)) for n in range(20)])

            await asyncio.gather(*(add(group) for group in range(10)))
            assert len(await everything(index, store)) == 200
            await asyncio.gather(*(index.remove(store, str(group)) for group in range(0, 10, 2)))
            found = await everything(index, store)
            assert found == {f"{group}-{n}" for group in range(1, 10, 2) for n in range(20)}

        self.keeps(test)

    def test_it_is_healthy(self) -> None:
        async def test(index: VectorIndex) -> None:
            health = await index.health()
            assert health.status != "Error", f"it serves, and calls itself ill: {health.message}"

        self.run(test)
