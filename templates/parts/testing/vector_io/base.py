"""What the suites of vector_io share."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

from ...runtime.vector_filters import Filter, Scalar
from ...runtime.vector_index import Entry, VectorIndex
from ..suite import Suite


def fresh() -> str:
    """The name of a store that nobody has used."""
    return f"vs_{uuid4().hex}"


def vector(*numbers: float) -> array[float]:
    return array("f", numbers)


def entry(
    id: str,
    numbers: tuple[float, ...] = (1, 0, 0),
    text: str = "text",
    *,
    group: str | None = None,
    attributes: Mapping[str, Scalar] | None = None,
) -> Entry:
    return Entry(id=id, group=group or id, text=text, vector=vector(*numbers), attributes=attributes or {})


class IndexBaseSuite(Suite[VectorIndex]):
    def keeps(self, test: Callable[[VectorIndex, str], Awaitable[None]]) -> None:
        """One test of one store of three dimensions, which nobody else has ever used."""

        async def in_store(index: VectorIndex) -> None:
            store = fresh()
            await index.create(store, 3)
            await test(index, store)
            await index.drop(store)

        self.run(in_store)


async def everything(index: VectorIndex, store: str, where: Filter | None = None) -> set[str]:
    """The ids of all entries that a filter lets through."""
    return {hit.id for hit in await index.near(store, vector(1, 1, 1), limit=1000, where=where)}
