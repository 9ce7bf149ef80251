"""How the words, sentences and paragraphs of an answer are told apart."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
# Behind these a full stop ends no sentence.
_SHORT = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Inc|Ltd|Co|vs|etc|approx|No|Fig|e\.g|i\.e|a\.m|p\.m|U\.S|[A-Z])\.", re.IGNORECASE
)
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+|$)|[。！？]+|\n{2,}")


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def sentences(text: str) -> int:
    """By a rule: what marks and empty lines end, abbreviations and initials left aside."""
    plain = _SHORT.sub(lambda found: found[0].replace(".", ""), text)
    return sum(1 for each in _END.split(plain) if _WORD.search(each))


def bullets(text: str) -> int:
    """Lines of a Markdown list, with `*` or `-`."""
    return len(re.findall(r"^\s*\*[^*].*$", text, re.MULTILINE)) + len(re.findall(r"^\s*-.*$", text, re.MULTILINE))


def highlights(text: str) -> int:
    """Pieces between single or double stars that hold something."""
    double = re.findall(r"\*\*[^\n*]+\*\*", text)
    single = re.findall(r"(?<!\*)\*[^\n*]+\*(?!\*)", text)
    return sum(1 for each in (*double, *single) if each.strip("* "))
