"""Tokens as text, piece by piece: never half a character, and never a piece of what the text must stop before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .loading import Tensors

BROKEN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One generated token and its log probability. text: as it reads alone; raw: its bytes. likely: the likeliest at
    its place, as (text, bytes, log probability). offset: characters of the text before it.
    """

    id: int
    text: str
    raw: bytes
    logprob: float
    likely: tuple[tuple[str, bytes, float], ...]
    offset: int = 0


class Detokenizer:
    """Text from tokens as they come. decode: of a `tokenizers.Tokenizer`. hidden: tokens that are not shown.

    A token's text depends on what is before it (a word's first token has a space, but not at the beginning) and a
    character may take several tokens: so a window is decoded with and without the new tokens, and the difference is the
    text, once it does not end within a character.
    """

    def __init__(self, tokenizer: Tensors, hidden: Collection[int], before: Sequence[int]) -> None:
        self._decode = tokenizer.backend_tokenizer.decode
        self._hidden = hidden
        self._tokens = [token for token in before if token not in hidden]
        self._known = len(self._tokens)
        self._shown = self._decode(self._tokens, skip_special_tokens=False) if self._tokens else ""

    def feed(self, token: int) -> str:
        """The text that is certain with this token."""
        if token in self._hidden:
            return ""
        self._tokens.append(token)
        text = str(self._decode(self._tokens, skip_special_tokens=False))
        return "" if text.endswith(BROKEN) else self._take(text)

    def finish(self) -> str:
        """The rest, be it half a character."""
        text = str(self._decode(self._tokens, skip_special_tokens=False)) if self._tokens else ""
        return self._take(text)

    def _take(self, text: str) -> str:
        new = text[len(self._shown) :]
        # The tokens shown just now are what the next ones are read after.
        self._tokens = self._tokens[self._known :]
        self._known = len(self._tokens)
        self._shown = str(self._decode(self._tokens, skip_special_tokens=False)) if self._tokens else ""
        return new


class Stops:
    """Text up to the first of the stop strings. Holds back what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.met = False

    def feed(self, text: str) -> str:
        """What of the text can be given out by now."""
        if not self._stops:
            return text
        self._held += text
        ends = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if ends:
            self.met = True
            out, self._held = self._held[: min(ends)], ""
            return out
        keep = max(_overlap(self._held, stop) for stop in self._stops)
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out

    def finish(self) -> str:
        """What was held back for nothing."""
        out, self._held = self._held, ""
        return out


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of the text are the beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
