"""A tree as YAML text, as a careful person writes it: block style, in order, quoted only where it must be.

providers:
  inference:
    # bedrock is left out: there is no provider 'remote::bedrock' of inference (run.yaml:33)
    - id: ${env.OPENAI_API_KEY:+openai}
      type: remote::openai
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from ..load import parse
from ..plan import Scalar
from .tree import Branch, Item, Leaf, Node, Note, entries

_PLAIN = re.compile(r"[A-Za-z0-9$/_.][^\s#:]*(?:(?: +|:(?=\S)|(?<=\S)#)[^\s#:]*)*")
_FLOWING = re.compile(r"[A-Za-z0-9_.-]+")


def emit(root: Branch) -> str:
    """The whole file, ending in a newline. A mapping at the top."""
    return "".join(f"{line}\n" for line in _block(root, ""))


def _block(branch: Branch, indent: str) -> Iterator[str]:
    for each in branch.items:
        if isinstance(each, Note):
            yield from (f"{indent}# {line}".rstrip() for line in each.text.splitlines())
        elif branch.listed:
            yield from _listed(each, indent)
        else:
            yield from _keyed(each, indent)


def _keyed(item: Item, indent: str) -> Iterator[str]:
    key = f"{indent}{scalar(item.key)}:"
    if (short := _short(item.node)) is not None:
        yield f"{key} {short}"
    else:
        assert isinstance(item.node, Branch)
        yield key
        yield from _block(item.node, f"{indent}  ")


def _listed(item: Item, indent: str) -> Iterator[str]:
    if (short := _short(item.node)) is not None:
        yield f"{indent}- {short}"
        return
    assert isinstance(item.node, Branch)
    lines = list(_block(item.node, f"{indent}  "))
    first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (f"{indent}{line.lstrip()}" for line in lines[:first])  # comments, which stand before the dash
    yield f"{indent}- {lines[first][len(indent) + 2 :]}"
    yield from lines[first + 1 :]


def _short(node: Node) -> str | None:
    """What fits behind the key: a scalar, something empty, a list of words."""
    if isinstance(node, Leaf):
        return scalar(node.value)
    if not entries(node):
        return "[]" if node.listed else "{}"
    words = [each.node.value for each in entries(node) if isinstance(each.node, Leaf)]
    if not node.listed or len(words) != len(node.items):
        return None
    texts = [scalar(each) for each in words]
    flow = f"[{', '.join(texts)}]"
    return flow if len(flow) <= 100 and all(_FLOWING.fullmatch(each) for each in texts) else None


def scalar(value: Scalar) -> str:
    """A value as YAML 1.2 and 1.1 read it alike."""
    if isinstance(value, str):
        return value if _may_be_plain(value) else _quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


def _may_be_plain(value: str) -> bool:
    return (
        _PLAIN.fullmatch(value) is not None
        and value.isprintable()
        and not value.endswith(" ")
        and yaml.safe_load(value) == value  # YAML 1.1, where `yes` is no text
        and parse(value, "")[0].data == value
    )


def _quoted(value: str) -> str:
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return {"\n": "\\n", "\t": "\\t"}.get(char) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
