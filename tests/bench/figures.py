"""From samples to a table: medians over passes, and ratios that are taken within one pass.

Two servers of one pass had the machine in one state, so their ratio holds on another day and, roughly, on another
machine; the figure itself does not.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """digits: behind the point. compared: whether a ratio says anything."""

    title: str
    digits: int
    compared: bool = True


FIGURES: Mapping[str, Figure] = {
    "chat_1": Figure("CPU per chat, 1 client, ms", 3),
    "chat_16": Figure("CPU per chat, 16 clients, ms", 3),
    "chat_64": Figure("CPU per chat, 64 clients, ms", 3),
    "paced": Figure("CPU per 1,000 events, 16 streams, one event each 5 ms, ms", 1),
    "burst": Figure("CPU per 1,000 events, 16 streams, all events at once, ms", 1),
    "first_chunk": Figure("first event of 16 paced streams, median, ms", 2),
    "start": Figure("start to the first 200, s", 2),
    "start_cpu": Figure("CPU to the first 200, s", 2),
    "memory_start": Figure("memory after start, MiB", 0),
    "memory_later": Figure("memory after 2,000 chats, MiB", 0),
    "packages": Figure("packages installed", 0),
    "modules": Figure("modules imported", 0),
    "queued": Figure("time under load that it waited for its processor, %", 1, compared=False),
}

Pass = Mapping[str, Mapping[str, float]]
"""Of each server by name, the figures taken in that pass."""


def table(passes: Sequence[Pass], base: str) -> str:
    """Markdown: a row for each figure that there is, a column for each server, `median (×ratio to base)`."""
    names = list(passes[0])
    rows = [["figure", *names], ["---", *("---:" for _ in names)]]
    for key, figure in FIGURES.items():
        if any(key in taken[name] for taken in passes for name in names):
            rows.append([figure.title, *(_cell(passes, key, name, base) for name in names)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(passes: Sequence[Pass], key: str, name: str, base: str) -> str:
    taken = [each[name][key] for each in passes if key in each[name]]
    if not taken:
        return ""
    figure = FIGURES[key]
    text = f"{statistics.median(taken):,.{figure.digits}f}"
    ratio = median_ratio(passes, key, name, base) if figure.compared and name != base else None
    return text if ratio is None else f"{text} (×{ratio:.2f})"


def median_ratio(passes: Sequence[Pass], key: str, name: str, base: str) -> float | None:
    """The median over passes of `name`'s figure by `base`'s of the same pass; None where no pass has both."""
    both = [each for each in passes if key in each[name] and each.get(base, {}).get(key)]
    return statistics.median(each[name][key] / each[base][key] for each in both) if both else None
