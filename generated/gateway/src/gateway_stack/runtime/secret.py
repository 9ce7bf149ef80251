"""A string that must not be shown: API keys, tokens, passwords."""

from __future__ import annotations


class Secret:
    """Holds a credential; every way of printing it gives asterisks, only `reveal()` gives the text.

    Equal secrets are equal and hash alike, so that a cache or a pool can be keyed by credential.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('********')"

    def __str__(self) -> str:
        return "********"

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        # Settings travel to worker processes by pickle.
        return (Secret, (self._text,))
