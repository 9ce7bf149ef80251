"""From a raw setting to its type, or a `Bad` that says what was expected, in words that show no secret.

A converter takes the value and whether it is *textual*: text from the environment stands for any type, a value of the
values file has a type of its own.
"""

from __future__ import annotations

import json
import math
import os.path
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from .secret import Secret

C = TypeVar("C", bound=str)

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Bad(Exception):
    """A value that cannot be used."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a value must keep to, in JSON Schema's words."""

    choices: tuple[object, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None

    def check_text(self, text: str) -> str:
        if self.choices and text not in self.choices:
            raise Bad(f"expected one of {', '.join(map(str, self.choices))}, found {text!r}")
        if self.pattern is not None and not re.search(self.pattern, text):
            raise Bad(f"expected text that matches {self.pattern}, found {text!r}")
        return text

    def check_number(self, number: float) -> None:
        if self.choices and number not in self.choices:
            raise Bad(f"expected one of {', '.join(map(str, self.choices))}, found {number}")
        if self.minimum is not None and number < self.minimum:
            raise Bad(f"expected {self.minimum:g} or more, found {number}")
        if self.maximum is not None and number > self.maximum:
            raise Bad(f"expected {self.maximum:g} or less, found {number}")


def to_string(bounds: Bounds) -> Callable[[object, bool], str]:
    return lambda value, _: bounds.check_text(_a_string(value))


def to_choice(choices: tuple[C, ...]) -> Callable[[object, bool], C]:
    def convert(value: object, _: bool) -> C:
        text = _a_string(value)
        for choice in choices:
            if choice == text:
                return choice
        raise Bad(f"expected one of {', '.join(choices)}, found {text!r}")

    return convert


def to_url(bounds: Bounds) -> Callable[[object, bool], str]:
    def convert(value: object, _: bool) -> str:
        text = _a_string(value).strip()
        try:
            parts = urlsplit(text)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or re.search(r"\s", text):
            # A URL can hold a password: it is not shown.
            raise Bad("expected a URL that starts with http:// or https:// and names a host")
        return bounds.check_text(text)

    return convert


def to_path(value: object, _: bool) -> str:
    text = _a_string(value)
    if not text:
        raise Bad("expected the name of a file or folder, found nothing")
    return os.path.expanduser(text)


def to_secret(value: object, _: bool) -> Secret:
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # YAML reads a key of digits as a number.
        return Secret(str(value))
    raise Bad("expected text")


def to_integer(bounds: Bounds) -> Callable[[object, bool], int]:
    def convert(value: object, textual: bool) -> int:
        if textual and isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,30}\s*", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Bad(f"expected a whole number, found {_shown(value)}")
        bounds.check_number(value)
        return value

    return convert


def to_number(bounds: Bounds) -> Callable[[object, bool], float]:
    def convert(value: object, textual: bool) -> float:
        if textual and isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise Bad(f"expected a number, found {_shown(value)}") from None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Bad(f"expected a number, found {_shown(value)}")
        bounds.check_number(value)
        return float(value)

    return convert


def to_boolean(value: object, textual: bool) -> bool:
    if isinstance(value, bool):
        return value
    if textual and isinstance(value, str) and (known := _BOOLEANS.get(value.strip().lower())) is not None:
        return known
    raise Bad(f"expected true or false, found {_shown(value)}")


def to_strings(bounds: Bounds) -> Callable[[object, bool], tuple[str, ...]]:
    def convert(value: object, textual: bool) -> tuple[str, ...]:
        if textual and isinstance(value, str):
            value = [text for piece in value.split(",") if (text := piece.strip())]
        if not isinstance(value, list | tuple):
            raise Bad(f"expected a list, found {_shown(value)}")
        return tuple(bounds.check_text(_a_string(item)) for item in value)

    return convert


def to_string_map(value: object, textual: bool) -> Mapping[str, str]:
    # Values are often headers, and headers are often credentials: no message shows one.
    if textual and isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except ValueError:
            raise Bad("expected a JSON object") from None
    if not isinstance(value, Mapping):
        raise Bad("expected names and texts")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise Bad(f"expected text for {name!r}")
    return dict(value)


def _a_string(value: object) -> str:
    if not isinstance(value, str):
        raise Bad(f"expected text, found {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """A value in a message, at most a line of it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
