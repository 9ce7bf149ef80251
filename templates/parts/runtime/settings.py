"""Reading settings: environment, then the values file, then the default; every problem told together, by name.

    read = Reader(os.environ, {"server": {"port": 9000}})
    port = read.integer("server.port", env="PORT", default=8321, minimum=1, maximum=65535)
    base_url = read.url("providers.inference.nvidia.base_url", text=("https://", Env("NVIDIA_HOST"), "/v1"))
    if read.enabled("OPENAI_API_KEY", at="providers.inference.openai"):
        api_key = read.secret("providers.inference.openai.api_key", env="OPENAI_API_KEY")
    read.finish()

Each method names one value by its path in the values file. `env="X"` is short for `text=(Env("X"),)`; a text of several
pieces is put together from all of them, and the values file has its say only while none of its variables is set. A
variable that is set but empty counts as not set. Without a default a value is required, the `optional_` twins aside,
which give None. A method that meets a problem notes it and returns something of its type; `finish` raises. No message
shows a secret's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from .secret import Secret
from .settings_text import Env, Source, Text, assemble
from .settings_types import (
    Bad,
    Bounds,
    to_boolean,
    to_integer,
    to_number,
    to_path,
    to_secret,
    to_string,
    to_string_map,
    to_strings,
    to_url,
)

__all__ = ["Env", "Reader", "SettingsError"]

T = TypeVar("T")


class SettingsError(Exception):
    """Everything that is wrong with the settings; `problems` holds a line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class _Missing:
    """No default: the value is required."""


MISSING = _Missing()


class Reader:
    """Reads typed values out of an environment and a nested values mapping."""

    def __init__(self, environ: Mapping[str, str], values: Mapping[str, object]) -> None:
        self._environ = environ
        self._values = values
        self._known: set[str] = set()
        self._whole: set[str] = set()
        self._problems: list[str] = []

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def string(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | _Missing = MISSING,
        choices: tuple[str, ...] = (),
        pattern: str | None = None,
    ) -> str:
        """A string, of `choices` if there are any, matching `pattern` (searched, as JSON Schema does)."""
        return self._required(path, env, text, default, to_string(Bounds(choices=choices, pattern=pattern)), "")

    def optional_string(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | None = None,
        choices: tuple[str, ...] = (),
        pattern: str | None = None,
    ) -> str | None:
        return self._optional(path, env, text, default, to_string(Bounds(choices=choices, pattern=pattern)))

    def url(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | _Missing = MISSING,
        pattern: str | None = None,
    ) -> str:
        """An http or https URL that names a host."""
        return self._required(path, env, text, default, to_url(Bounds(pattern=pattern)), "")

    def optional_url(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | None = None,
        pattern: str | None = None,
    ) -> str | None:
        return self._optional(path, env, text, default, to_url(Bounds(pattern=pattern)))

    def path(self, path: str, *, env: str | None = None, text: Text = (), default: str | _Missing = MISSING) -> str:
        """A file's or folder's name; a leading `~` becomes the home directory."""
        return self._required(path, env, text, default, to_path, "")

    def optional_path(
        self, path: str, *, env: str | None = None, text: Text = (), default: str | None = None
    ) -> str | None:
        return self._optional(path, env, text, default, to_path)

    def secret(
        self, path: str, *, env: str | None = None, text: Text = (), default: str | _Missing = MISSING
    ) -> Secret:
        """A credential; its default is plain text, as the distribution has it."""
        return self._required(path, env, text, default, to_secret, Secret(""))

    def optional_secret(
        self, path: str, *, env: str | None = None, text: Text = (), default: str | None = None
    ) -> Secret | None:
        """As `secret`; an empty text means that there is none."""
        found = self._optional(path, env, text, default, to_secret)
        return found if found is not None and found.reveal() else None

    def integer(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: int | _Missing = MISSING,
        choices: tuple[int, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> int:
        return self._required(path, env, text, default, to_integer(Bounds(choices, minimum, maximum)), 0)

    def optional_integer(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: int | None = None,
        choices: tuple[int, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> int | None:
        return self._optional(path, env, text, default, to_integer(Bounds(choices, minimum, maximum)))

    def number(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: float | _Missing = MISSING,
        choices: tuple[float, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> float:
        """A finite number."""
        return self._required(path, env, text, default, to_number(Bounds(choices, minimum, maximum)), 0.0)

    def optional_number(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: float | None = None,
        choices: tuple[float, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> float | None:
        return self._optional(path, env, text, default, to_number(Bounds(choices, minimum, maximum)))

    def boolean(
        self, path: str, *, env: str | None = None, text: Text = (), default: bool | _Missing = MISSING
    ) -> bool:
        """true, false, 1, 0, yes or no, in any case."""
        return self._required(path, env, text, default, to_boolean, False)

    def optional_boolean(
        self, path: str, *, env: str | None = None, text: Text = (), default: bool | None = None
    ) -> bool | None:
        return self._optional(path, env, text, default, to_boolean)

    def strings(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: tuple[str, ...] | _Missing = MISSING,
        choices: tuple[str, ...] = (),
        pattern: str | None = None,
    ) -> tuple[str, ...]:
        """A list of strings; in a variable, comma separated, with blanks around each one dropped."""
        return self._required(path, env, text, default, to_strings(Bounds(choices=choices, pattern=pattern)), ())

    def optional_strings(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: tuple[str, ...] | None = None,
        choices: tuple[str, ...] = (),
        pattern: str | None = None,
    ) -> tuple[str, ...] | None:
        return self._optional(path, env, text, default, to_strings(Bounds(choices=choices, pattern=pattern)))

    def string_map(
        self, path: str, *, env: str | None = None, text: Text = (), default: Mapping[str, str] | _Missing = MISSING
    ) -> Mapping[str, str]:
        """Names and texts; in a variable, a JSON object."""
        self._whole.add(path)
        return self._required(path, env, text, default, to_string_map, {})

    def optional_string_map(
        self, path: str, *, env: str | None = None, text: Text = (), default: Mapping[str, str] | None = None
    ) -> Mapping[str, str] | None:
        self._whole.add(path)
        return self._optional(path, env, text, default, to_string_map)

    # ── gates ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def enabled(self, variable: str, *, at: str | None = None) -> bool:
        """Whether a gate is open: its variable is set and not empty.

        at: the path of what stands behind it; while the gate is shut, its values are known, and not read.
        """
        opened = bool(self._environ.get(variable))
        if at is not None and not opened:
            self._whole.add(at)
        return opened

    def finish(self) -> None:
        """Raises SettingsError if anything was missing, malformed or unknown."""
        problems = self._problems + list(self._unknown(self._values, ""))
        if problems:
            raise SettingsError(problems)

    # ── one value ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _required(
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

    def _optional(
        self, path: str, env: str | None, text: Text, default: object, convert: Callable[[object, bool], T]
    ) -> T | None:
        source = self._find(path, env, text, MISSING if default is None else default)
        return None if source is None or source.value is None else self._convert(source, convert)

    def _find(self, path: str, env: str | None, text: Text, default: object) -> Source | None:
        self._known.add(path)
        pieces: Text = (Env(env),) if env is not None else text
        from_env = assemble(pieces, self._environ)
        if from_env is not None and from_env.by_environment:
            return Source(from_env.value, self._name(path, env, text), textual=True)
        found, value = self._look_up(path)
        if found:
            return Source(value, f"{path} (values file)", textual=False)
        if from_env is not None:
            return Source(from_env.value, self._name(path, env, text), textual=True)
        return None if isinstance(default, _Missing) else Source(default, self._name(path, env, text), textual=False)

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

    # ── unknown keys ────────────────────────────────────────────────────────────────────────────────────────────────

    def _unknown(self, here: Mapping[str, object], prefix: str) -> Iterable[str]:
        for key, value in here.items():
            path = f"{prefix}{key}"
            if path in self._known or path in self._whole:
                continue
            below = tuple(known for known in self._known | self._whole if known.startswith(path + "."))
            if not below:
                yield f"{path} (values file) is not a setting of this server{self._nearest(path)}"
            elif isinstance(value, Mapping):
                yield from self._unknown(value, path + ".")
            else:
                yield f"{path} (values file): expected settings by name, such as {min(below)}"

    def _nearest(self, path: str) -> str:
        near = get_close_matches(path, sorted(self._known | self._whole), n=1, cutoff=0.6)
        return f"; did you mean {near[0]}?" if near else ""
