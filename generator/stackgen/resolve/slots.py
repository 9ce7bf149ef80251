"""Environment slots: `${env.…}` in a distribution, cut out of the text around them.

    "http://${env.HOST:=localhost}:8000"  →  ("http://", Slot("HOST", "default", "localhost"), ":8000")

The whole rule book, beside what Llama Stack does with the same text:

| text                         | here                                                      | Llama Stack             |
| ---------------------------- | --------------------------------------------------------- | ----------------------- |
| `${env.X}`                   | required; unset or empty is missing, told with all others | the same, one at a time |
| `${env.X:=text}`             | text when unset or empty; it must fit the value's type    | text, type guessed      |
| `${env.X:=}`                 | null if the value may be null, else "" if it is a string, | null                    |
|                              | else a build error                                        |                         |
| `${env.X:+text}`             | text when set and not empty, else as `:=` with empty text | text, else null         |
| `a${env.X}b${env.Y}`         | in strings, secrets, URLs and paths only                  | anywhere, type guessed  |
| `${env.x}`, `${env.X:-a}`    | build error, with the nearest valid form                  | stays as it is          |
| `${X}`                       | build error: a `$` and a brace always begin a slot        | stays as it is          |
| `$${env.X}`                  | the text `${env.X}`                                       | cannot be written       |
| `${env.A:=${env.B}}`         | build error                                               | a stray brace           |
| `${env.A:={"a": 1}}`         | build error: a text holds no braces                       | a stray brace           |
| a slot in a key              | build error                                               | ignored                 |
| numeric API key              | a string: types come from the provider's schema           | a number                |
| X in an integer and a secret | build error naming both places                            | no error                |
| `~` at the start             | the home folder, in values of format `path` only          | in every value          |
| `id: ${env.X:+name}`         | there when X is set; else the entry's config is not read  | config is still read    |
| `id: ${env.X:=__disabled__}` | build error: write `${env.X:+name}`                       | disabled                |
| a list of strings            | one slot for the whole list, comma-separated              | a string                |
| a mapping                    | never from the environment                                | item by item            |
| a resource with an empty id  | left out at start-up                                      | the same                |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..plan import Kind, Scalar, Slot

STRING_LIKE: frozenset[Kind] = frozenset({"string", "secret", "url", "path"})

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_BODY = re.compile(r"env\.(?P<name>[A-Z_][A-Z0-9_]*)(?::(?P<mode>[=+])(?P<text>.*))?", re.DOTALL)
_ATTEMPT = re.compile(
    r"(?:env[.:]?)?(?P<name>[^:=+?]*)(?P<operator>:[=+\-?]?|[=+?]?)(?P<text>.*)", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A text that is no slot, or not allowed. nearest: the valid form probably meant."""

    message: str
    found: str
    nearest: str | None = None


def holds_slot(text: str) -> bool:
    """Whether there is anything in it to substitute or unescape."""
    return "${" in text


def cut(text: str) -> tuple[str | Slot, ...] | Malformed:
    """The text cut at its slots, escapes undone; neighbouring texts joined, empty ones left out."""
    parts: list[str | Slot] = []
    plain = ""
    at = 0
    while at < len(text):
        if text.startswith("$${", at):
            plain, at = plain + "${", at + 3
        elif text.startswith("${", at):
            end = text.find("}", at)
            if end < 0:
                return Malformed("a slot is never closed", text[at:], f"{text[at:]}}}")
            slot = _slot(text[at + 2 : end])
            if isinstance(slot, Malformed):
                return slot
            parts += [plain, slot] if plain else [slot]
            plain, at = "", end + 1
        else:
            plain, at = plain + text[at], at + 1
    return (*parts, plain) if plain else tuple(parts)


def unset_text(parts: tuple[str | Slot, ...]) -> str | None:
    """What the text is with no variable set; None if a required one is missing then."""
    if any(isinstance(part, Slot) and part.mode == "required" for part in parts):
        return None
    return "".join(part if isinstance(part, str) else part.text * (part.mode == "default") for part in parts)


def convert(kind: Kind, text: str) -> Scalar | list[str]:
    """The value that a text is, as the generated server reads it from the environment. Raises ValueError with
    what was expected."""
    if kind == "integer":
        if not re.fullmatch(r"[-+]?[0-9]+", text):
            raise ValueError("an integer")
        return int(text)
    if kind == "number":
        if not re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
            raise ValueError("a number")
        return float(text)
    if kind == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ValueError("true or false")
        return _BOOLEANS[text.lower()]
    if kind == "strings":
        return [item.strip() for item in text.split(",") if item.strip()]
    if kind == "url" and not re.match(r"https?://[^/\s]", text):
        raise ValueError("a URL, http:// or https://")
    return text


def _slot(body: str) -> Slot | Malformed:
    found = f"${{{body}}}"
    if "${" in body:
        return Malformed("a slot cannot hold another slot", found)
    match = _BODY.fullmatch(body)
    if match is None:
        return Malformed("this is no environment slot", found, _nearest_form(body))
    text = match["text"] or ""
    if "{" in text:
        return Malformed("the text of a slot cannot hold braces: the first } ends it", found)
    mode = match["mode"]
    return Slot(match["name"], "required" if mode is None else "default" if mode == "=" else "if_set", text)


def _nearest_form(body: str) -> str | None:
    match = _ATTEMPT.fullmatch(body.strip())
    # A brace in the text would be the next complaint.
    if match is None or "{" in match["text"]:
        return None
    name = re.sub(r"[^A-Z0-9_]", "_", match["name"].strip().upper())
    if not _NAME.fullmatch(name):
        return None
    operator = match["operator"]
    tail = "" if not operator.strip(":") and not match["text"] else (":+" if "+" in operator else ":=") + match["text"]
    return f"${{env.{name}{tail}}}"
