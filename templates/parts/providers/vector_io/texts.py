"""Words of texts, for places that have no notion of words of their own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """In their order, in lower case and without accents, so that `cafe` finds `Café`."""
    plain = text if text.isascii() else _without_accents(text)
    return _WORD.findall(plain.lower())


def words_asked(said: Iterable[str]) -> list[str]:
    """What is looked for, each once."""
    return list(dict.fromkeys(word for text in said for word in words_of(text)))


def _without_accents(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
