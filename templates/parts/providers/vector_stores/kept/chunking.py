"""A text cut into chunks that overlap.

Tokens are counted by a rule, since each model counts otherwise and most of their vocabularies would have to be fetched:
up to six letters of a word, up to three digits, or one other sign are a token. English comes out near what models of
today count, text in other scripts at more, so that a chunk is rather too short than too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"[A-Za-zÀ-ɏͰ-ӿ]{1,6}|[0-9]{1,3}|[^\s]")
_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"[.!?…]['\")\]]*\s|\n")


@dataclass(frozen=True, slots=True)
class Chunking:
    """tokens: the most that a chunk holds. overlap: how many of them the chunk before has too; at most half."""

    tokens: int
    overlap: int


def fitting(usual: Chunking, most: int | None) -> Chunking:
    """The same, or smaller chunks for a model that reads so many tokens only: the rest of each would be found by
    nothing. Never smaller than a request could ask for.
    """
    if most is None or most >= usual.tokens:
        return usual
    tokens = max(100, most)
    return Chunking(tokens, min(usual.overlap, tokens // 2))


def chunks(text: str, chunking: Chunking) -> Iterator[str]:
    """The chunks in order; none where there is nothing but blanks."""
    return (text[start:end] for start, end in places(text, chunking))


def places(text: str, chunking: Chunking) -> Iterator[tuple[int, int]]:
    """Where each chunk begins and ends. Every token is in one of them at least.

    A chunk ends after a paragraph or a sentence where one does in its last quarter, else between two words if it can.
    """
    spans = [match.span() for match in _TOKEN.finditer(text)]
    first = 0
    while first < len(spans):
        last = min(first + chunking.tokens, len(spans))
        if last < len(spans):
            least = max(first + chunking.tokens * 3 // 4, first + chunking.overlap + 1)
            last = _end(text, spans, least, last)
        yield spans[first][0], spans[last - 1][1]
        if last == len(spans):
            return
        first = _begin(text, spans, max(last - chunking.overlap, first + 1), last)


def _end(text: str, spans: list[tuple[int, int]], least: int, most: int) -> int:
    """How many tokens of all a chunk ends after, at least `least` and at most `most`."""
    start, stop = spans[least - 1][1], spans[most][0]
    for pattern in (_PARAGRAPH, _SENTENCE):
        ends = [match.end() for match in pattern.finditer(text, start, stop)]
        if ends:
            return _before(spans, ends[-1], least, most)
    for number in range(most, least - 1, -1):
        if spans[number - 1][1] < spans[number][0]:
            return number
    return most


def _before(spans: list[tuple[int, int]], place: int, least: int, most: int) -> int:
    number = most
    while number > least and spans[number - 1][1] > place:
        number -= 1
    return number


def _begin(text: str, spans: list[tuple[int, int]], first: int, last: int) -> int:
    """Where the next chunk begins: `first`, or the next word where that is within one."""
    number = first
    while (
        number < last and number > 0 and spans[number - 1][1] == spans[number][0] and text[spans[number][0]].isalnum()
    ):
        number += 1
    return number


def count(text: str) -> int:
    """How many tokens a text has, by the same rule."""
    return sum(1 for _ in _TOKEN.finditer(text))
