"""Texts with variables in them: what `${env.X:=…}` and `${env.X:+…}` of a distribution became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Env:
    """One variable. default: its text while it is not set. then: its text while it is, in place of its own."""

    variable: str
    default: str | None = None
    then: str | None = None


Text = tuple[str | Env, ...]


@dataclass(frozen=True, slots=True)
class Assembled:
    """A text put together. by_environment: at least one of its variables is set."""

    value: str
    by_environment: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A raw value, what messages call it, and whether it is text that stands for a type of its own."""

    value: object
    name: str
    textual: bool


def assemble(pieces: Text, environ: Mapping[str, str]) -> Assembled | None:
    """The text, or None if there is none or a variable of it has neither value nor default."""
    if not pieces:
        return None
    texts: list[str] = []
    by_environment = False
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        found = environ.get(piece.variable, "")
        by_environment = by_environment or bool(found)
        text = _text(piece, found)
        if text is None:
            return None
        texts.append(text)
    return Assembled("".join(texts), by_environment)


def _text(piece: Env, found: str) -> str | None:
    if piece.then is not None:
        return piece.then if found else ""
    return found or piece.default
