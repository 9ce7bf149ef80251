"""Marks of files in a model's text, taken out of it as it comes.

The model is told to write a file's mark behind what it has from that file. What its client gets is the text without
marks, and where each stood:

    citing = Citing({"file-1": "notes.txt"})
    citing.take("Paris<|fi")    → "Paris", []
    citing.take("le-1|>.")      → ".", [Citation(file_id="file-1", filename="notes.txt", index=5)]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_OPENS, _CLOSES = "<|", "|>"
_MARK = re.compile(r"<\|([^|<>\s]{1,200})\|>")
_LONGEST = 204


@dataclass(frozen=True, slots=True)
class Citation:
    """index: how many characters of the text stand before it."""

    file_id: str
    filename: str
    index: int


def mark_of(file_id: str) -> str:
    """What the model is to write."""
    return f"{_OPENS}{file_id}{_CLOSES}"


class Citing:
    """files: names by id, of those that the model has seen; marks of others stay in the text."""

    __slots__ = ("_files", "_held", "_length")

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._held = ""
        self._length = 0

    def take(self, piece: str) -> tuple[str, list[Citation]]:
        """What of the text is sure by now."""
        text = self._held + piece
        start = len(text) - 1 if text.endswith(_OPENS[0]) else text.rfind(_OPENS)
        # A mark that has begun is waited for, but not for ever.
        if start >= 0 and _CLOSES not in text[start:] and len(text) - start < _LONGEST:
            text, self._held = text[:start], text[start:]
        else:
            self._held = ""
        return self._without_marks(text)

    def end(self) -> tuple[str, list[Citation]]:
        """What was held back."""
        text, self._held = self._held, ""
        return self._without_marks(text)

    def _without_marks(self, text: str) -> tuple[str, list[Citation]]:
        kept: list[str] = []
        found: list[Citation] = []
        done = 0
        for mark in _MARK.finditer(text):
            if (name := self._files.get(mark[1])) is None:
                continue
            kept.append(text[done : mark.start()])
            self._length += mark.start() - done
            done = mark.end()
            found.append(Citation(mark[1], name, self._length))
        kept.append(text[done:])
        self._length += len(text) - done
        return "".join(kept), found
