"""The function calls that a model wrote, as Python, Java, JavaScript or JSON. Nothing is run.

read('[weather.get(city="Bern", days=3)]')   →  [("weather.get", {"city": "Bern", "days": 3})]
"""

from __future__ import annotations

import ast
import json
import re
from typing import TypeAlias

Call: TypeAlias = tuple[str, dict[str, object]]
"""A function's name, and its arguments by name."""

LONGEST = 20_000
"""Characters of what a model said that are read; Python's parser takes memory and depth for more."""

_FENCE = re.compile(r"^\s*```[A-Za-z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_OTHER = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(true|false|null|undefined)\b|\bnew\s+(?=[A-Za-z_])""")
_AS_PYTHON = {"true": "True", "false": "False", "null": "None", "undefined": "None"}


def read(said: str, language: str = "python") -> list[Call] | None:
    """None for what is no list of calls."""
    text = said[: LONGEST + 1].strip()
    if len(text) > LONGEST:
        return None
    fenced = _FENCE.match(text)
    text = (fenced[1] if fenced else text).strip().strip("`\n ")
    calls = _json(text)
    return _python(text, language) if calls is None else calls


def _json(text: str) -> list[Call] | None:
    """Calls as a list of {"name": …, "arguments": {…}}, or of {name: arguments}; one may stand without its list."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found: list[Call] = []
    for each in value if isinstance(value, list) else [value]:
        call = _json_call(each)
        if call is None:
            return None
        found.append(call)
    return found


def _json_call(value: object) -> Call | None:
    if not isinstance(value, dict):
        return None
    name = value.get("name")
    arguments = value.get("arguments", value.get("parameters", {}))
    if not isinstance(name, str):
        if len(value) != 1:
            return None
        ((name, arguments),) = value.items()
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    return (name, arguments) if isinstance(arguments, dict) else None


def _python(text: str, language: str) -> list[Call] | None:
    if language.lower() != "python":
        text = _OTHER.sub(lambda found: found[1] or _AS_PYTHON.get(found[2] or "", ""), text.rstrip(";"))
    if not text.startswith("["):
        text = f"[{text}]"
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.List):
        return None
    found = [_python_call(each) for each in tree.elts]
    return [each for each in found if each is not None] if all(found) else None


def _python_call(node: ast.expr) -> Call | None:
    if not isinstance(node, ast.Call):
        return None
    name = _name(node.func)
    # An argument without a name belongs to no parameter.
    if name is None or node.args or any(each.arg is None for each in node.keywords):
        return None
    return name, {str(each.arg): _value(each.value) for each in node.keywords}


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _value(node: ast.expr) -> object:
    """What an argument says; what is no literal is the text it was written as."""
    match node:
        case ast.Constant(value=value) if value is not ...:
            return value
        case ast.List(elts=elements):
            return [_value(each) for each in elements]
        case ast.Tuple(elts=elements):
            return tuple(_value(each) for each in elements)
        case ast.Dict(keys=keys, values=values) if all(keys):
            return {str(_value(key)): _value(each) for key, each in zip(keys, values, strict=True) if key is not None}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            return number
    return ast.unparse(node)
