"""Where a setting is looked up, and where problems are gathered: the machinery behind settings.Reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from .settings_text import Env, Source, Text, assemble
from .settings_types import Bad

T = TypeVar("T")


class Missing:
    """No default: the value is required."""


MISSING = Missing()


class Ledger:
    """The environment and the values file, what was asked of them, and what was wrong with the answers.

    known: paths that were asked for. whole: paths below which everything is known.
    """

    def __init__(self, environ: Mapping[str, str], values: Mapping[str, object]) -> None:
        self.environ = environ
        self.whole: set[str] = set()
        self._values = values
        self._known: set[str] = set()
        self._problems: list[str] = []

    def problems(self) -> list[str]:
        """Everything that was wrong, unknown names of the values file included."""
        return self._problems + list(self._unknown(self._values, ""))

    def note(self, problem: str) -> None:
        self._problems.append(problem)

    def required(
        self,
        path: str,
        env: str | None,
        text: Text,
        default: object,
        convert: Callable[[object, bool], T],
        instead: T,
    ) -> T:
        source = self._find(path, env, text, default)
        if source is None:
            self._problems.append(f"{self._name(path, env, text)} is required and has no value")
            return instead
        found = self._convert(source, convert)
        return instead if found is None else found

    def optional(
        self, path: str, env: str | None, text: Text, default: object, convert: Callable[[object, bool], T]
    ) -> T | None:
        source = self._find(path, env, text, MISSING if default is None else default)
        # A text that comes out empty, as that of `:+` while its variable is unset, means null where null is a value.
        if source is None or source.value is None or (source.textual and source.value == ""):
            return None
        return self._convert(source, convert)

    def _find(self, path: str, env: str | None, text: Text, default: object) -> Source | None:
        self._known.add(path)
        pieces: Text = (Env(env),) if env is not None else text
        from_env = assemble(pieces, self.environ)
        if from_env is not None and from_env.by_environment:
            return Source(from_env.value, self._name(path, env, text), textual=True)
        found, value = self._look_up(path)
        if found:
            return Source(value, f"{path} (values file)", textual=False)
        if from_env is not None:
            return Source(from_env.value, self._name(path, env, text), textual=True)
        return None if isinstance(default, Missing) else Source(default, self._name(path, env, text), textual=False)

    def _look_up(self, path: str) -> tuple[bool, object]:
        here: object = self._values
        for key in path.split("."):
            if not isinstance(here, Mapping) or key not in here:
                return False, None
            here = here[key]
        return True, here

    def _convert(self, source: Source, convert: Callable[[object, bool], T]) -> T | None:
        try:
            return convert(source.value, source.textual)
        except Bad as problem:
            self._problems.append(f"{source.name}: {problem}")
            return None

    @staticmethod
    def _name(path: str, env: str | None, text: Text) -> str:
        variables = [env] if env is not None else [piece.variable for piece in text if isinstance(piece, Env)]
        return f"{', '.join(variables)} ({path})" if variables else path

    def _unknown(self, here: Mapping[str, object], prefix: str) -> Iterable[str]:
        for key, value in here.items():
            path = f"{prefix}{key}"
            if path in self._known or path in self.whole:
                continue
            below = tuple(known for known in self._known | self.whole if known.startswith(path + "."))
            if not below:
                yield f"{path} (values file) is not a setting of this server{self._nearest(path)}"
            elif isinstance(value, Mapping):
                yield from self._unknown(value, path + ".")
            else:
                yield f"{path} (values file): expected settings by name, such as {min(below)}"

    def _nearest(self, path: str) -> str:
        near = get_close_matches(path, sorted(self._known | self.whole), n=1, cutoff=0.6)
        return f"; did you mean {near[0]}?" if near else ""
