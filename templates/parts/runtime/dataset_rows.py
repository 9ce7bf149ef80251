"""What has the rows of datasets: the side of a datasetio provider that the table of datasets sees.

    dataset = DatasetPlace(id="quiz", key="rows_1", uri=None, metadata={}, declared=False)
    await shelf.take(dataset, [{"question": "…"}], ctx)
    await shelf.settle(dataset, ctx)
    await shelf.read(dataset, 0, 20, ctx)                # Page([{"question": "…"}], more=False)

It knows nothing of owners: the table has the rows that say which dataset is whose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from .context import Context
    from .wiring import Health

Row: TypeAlias = dict[str, object]
"""JSON values by column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPlace:
    """A dataset, as its provider knows it.

    id: what clients call it. key: what its rows are kept under, of at most 64 letters, digits and `_`; never another's,
    also where another dataset gets the id later. uri: where its rows come from, None for those it was registered with.
    declared: by the distribution, so that its URI may point anywhere.
    """

    id: str
    key: str
    uri: str | None
    metadata: Mapping[str, object]
    declared: bool


@dataclass(frozen=True, slots=True)
class Page:
    """more: whether other rows follow."""

    rows: list[Row]
    more: bool


class DatasetShelf(Protocol):
    """One place for rows. Every method raises StackError where it cannot do what it is asked; what has returned is
    durable, and known to every process over the same place.
    """

    def fits(self, uri: str | None) -> bool:
        """Whether a dataset may be meant for it whose provider is not named. uri: None for rows that are sent."""

    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        """Sees that the dataset can be read, and keeps the rows that it was registered with; what it has already under
        the key stays as it is. A dataset that is not settled within an hour may be forgotten again.
        """

    async def settle(self, dataset: DatasetPlace, ctx: Context) -> None:
        """The dataset is registered now."""

    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        """Rows from `start` on, in their order; all where there is no limit."""

    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        """Behind all others; all of them or none."""

    async def forget(self, dataset: DatasetPlace, ctx: Context) -> None:
        """With all rows that are kept of it; one that is not there is gone already."""

    async def health(self) -> Health: ...
