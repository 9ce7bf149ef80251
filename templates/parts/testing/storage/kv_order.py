"""Many keys, in their order."""

from __future__ import annotations

from ...runtime.kv import Kv
from .kv_base import STRANGE, KvBaseSuite, everything


class KvOrderSuite(KvBaseSuite):
    """Many keys, in their order."""

    def test_keys_come_in_the_order_of_their_bytes(self) -> None:
        async def test(kv: Kv) -> None:
            keys = ["a", "B", "z", "ä", "é", "é1", "e", "10", "9", "a b", "a-b", "ab", "\uffff", "\ue000", "😀"]
            for key in keys:
                await kv.put(key, key.encode())
            assert await kv.scan() == [(key, key.encode()) for key in sorted(keys, key=str.encode)]

        self.keeps(test)

    def test_a_prefix_is_no_pattern(self) -> None:
        async def test(kv: Kv) -> None:
            plain = ["a", "ab", "abc", "x", "xy"]
            for key in [*plain, *(f"{strange}1" for strange in STRANGE)]:
                await kv.put(key, b"1")
            for strange in STRANGE:
                found = [key for key, _ in await kv.scan(strange)]
                assert found == sorted(f"{each}1" for each in STRANGE if f"{each}1".startswith(strange)), strange
            assert [key for key, _ in await kv.scan("a")] == ["a", "ab", "abc"]
            assert await kv.scan("ac") == []

        self.keeps(test)

    def test_a_prefix_ends_where_it_ends(self) -> None:
        async def test(kv: Kv) -> None:
            last = "\U0010ffff"
            keys = ["a", f"a{last}", f"a{last}{last}", "b", "\ud7ff", "\ue000", last, f"{last}{last}", last * 128]
            for key in keys:
                await kv.put(key, b"1")
            for prefix in ["", *keys, f"{last}{last}{last}"]:
                found = [key for key, _ in await kv.scan(prefix)]
                assert found == sorted(key for key in keys if key.startswith(prefix)), prefix

        self.keeps(test)

    def test_pages_are_whole_together(self) -> None:
        async def test(kv: Kv) -> None:
            keys = [f"{kind}/{number}" for kind in ("a", "b", "c") for number in range(30)]
            for key in keys:
                await kv.put(key, key.encode(), seconds=1000 if key.endswith("5") else None)
            for limit in (1, 7, 30, 1000):
                assert [key for key, _ in await everything(kv, limit=limit)] == sorted(keys)
                assert [key for key, _ in await everything(kv, "b/", limit=limit)] == sorted(keys)[30:60]
            assert len(await kv.scan("b/", limit=7)) == 7
            assert [key for key, _ in await kv.scan("b/", after="a/9", limit=1)] == ["b/0"]
            assert await kv.scan("b/", after="b/9") == []
            assert await kv.scan("b/", after="c") == []
            assert [key for key, _ in await kv.scan(after="b/15x", limit=1)] == ["b/16"], "`after` need not be there"

        self.keeps(test)

    def test_what_has_gone_does_not_shorten_a_page(self) -> None:
        async def test(kv: Kv) -> None:
            for number in range(40):
                await kv.put(f"{number:02}", b"1", seconds=0.001 if number % 4 else None)
            while await kv.get("39") is not None:
                pass
            assert [key for key, _ in await kv.scan(limit=5)] == ["00", "04", "08", "12", "16"]
            assert [key for key, _ in await kv.scan(after="16", limit=100)] == ["20", "24", "28", "32", "36"]

        self.keeps(test)
