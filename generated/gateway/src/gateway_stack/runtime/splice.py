"""Rewriting a validated JSON body in place: the model's name, and the wish for usage at the end of a stream.

    rewrite(b'{"model": "nvidia/llama", "stream": true}', model="llama", include_usage=True)
    → b'{"stream_options":{"include_usage":true},"model": "llama", "stream": true}'

Nothing else of the body changes, not a byte: no number is re-read, no key re-ordered, no unknown field lost. The usual
body names `model` once and costs one search; one that spells a key with escapes, repeats it, or nests another `model`
is walked token by token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic_core import to_json

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_MODEL = re.compile(rb'"model"\s*:\s*(' + _STRING + rb")", re.DOTALL)
_TOKEN = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_COLON = re.compile(rb"\s*:\s*")
_SCALAR = re.compile(rb"[^\s,}\]]+")
_ASK_USAGE = b'"stream_options":{"include_usage":true}'


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the outermost object: its key, and where its value stands."""

    key: str
    start: int
    end: int


def rewrite(body: bytes, *, model: str, include_usage: bool = False) -> bytes:
    """The body with `model` as its model and, if `include_usage`, with `stream_options.include_usage` true.

    body: a JSON object that has a top-level `model` string; whoever calls has validated it.
    """
    body = _with_model(body, to_json(model))
    return _with_usage(body) if include_usage else body


def members(body: bytes) -> Iterator[Member]:
    """The members of the outermost object, in order, repeated keys included."""
    depth = 0
    key: str | None = None
    start = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first == 0x22:  # a string
            if depth == 1 and key is None and (colon := _COLON.match(body, token.end())):
                key, start = _text(token.group()), colon.end()
                if body[start] not in b'"{[' and (scalar := _SCALAR.match(body, start)):
                    yield Member(key, start, scalar.end())
                    key = None
            elif depth == 1 and key is not None:
                yield Member(key, start, token.end())
                key = None
        elif first in b"{[":
            depth += 1
        else:
            depth -= 1
            if depth == 1 and key is not None:
                yield Member(key, start, token.end())
                key = None


def _with_model(body: bytes, model: bytes) -> bytes:
    # With one plain spelling in the body, and no escape that could be another, that one is the validated top-level key.
    at = body.find(b'"model"')
    alone = body.find(b'"model"', at + 1) < 0 and rb"\u00" not in body
    if alone and at >= 0 and (found := _MODEL.match(body, at)):
        return b"".join((body[: found.start(1)], model, body[found.end(1) :]))
    return _replace(body, [member for member in members(body) if member.key == "model"], lambda _: model)


def _with_usage(body: bytes) -> bytes:
    if b'"stream_options"' in body or rb"\u00" in body:
        found = [member for member in members(body) if member.key == "stream_options"]
        if found:
            return _replace(body, found, _asking)
    start = body.index(b"{") + 1
    return b"".join((body[:start], _ASK_USAGE, b",", body[start:]))


def _asking(value: bytes) -> bytes:
    """The value of a `stream_options`, asking for usage; one that is no object asks for nothing else."""
    options = json.loads(value)
    kept = options if isinstance(options, dict) else {}
    return json.dumps({**kept, "include_usage": True}, separators=(",", ":")).encode()


def _replace(body: bytes, found: list[Member], value: Callable[[bytes], bytes]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for member in found:
        pieces += (body[done : member.start], value(body[member.start : member.end]))
        done = member.end
    return b"".join((*pieces, body[done:]))


def _text(token: bytes) -> str:
    return str(json.loads(token)) if b"\\" in token else token[1:-1].decode()
