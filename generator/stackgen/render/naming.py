"""Names in one module: what parts define under the same name, and what functions are called."""

from __future__ import annotations

from collections.abc import Iterable

Named = tuple[str, str]
"""A part, and what it defines."""


def called(names: Iterable[Named]) -> dict[Named, str]:
    """What each is called in a module that imports them all: as it is, or `name_2`, … where another part has its
    name."""
    taken: set[str] = set()
    found: dict[Named, str] = {}
    for each in names:
        if each not in found:
            found[each] = free(each[1], taken)
    return found


def imported(name: str, called: str) -> str:
    """As it stands in an import, for `from_imports`."""
    return name if name == called else f"{name} as {called}"


def free(name: str, taken: set[str]) -> str:
    """`name`, or `name_2`, … where it is taken; the result is taken from then on."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free
