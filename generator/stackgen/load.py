"""YAML in, plain data out, with the place of every key and value.

    name: gateway          →  Document.data == {"name": "gateway", "apis": ["models"]}
    apis: [models]            Document.at("apis", 0) == Position("specs/distributions/gateway.yaml", 2, 8)

The YAML that a spec may use is YAML 1.2's core: `yes` and `2024-01-01` are strings. Anchors, aliases, tags and
several documents
in one file are refused: a value stands where it is said, and nowhere else. What is broken comes back as
problems, never as an exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .plan import JsonValue, Position
from .problems import Problem

Where = tuple[str | int, ...]
"""Keys and indexes that lead from the top of a document to a node."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 200
_TAGS = "tag:yaml.org,2002:"

_CONSTANTS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Document:
    """One spec file. data: what it says (None where the file is broken). values, keys: (line, column) by
    `Where`, counted from 1."""

    file: str
    data: JsonValue
    values: Mapping[Where, tuple[int, int]] = field(default_factory=dict, repr=False)
    keys: Mapping[Where, tuple[int, int]] = field(default_factory=dict, repr=False)

    def at(self, *where: str | int) -> Position:
        """The place of a value; of the nearest enclosing one where there is no such value."""
        for end in range(len(where), -1, -1):
            if place := self.values.get(where[:end]):
                return Position(self.file, *place)
        return Position(self.file, 1, 1)

    def key(self, *where: str | int) -> Position:
        """The place of a key; of the value for what has none, like an item of a list."""
        place = self.keys.get(where)
        return Position(self.file, *place) if place else self.at(*where)


def load(path: Path, file: str) -> tuple[Document, list[Problem]]:
    """Read one spec file. file: the name it goes by in positions."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = Position(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        return _nothing(file, Problem("SG103", place, f"not UTF-8: byte {error.start} of the file is wrong"))
    except OSError as error:
        return _nothing(file, Problem("SG103", Position(file, 1, 1), f"cannot be read: {error.strerror or error}"))
    return parse(text, file)


def parse(text: str, file: str) -> tuple[Document, list[Problem]]:
    """The same, from text."""
    builder = _Builder(file)
    try:
        data = builder.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
        said = " ".join(part for part in (error.context, error.problem) if part)
        return _nothing(file, *builder.problems, Problem("SG101", place, said or "broken YAML"))
    except (yaml.YAMLError, _TooDeepError) as error:
        return _nothing(file, Problem("SG101", Position(file, 1, 1), " ".join(str(error).split())))
    return Document(file, data, builder.values, builder.keys), builder.problems


def _nothing(file: str, *problems: Problem) -> tuple[Document, list[Problem]]:
    return Document(file, None), list(problems)


class _TooDeepError(Exception):
    pass


class _Builder:
    """Turns the parser's events into data; collects places and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[Where, tuple[int, int]] = {}
        self.keys: dict[Where, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def document(self, events: Iterator[yaml.Event]) -> JsonValue:
        data: JsonValue = None
        count = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count == 2:
                    self._problem("SG104", event, "a second document in one file")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, ())
                data = value if count == 1 else data
        return data

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], where: Where) -> JsonValue:
        if len(where) > _MAX_DEPTH:
            raise _TooDeepError(f"more than {_MAX_DEPTH} levels deep")
        self.values[where] = _place(event)
        if isinstance(event, yaml.AliasEvent):
            self._problem("SG104", event, f"an alias (*{event.anchor}) has no place in a spec")
            return None
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.anchor:
                self._problem("SG104", event, f"an anchor (&{event.anchor}) has no place in a spec")
            if event.tag:
                self._problem("SG104", event, f"a tag ({event.tag.replace(_TAGS, '!!')}) has no place in a spec")
        if isinstance(event, yaml.ScalarEvent):
            return str(event.value) if event.style else _plain(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, where)
        return self._mapping(events, where)

    def _sequence(self, events: Iterator[yaml.Event], where: Where) -> JsonValue:
        items: list[JsonValue] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, events, (*where, len(items))))
        return items

    def _mapping(self, events: Iterator[yaml.Event], where: Where) -> JsonValue:
        found: dict[str, JsonValue] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._problem("SG104", event, "a key must be plain text")
                self._value(event, events, where)
                self._value(next(events), events, where)
                continue
            key = str(event.value)
            if key in found:
                line = self.keys[(*where, key)][0]
                self._problem("SG102", event, f"the key {key!r} stands here twice, first in line {line}")
                self._value(next(events), events, (*where, key))
                continue
            self.keys[(*where, key)] = _place(event)
            found[key] = self._value(next(events), events, (*where, key))
        return found

    def _problem(self, code: str, event: yaml.Event, message: str) -> None:
        self.problems.append(Problem(code, Position(self.file, *_place(event)), message))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _plain(text: str) -> JsonValue:
    """A plain scalar by YAML 1.2's core schema, less the spellings of infinity."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= 20 else text
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
