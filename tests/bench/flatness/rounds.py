"""Comparing what must not differ: in turns, so that whatever else the machine does meets all alike."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Found:
    """figure: the median. ratio: the median of those to the first measure of the same round."""

    figure: float
    ratio: float


async def in_turns(measures: Mapping[str, Callable[[], Awaitable[float]]], rounds: int = ROUNDS) -> dict[str, Found]:
    """Each measure's; a round before the first only warms up."""
    figures: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            figure = await measure()
            if number:
                figures[name].append(figure)
    first = next(iter(figures.values()))
    return {
        name: Found(
            statistics.median(each), statistics.median(one / base for one, base in zip(each, first, strict=True))
        )
        for name, each in figures.items()
    }


def table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Prints it."""
    first = max(len(title), *(len(name) for name, _ in rows))
    sys.stdout.write(f"\n{title:<{first}} " + " ".join(f"{column:>16}" for column in columns) + "\n")
    for name, cells in rows:
        sys.stdout.write(f"{name:<{first}} " + " ".join(f"{cell:>16}" for cell in cells) + "\n")
    sys.stdout.flush()
