"""Many who write at once, and what others see of it."""

from __future__ import annotations

import asyncio

from ...runtime.kv import Kv, KvBackend
from .kv_base import KvBaseSuite, everything, fresh

MANY = 40


class KvRacesSuite(KvBaseSuite):
    """Many who write at once, and what others see of it."""

    def test_of_many_who_add_one_wins(self) -> None:
        async def test(backend: KvBackend) -> None:
            name = fresh()
            async with self.opens() as other:
                both = (backend.namespace(name), other.namespace(name))
                won = await asyncio.gather(*(both[n % 2].add("a", b"%d" % n) for n in range(MANY)))
            assert won.count(True) == 1
            assert await both[0].get("a") == b"%d" % won.index(True), "who has won has written"

        self.run(test)

    def test_of_many_who_replace_one_wins(self) -> None:
        async def test(backend: KvBackend) -> None:
            name = fresh()
            async with self.opens() as other:
                both = (backend.namespace(name), other.namespace(name))
                await both[0].put("a", b"old")
                won = await asyncio.gather(*(both[n % 2].replace("a", b"%d" % n, was=b"old") for n in range(MANY)))
            assert won.count(True) == 1
            assert await both[0].get("a") == b"%d" % won.index(True)

        self.run(test)

    def test_of_many_who_delete_one_wins(self) -> None:
        async def test(kv: Kv) -> None:
            await kv.put("a", b"1")
            won = await asyncio.gather(*(kv.delete("a") for _ in range(MANY)))
            assert won.count(True) == 1

        self.keeps(test)

    def test_what_has_gone_is_added_once(self) -> None:
        async def test(kv: Kv) -> None:
            await kv.put("a", b"old", seconds=0.05)
            await asyncio.sleep(0.1)
            won = await asyncio.gather(*(kv.add("a", b"%d" % n) for n in range(MANY)))
            assert won.count(True) == 1
            assert await kv.get("a") == b"%d" % won.index(True)

        self.keeps(test)

    def test_no_step_of_a_counter_is_lost(self) -> None:
        async def step(kv: Kv) -> None:
            while True:
                was = await kv.get("counter")
                assert was is not None
                if await kv.replace("counter", b"%d" % (int(was) + 1), was=was):
                    return

        async def test(kv: Kv) -> None:
            await kv.put("counter", b"0")
            await asyncio.gather(*(step(kv) for _ in range(MANY)))
            assert await kv.get("counter") == b"%d" % MANY

        self.keeps(test)

    def test_each_write_makes_another_revision(self) -> None:
        async def test(kv: Kv) -> None:
            seen = [await kv.revision()]
            for change in (
                kv.put("a", b"1"),
                kv.put("a", b"1"),
                kv.add("b", b"1", seconds=100),
                kv.replace("a", b"2", was=b"1"),
                kv.delete("a", was=b"2"),
                kv.delete("b"),
            ):
                await change
                seen.append(await kv.revision())
            assert len(set(seen)) == len(seen), seen

        self.keeps(test)

    def test_what_changes_nothing_leaves_the_revision(self) -> None:
        async def test(kv: Kv) -> None:
            await kv.put("a", b"1")
            before = await kv.revision()
            assert await kv.add("a", b"2") is False
            assert await kv.replace("a", b"2", was=b"3") is False
            assert await kv.delete("a", was=b"3") is False
            assert await kv.delete("b") is False
            await kv.get("a")
            await kv.scan()
            assert await kv.revision() == before

        self.keeps(test)

    def test_others_see_the_revision_and_what_it_stands_for(self) -> None:
        async def test(backend: KvBackend) -> None:
            name = fresh()
            async with self.opens() as other:
                mine, theirs = backend.namespace(name), other.namespace(name)
                for number in range(20):
                    before = await theirs.revision()
                    await mine.put("a", b"%d" % number)
                    assert await theirs.revision() != before
                    assert await theirs.get("a") == b"%d" % number

        self.run(test)

    def test_who_sees_a_revision_has_missed_nothing_before_it(self) -> None:
        """Writers at work while somebody follows the revision: what it read last is what is there in the end."""

        async def test(backend: KvBackend) -> None:
            name = fresh()
            async with self.opens() as other:
                mine, theirs = backend.namespace(name), other.namespace(name)
                writing = asyncio.gather(*(mine.put(f"{n % 7}", b"%d" % n) for n in range(MANY)))
                revision, copy = -1, list[tuple[str, bytes]]()
                while not writing.done() or revision != await theirs.revision():
                    # The number first: a write after it makes another one.
                    revision = await theirs.revision()
                    copy = await everything(theirs)
                    await asyncio.sleep(0)
                await writing
                assert copy == await everything(mine)

        self.run(test)

    def test_what_was_written_is_there_when_it_is_opened_again(self) -> None:
        async def test(backend: KvBackend) -> None:
            name = fresh()
            async with self.opens() as first:
                await first.namespace(name).put("a", b"1")
                before = await first.namespace(name).revision()
            async with self.opens() as second:
                assert await second.namespace(name).get("a") == b"1"
                assert await second.namespace(name).revision() == before
                assert await backend.namespace(name).add("a", b"2") is False

        self.run(test)
