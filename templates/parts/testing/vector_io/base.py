"""What the suites of vector_io share."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

from ...runtime.errors import SettingsError
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
    """shared: whether several processes may have one place; False for a provider of `processes: one`."""

    shared = True

    def keeps(self, test: Callable[[VectorIndex, str], Awaitable[None]]) -> None:
        """One test of one store of three dimensions, which nobody else has ever used."""

        async def in_store(index: VectorIndex) -> None:
            store = fresh()
            await index.create(store, 3)
            await test(index, store)
            await index.drop(store)

        self.run(in_store)

    def refuses_others(self) -> None:
        """Who opens a place that is one process's, while that has it, is told so at once."""

        async def test(index: VectorIndex) -> None:
            problems: tuple[str, ...] = ()
            try:
                async with self.opens():
                    raise AssertionError("two have opened what is one process's")
            except SettingsError as error:
                problems = error.problems
            assert problems, "an error says what is wrong"

        self.run(test)


async def everything(index: VectorIndex, store: str, where: Filter | None = None) -> set[str]:
    """The ids of all entries that a filter lets through."""
    return {hit.id for hit in await index.near(store, vector(1, 1, 1), limit=1000, where=where)}
