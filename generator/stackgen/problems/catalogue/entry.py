"""The form of one entry of the catalogue of problems."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """title: what is wrong. why: the rule. mend: what to do, an imperative without a full stop. example: lines
    that have the problem. notice: whether it is no error, and only told."""

    title: str
    why: str
    mend: str
    example: str
    notice: bool = False
