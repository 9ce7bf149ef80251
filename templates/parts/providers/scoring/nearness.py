"""How near a short answer is to one of several right ones: normalised Levenshtein similarity, as DocVQA has it.

ANLS is the mean over questions of the best similarity to a right answer, where what is less than half alike counts
nothing (Biten et al., Scene Text Visual Question Answering, ICCV 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

THRESHOLD = 0.5

LONGEST = 1000
"""Characters of answers that are compared letter by letter; longer ones have to be the same."""


def similarity(said: str, right: Sequence[str]) -> float:
    """From 0 to 1, of the right answer that is nearest; letters' case and blanks do not count."""
    return max((_one(_plain(said), _plain(each)) for each in right), default=0.0)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _one(said: str, right: str) -> float:
    longest = max(len(said), len(right))
    if said == right:
        return 1.0
    if longest > LONGEST or abs(len(said) - len(right)) > longest * THRESHOLD:
        return 0.0
    apart = _distance(said, right) / longest
    return 1.0 - apart if apart < THRESHOLD else 0.0


def _distance(a: str, b: str) -> int:
    """Insertions, deletions and replacements that make one text the other."""
    before = list(range(len(b) + 1))
    for row, letter in enumerate(a, 1):
        here = [row]
        for column, other in enumerate(b, 1):
            here.append(min(before[column] + 1, here[-1] + 1, before[column - 1] + (letter != other)))
        before = here
    return before[-1]
