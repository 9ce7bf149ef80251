"""Python source from values: literals that any value survives, expressions laid out as `ruff format` would.

    layout(call("read.url", string("base_url"), default=string("https://…")), indent=8)

One line where it fits; else the plain arguments of a call have a line of their own where that fits, and everything
else has one a line with a trailing comma. So the output of `render` needs no formatter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..plan import JsonValue

WIDTH = 120


@dataclass(frozen=True, slots=True)
class Group:
    """A bracketed list. head: the text before the bracket (`read.url`, `await open`); items: (label, expression),
    the label being what stands before it (`port=`, `"openai": `)."""

    head: str
    brackets: str
    items: tuple[tuple[str, Code], ...]

    @property
    def closing(self) -> str:
        return self.brackets[1]


Code = str | Group
"""An expression: text that cannot be broken, or a bracketed list that can."""


def call(head: str, *positional: Code, **keywords: Code) -> Group:
    """`head(positional, …, keyword=…)`."""
    items = [("", item) for item in positional]
    return Group(head, "()", (*items, *((f"{name}=", item) for name, item in keywords.items())))


def mapping(items: Iterable[tuple[str, Code]]) -> Group:
    """`{"key": value}`; keys are text and become literals."""
    return Group("", "{}", tuple((f"{string(key)}: ", value) for key, value in items))


def sequence(items: Iterable[Code], brackets: str = "[]") -> Group:
    """`[a, b]`, or `(a, b)` with brackets "()"."""
    return Group("", brackets, tuple(("", item) for item in items))


def layout(code: Code, indent: int, before: str = "", after: str = "") -> str:
    """The lines of `before + code + after`, the first one without its indent, all others indented.

    indent: columns. before and after are on the first and last line: `"x = "`, `","`.
    """
    flat = before + _flat(code) + after
    if isinstance(code, str) or not code.items or indent + len(flat) <= WIDTH:
        return flat
    inner = indent + 4
    packed = ", ".join(label + str(item) for label, item in code.items)
    if code.head and not any(isinstance(item, Group) for _, item in code.items) and inner + len(packed) <= WIDTH:
        return "\n".join(
            [before + code.head + code.brackets[0], " " * inner + packed, " " * indent + code.closing + after]
        )
    lines = [before + code.head + code.brackets[0]]
    for label, item in code.items:
        lines.append(" " * inner + layout(item, inner, label, "" if _stands_alone(code) else ","))
    lines.append(" " * indent + code.closing + after)
    return "\n".join(lines)


def _stands_alone(code: Group) -> bool:
    """ruff adds no comma after the only positional argument of a call."""
    return bool(code.head) and len(code.items) == 1 and code.items[0][0] == "" and isinstance(code.items[0][1], Group)


def _flat(code: Code) -> str:
    if isinstance(code, str):
        return code
    inside = ", ".join(label + _flat(item) for label, item in code.items)
    one_tuple = not code.head and code.brackets == "()" and len(code.items) == 1
    return f"{code.head}{code.brackets[0]}{inside}{',' if one_tuple else ''}{code.closing}"


def literal(value: JsonValue | tuple[JsonValue, ...]) -> Code:
    """A Python expression that evaluates to `value`; lists become tuples, since settings are immutable."""
    match value:
        case None | bool():
            return repr(value)
        case str():
            return string(value)
        case int():
            return repr(value)
        case float():
            return number(value)
        case list() | tuple():
            return sequence([literal(item) for item in value], "()")
        case dict():
            return mapping([(key, literal(item)) for key, item in value.items()])


def number(value: float) -> str:
    """Integral floats are written as such (`30.0`); not-a-number and infinity have no literal of their own."""
    if not math.isfinite(value):
        return f'float("{value}")'
    return repr(value).replace("e+", "e")


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    """A string literal, with the quotes that need fewer escapes; what does not print is escaped."""
    quote = "'" if '"' in text and "'" not in text else '"'
    return quote + "".join("\\" + c if c == quote else _escape(c) for c in text) + quote


def template(text: str, name: str) -> str:
    """The f-string `f"{name}text"`, for a path below a variable one."""
    escaped = "".join("\\" + c if c == '"' else {"{": "{{", "}": "}}"}.get(c) or _escape(c) for c in text)
    return f'f"{{{name}}}{escaped}"'


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    point = ord(char)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def prose(text: str) -> str:
    """Text of a spec for a comment or a docstring: one line, and nothing that could end either."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line.replace("\\", "/").replace('"', "'")


def snake(name: str) -> str:
    """`NetworkConfig` → `network_config`, `HTTPServer` → `http_server`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def from_imports(names: Mapping[str, Iterable[str]], indent: int = 0) -> list[str]:
    """`from module import a, b` lines, sorted as ruff's isort sorts them: packages first, a blank line after them.

    names: module (`.runtime.http`) → names, `Listing as ModelsListing` among them.
    """
    lines = []
    for module in sorted(names, key=_import_order):
        renamed = {each for each in names[module] if " as " in each}
        lines += [f"from {module} import {each}" for each in sorted(renamed, key=_name_order)]
        wanted = sorted(set(names[module]) - renamed, key=_name_order)
        if not wanted:
            continue
        line = f"from {module} import {', '.join(wanted)}"
        if indent + len(line) > WIDTH:
            line = (
                f"from {module} import (\n"
                + "".join(f"{'':{indent}}    {name},\n" for name in wanted)
                + f"{'':{indent}})"
            )
        lines.append(line)
    packages = sum(not module.startswith(".") for module in names)
    if 0 < packages < len(lines):
        lines[packages - 1] += "\n"
    return lines


def _import_order(module: str) -> tuple[bool, int, str]:
    dots = len(module) - len(module.lstrip("."))
    return (dots > 0, -dots, module.lower())


def _name_order(name: str) -> tuple[int, str, str]:
    """isort's order: CONSTANTS, Classes, functions; within each kind as if all were lower case."""
    if name.isupper() and len(name) > 1:
        return (0, name.lower(), name)
    return (1, name.lower(), name) if name[:1].isupper() else (2, name.lower(), name)
