"""Words as PostgreSQL's index of words takes them.

They are cut here: what PostgreSQL makes of a text depends on the database's locale, and takes a language for granted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..texts import words_asked, words_of

_LONGEST_BYTES = 2046
_MOST_PLACES = 255
_LAST_PLACE = 16383


def indexed(text: str) -> str:
    """The text as a literal of type tsvector: each word with its places."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words_of(text), 1):
        if len(places[word]) < _MOST_PLACES:
            places[word].append(min(place, _LAST_PLACE))
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items() if _short(word))


def asked(said: Iterable[str]) -> list[str]:
    """The words, each as a literal of type tsquery."""
    return [f"'{word}'" for word in words_asked(said) if _short(word)]


def _short(word: str) -> bool:
    return len(word.encode()) <= _LONGEST_BYTES
