"""One key and its value."""

from __future__ import annotations

from ...runtime.errors import BadRequest, TooLarge
from ...runtime.kv import Kv, KvBackend
from ..suite import refused
from .kv_base import STRANGE, KvBaseSuite, everything, fresh, until

MIB = 1024 * 1024

NO_KEYS = ("", "\0", "a\0b", "\ud800", "x" * 513, "é" * 257)
"""Nothing, NUL, half a surrogate pair, more than 512 bytes of UTF-8."""


class KvValuesSuite(KvBaseSuite):
    """One key and its value."""

    def test_what_was_put_is_there(self) -> None:
        async def test(kv: Kv) -> None:
            assert await kv.get("a") is None
            await kv.put("a", b"1")
            assert await kv.get("a") == b"1"
            await kv.put("a", b"2")
            assert await kv.get("a") == b"2"
            assert await kv.get("A") is None, "keys that differ in case are two"

        self.keeps(test)

    def test_only_what_is_not_there_is_added(self) -> None:
        async def test(kv: Kv) -> None:
            assert await kv.add("a", b"1") is True
            assert await kv.add("a", b"2") is False
            assert await kv.get("a") == b"1"

        self.keeps(test)

    def test_only_what_is_still_the_same_is_replaced(self) -> None:
        async def test(kv: Kv) -> None:
            assert await kv.replace("a", b"2", was=b"1") is False
            assert await kv.get("a") is None, "nothing is made by replacing"
            await kv.put("a", b"1")
            assert await kv.replace("a", b"3", was=b"2") is False
            assert await kv.replace("a", b"2", was=b"1") is True
            assert await kv.get("a") == b"2"

        self.keeps(test)

    def test_what_is_deleted_has_gone(self) -> None:
        async def test(kv: Kv) -> None:
            assert await kv.delete("a") is False
            await kv.put("a", b"1")
            await kv.put("b", b"1")
            assert await kv.delete("a", was=b"2") is False
            assert await kv.delete("a", was=b"1") is True
            assert await kv.delete("b") is True
            assert await kv.delete("b") is False
            assert await kv.scan() == []

        self.keeps(test)

    def test_a_value_is_any_bytes(self) -> None:
        async def test(kv: Kv) -> None:
            for value in (b"", b"\0", bytes(range(256)), b"\xff\xfe", "é😀".encode(), b"'; --", b"7" * (8 * MIB)):
                await kv.put("a", value)
                assert await kv.get("a") == value
                assert await kv.scan() == [("a", value)]
                assert await kv.replace("a", value[:-1] + b"!", was=value) is True
                assert await kv.delete("a", was=value[:-1] + b"!") is True

        self.keeps(test)

    def test_a_key_is_any_text(self) -> None:
        async def test(kv: Kv) -> None:
            keys = [*STRANGE, "é", "e\u0301", "😀", "\U0010ffff", "x" * 512, "é" * 256]
            for key in keys:
                assert await kv.add(key, key.encode()) is True, f"{key!r} is a key of its own"
            for key in keys:
                assert await kv.get(key) == key.encode()
            assert [key for key, _ in await everything(kv)] == sorted(keys)
            for key in keys:
                assert await kv.delete(key) is True

        self.keeps(test)

    def test_what_is_no_key_is_refused(self) -> None:
        async def test(kv: Kv) -> None:
            for key in NO_KEYS:
                calls = (kv.get(key), kv.put(key, b"1"), kv.add(key, b"1"), kv.delete(key))
                for call in (*calls, kv.replace(key, b"1", was=b"1")):
                    assert isinstance(await refused(call), BadRequest), f"{key!r} is no key"
            assert await kv.scan() == []

        self.keeps(test)

    def test_a_value_over_8_mib_is_refused(self) -> None:
        async def test(kv: Kv) -> None:
            large = bytes(8 * MIB + 1)
            for call in (kv.put("a", large), kv.add("a", large), kv.replace("a", large, was=b"1")):
                assert isinstance(await refused(call), TooLarge)
            assert await kv.get("a") is None

        self.keeps(test)

    def test_two_namespaces_never_see_each_other(self) -> None:
        async def test(backend: KvBackend) -> None:
            one = fresh()
            first, second = backend.namespace(one), backend.namespace(f"{one}-b")
            await first.put("-b", b"1")
            await first.put("a", b"1")
            assert await second.scan() == []
            assert await second.get("a") is None
            assert await second.delete("a") is False
            before = await second.revision()
            await first.put("a", b"2")
            assert await second.revision() == before
            assert await second.add("a", b"3") is True
            assert await first.get("a") == b"2"

        self.run(test)

    def test_a_namespace_has_a_plain_name(self) -> None:
        async def test(backend: KvBackend) -> None:
            for name in ("", "A", "a:b", "a.b", "a b", "a/b", "-a", "a%", "é", "a" * 65):
                try:
                    backend.namespace(name)
                except ValueError:
                    continue
                raise AssertionError(f"{name!r} is the name of no namespace")

        self.run(test)

    def test_what_has_its_time_goes(self) -> None:
        async def test(kv: Kv) -> None:
            await kv.put("short", b"1", seconds=0.2)
            await kv.put("long", b"1", seconds=1000)
            await kv.put("kept", b"1")
            assert len(await kv.scan()) == 3
            await until(lambda: _has_gone(kv, "short"))
            assert [key for key, _ in await kv.scan()] == ["kept", "long"]
            assert await kv.replace("short", b"2", was=b"1") is False
            assert await kv.delete("short") is False
            assert await kv.add("short", b"2") is True
            assert await kv.get("short") == b"2"

        self.keeps(test)

    def test_replacing_keeps_the_time_that_is_left(self) -> None:
        async def test(kv: Kv) -> None:
            await kv.put("a", b"1", seconds=1.5)
            assert await kv.replace("a", b"2", was=b"1") is True
            await until(lambda: _has_gone(kv, "a"))

        self.keeps(test)

    def test_putting_without_a_time_keeps_it_for_ever(self) -> None:
        async def test(kv: Kv) -> None:
            await kv.put("a", b"1", seconds=0.3)
            await kv.put("a", b"2")
            await kv.put("b", b"1", seconds=0.3)
            await until(lambda: _has_gone(kv, "b"))
            assert await kv.get("a") == b"2"

        self.keeps(test)


async def _has_gone(kv: Kv, key: str) -> bool:
    return await kv.get(key) is None
