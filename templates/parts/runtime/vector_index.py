"""What keeps vectors, and finds those that are near one: the side of a vector_io provider that the stores see.

    await index.create("vs_1", 384)
    await index.add("vs_1", [Entry(id="c1", group="f1", text="…", vector=vector, attributes={"year": 2024})])
    await index.near("vs_1", vector, limit=10, where=Compare("year", "gte", 2020))       # [Hit("c1", 0.83), …]

It knows nothing of owners, files or states: whoever asks has the rows that say what an id is, and whether it may be
seen. So an index may hold what nobody sees any more, and nothing that is seen is ever only half there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from array import array

    from .vector_filters import Filter, Scalar
    from .wiring import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A text and its vector, of 32-bit floats. group: what it is removed or labelled with. attributes: for filters."""

    id: str
    group: str
    text: str
    vector: array[float]
    attributes: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Hit:
    """score: 0 to 1, more is better."""

    id: str
    score: float


class VectorIndex(Protocol):
    """One place for vectors. Every method raises StackError where it cannot do what it is asked; what has returned is
    durable, and known to every process over the same place. Stores are named by texts of at most 64 characters,
    letters, digits and `_`.
    """

    @property
    def keywords(self) -> bool:
        """Whether it can look for words too."""

    async def create(self, store: str, dimension: int) -> None:
        """A store that is there already stays as it is."""

    async def drop(self, store: str) -> None:
        """A store that is not there is gone already."""

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        """All of them or none; one with an id that is there takes its place."""

    async def remove(self, store: str, group: str) -> None:
        """All entries of a group, if there are any."""

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        """All entries of a group have these attributes from here on."""

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        """The entries whose vectors have the least angle to this one, best first; score: the cosine, at least 0."""

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        """The entries that have any of these words, best first. Only where `keywords`."""

    async def health(self) -> Health: ...
