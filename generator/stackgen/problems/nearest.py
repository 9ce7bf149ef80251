"""The valid name a wrong one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wrong: str, valid: Iterable[str]) -> str | None:
    """The closest of `valid`, None if nothing is close. Case and the two separators do not count: `OpenAI`
    finds `openai`."""
    names = sorted(set(valid))
    folded = {_fold(name): name for name in reversed(names)}
    if exact := folded.get(_fold(wrong)):
        return exact
    close = difflib.get_close_matches(_fold(wrong), list(folded), n=1, cutoff=0.6)
    if close:
        return folded[close[0]]
    tails = {_fold(name.rpartition("::")[2]): name for name in reversed(names) if "::" in name}
    return tails.get(_fold(wrong.rpartition("::")[2]))


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")
