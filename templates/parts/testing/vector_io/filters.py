"""A filter means the same to every index: what `runtime.vector_filters.predicate` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from ...runtime.vector_filters import Compare, Every, Filter, Operator, Scalar, Some, predicate
from ...runtime.vector_index import VectorIndex
from .base import IndexBaseSuite, entry, everything, vector

STRANGE = (
    "'",
    '"',
    "\\",
    "$.a",
    "a.b",
    "[0]",
    "ключ",
    "a b",
    "%",
    "_",
    "--",
    "x' OR '1'='1",
    "{}",
    "\n",
    "\u2028",
    "é",
)
"""Names and texts that are quotes, paths or patterns to somebody. Here they are text."""

VALUES: tuple[Scalar, ...] = (1, 0, 1.5, -2, 2**40, "1", "", "apple", "Apple", "zebra", "true", "ärger", True, False)
OF_TEXTS: tuple[Operator, ...] = ("eq", "ne", "lt")
ORDERED: tuple[Operator, ...] = ("gt", "gte", "lt", "lte")


def kept() -> dict[str, Mapping[str, Scalar]]:
    found: dict[str, Mapping[str, Scalar]] = {f"v{number}": {"k": value} for number, value in enumerate(VALUES)}
    found |= {f"s{number}": {text: text} for number, text in enumerate(STRANGE)}
    return found | {"none": {}, "other": {"l": 1}, "two": {"k": 1, "l": "apple"}}


def asked() -> list[Filter]:
    found: list[Filter] = []
    for value in VALUES:
        found += [Compare("k", "eq", value), Compare("k", "ne", value)]
        found += [Compare("k", each, value) for each in ORDERED if not isinstance(value, bool)]
    found += [Compare(text, operator, text) for text, operator in product(STRANGE, OF_TEXTS)]
    found += [
        Compare("k", "in", (1, "1", "zebra")),
        Compare("k", "nin", (1, "1", "zebra")),
        Compare("k", "in", (True,)),
    ]
    found += [Compare("k", "in", ()), Compare("k", "nin", ())]
    one, apple = Compare("k", "eq", 1), Compare("l", "eq", "apple")
    found += [
        Every((one, apple)),
        Some((one, apple)),
        Every((one,)),
        Some((Every((one, apple)), Compare("l", "eq", 1))),
    ]
    return [*found, Every((Some((one, apple)), Compare("l", "ne", "apple")))]


class FiltersSuite(IndexBaseSuite):
    def test_filters_let_through_what_they_say(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            there = kept()
            await index.add(store, [entry(id, (1, 1, n), attributes=a) for n, (id, a) in enumerate(there.items())])
            for where in asked():
                wanted = {id for id, attributes in there.items() if predicate(where)(attributes)}
                assert await everything(index, store, where) == wanted, f"{where} lets through what it says"

        self.keeps(test)

    def test_what_is_filtered_out_takes_no_place(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry(f"near{n}", (1, n / 1000, 0), attributes={"k": "no"}) for n in range(60)])
            await index.add(store, [entry(f"far{n}", (0, 1, n / 10), attributes={"k": "yes"}) for n in range(3)])
            hits = await index.near(store, vector(1, 0, 0), limit=3, where=Compare("k", "eq", "yes"))
            assert sorted(hit.id for hit in hits) == ["far0", "far1", "far2"]

        self.keeps(test)

    def test_a_group_has_its_newest_attributes(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(
                store, [entry(f"a{n}", (1, n, 0), group="a", attributes={"k": 1, "l": 2}) for n in range(3)]
            )
            await index.add(store, [entry("b", group="b", attributes={"k": 1})])
            await index.label(store, "a", {"k": 5})
            await index.label(store, "there is none", {"k": 5})
            assert await everything(index, store, Compare("k", "eq", 5)) == {"a0", "a1", "a2"}
            assert await everything(index, store, Compare("k", "eq", 1)) == {"b"}
            assert await everything(index, store, Compare("l", "eq", 2)) == set(), "and no others"

        self.keeps(test)
