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

from collections.abc import Mapping, Sequence
from typing import TypeVar

from .errors import SettingsError
from .secret import Secret
from .settings_ledger import MISSING, Ledger, Missing
from .settings_text import Env, Text
from .settings_types import (
    Bounds,
    to_boolean,
    to_choice,
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

C = TypeVar("C", bound=str)


class Reader:
    """Reads typed values out of an environment and a nested values mapping."""

    def __init__(self, environ: Mapping[str, str], values: Mapping[str, object]) -> None:
        self._ledger = Ledger(environ, values)

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def string(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | Missing = MISSING,
        pattern: str | None = None,
    ) -> str:
        """A string, matching `pattern` (searched, as JSON Schema does)."""
        return self._ledger.required(path, env, text, default, to_string(Bounds(pattern=pattern)), "")

    def optional_string(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | None = None,
        pattern: str | None = None,
    ) -> str | None:
        return self._ledger.optional(path, env, text, default, to_string(Bounds(pattern=pattern)))

    def choice(
        self,
        path: str,
        *,
        choices: tuple[C, ...],
        env: str | None = None,
        text: Text = (),
        default: C | Missing = MISSING,
    ) -> C:
        """One of some strings, which the type checker knows by name."""
        return self._ledger.required(path, env, text, default, to_choice(choices), choices[0])

    def optional_choice(
        self,
        path: str,
        *,
        choices: tuple[C, ...],
        env: str | None = None,
        text: Text = (),
        default: C | None = None,
    ) -> C | None:
        return self._ledger.optional(path, env, text, default, to_choice(choices))

    def url(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | Missing = MISSING,
        pattern: str | None = None,
    ) -> str:
        """An http or https URL that names a host."""
        return self._ledger.required(path, env, text, default, to_url(Bounds(pattern=pattern)), "")

    def optional_url(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: str | None = None,
        pattern: str | None = None,
    ) -> str | None:
        return self._ledger.optional(path, env, text, default, to_url(Bounds(pattern=pattern)))

    def path(self, path: str, *, env: str | None = None, text: Text = (), default: str | Missing = MISSING) -> str:
        """A file's or folder's name; a leading `~` becomes the home directory."""
        return self._ledger.required(path, env, text, default, to_path, "")

    def optional_path(
        self, path: str, *, env: str | None = None, text: Text = (), default: str | None = None
    ) -> str | None:
        return self._ledger.optional(path, env, text, default, to_path)

    def secret(self, path: str, *, env: str | None = None, text: Text = (), default: str | Missing = MISSING) -> Secret:
        """A credential; its default is plain text, as the distribution has it."""
        return self._ledger.required(path, env, text, default, to_secret, Secret(""))

    def optional_secret(
        self, path: str, *, env: str | None = None, text: Text = (), default: str | None = None
    ) -> Secret | None:
        """As `secret`; an empty text means that there is none."""
        found = self._ledger.optional(path, env, text, default, to_secret)
        return found if found is not None and found.reveal() else None

    def integer(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: int | Missing = MISSING,
        choices: tuple[int, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> int:
        return self._ledger.required(path, env, text, default, to_integer(Bounds(choices, minimum, maximum)), 0)

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
        return self._ledger.optional(path, env, text, default, to_integer(Bounds(choices, minimum, maximum)))

    def number(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: float | Missing = MISSING,
        choices: tuple[float, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> float:
        """A finite number."""
        return self._ledger.required(path, env, text, default, to_number(Bounds(choices, minimum, maximum)), 0.0)

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
        return self._ledger.optional(path, env, text, default, to_number(Bounds(choices, minimum, maximum)))

    def boolean(self, path: str, *, env: str | None = None, text: Text = (), default: bool | Missing = MISSING) -> bool:
        """true, false, 1, 0, yes or no, in any case."""
        return self._ledger.required(path, env, text, default, to_boolean, False)

    def optional_boolean(
        self, path: str, *, env: str | None = None, text: Text = (), default: bool | None = None
    ) -> bool | None:
        return self._ledger.optional(path, env, text, default, to_boolean)

    def strings(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: Sequence[str] | Missing = MISSING,
        choices: tuple[str, ...] = (),
        pattern: str | None = None,
    ) -> tuple[str, ...]:
        """A list of strings; in a variable, comma separated, with blanks around each one dropped."""
        return self._ledger.required(path, env, text, default, to_strings(Bounds(choices=choices, pattern=pattern)), ())

    def optional_strings(
        self,
        path: str,
        *,
        env: str | None = None,
        text: Text = (),
        default: Sequence[str] | None = None,
        choices: tuple[str, ...] = (),
        pattern: str | None = None,
    ) -> tuple[str, ...] | None:
        return self._ledger.optional(path, env, text, default, to_strings(Bounds(choices=choices, pattern=pattern)))

    def string_map(
        self, path: str, *, env: str | None = None, text: Text = (), default: Mapping[str, str] | Missing = MISSING
    ) -> Mapping[str, str]:
        """Names and texts; in a variable, a JSON object."""
        self._ledger.whole.add(path)
        return self._ledger.required(path, env, text, default, to_string_map, {})

    def optional_string_map(
        self, path: str, *, env: str | None = None, text: Text = (), default: Mapping[str, str] | None = None
    ) -> Mapping[str, str] | None:
        self._ledger.whole.add(path)
        return self._ledger.optional(path, env, text, default, to_string_map)

    # ── gates ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def enabled(self, variable: str, *, at: str | None = None) -> bool:
        """Whether a gate is open: its variable is set and not empty.

        at: the path of what stands behind it; while the gate is shut, its values are known, and not read.
        """
        opened = bool(self._ledger.environ.get(variable))
        if at is not None and not opened:
            self._ledger.whole.add(at)
        return opened

    def note(self, problem: str) -> None:
        """Something else that keeps the server from starting, to be told with the rest."""
        self._ledger.note(problem)

    def finish(self) -> None:
        """Raises SettingsError if anything was missing, malformed or unknown."""
        if problems := self._ledger.problems():
            raise SettingsError(problems)
