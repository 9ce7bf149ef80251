"""The id of an answer, under which its client will ask for it.

It is the upstream's own, as long as that can be one: 20 characters or more that stand in a URL. Some services count
their answers from 0 to 999 (Ollama), or leave the id empty (TGI); such an answer gets an id of ours, in its body or in
each of its events, before the client sees it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic_core import from_json, to_json

from ...runtime.splice import members
from ...runtime.sse import data, event, events

_SOUND = re.compile(r"[A-Za-z0-9._:-]{20,200}")
# As OpenAI orders the fields, which most services do. What it finds are members of the outermost object, since nothing
# has been opened before them.
_HEAD = re.compile(
    rb'\s*\{\s*"id"\s*:\s*"([A-Za-z0-9._:-]{20,200})"\s*,\s*"object"\s*:\s*"[a-z.]{1,40}"\s*,'
    rb'\s*"created"\s*:\s*[0-9]{1,12}\s*,\s*"model"\s*:\s*"([^"\\\x00-\x1f\x80-\xff]{0,200})"'
)


@dataclass(frozen=True, slots=True)
class Identity:
    """id: the answer's. model: what it calls the model. given: the id is one that we gave it."""

    id: str
    model: str
    given: bool


def identify(document: bytes, start: int = 0) -> Identity:
    """The identity of an answer. document: its JSON, or that of its first event, from `start` on."""
    if found := _HEAD.match(document, start):
        return Identity(found[1].decode(), found[2].decode(), given=False)
    said = from_json(document[start:])
    fields = said if isinstance(said, Mapping) else {}
    model = fields.get("model")
    name = model.replace("\x00", "") if isinstance(model, str) else ""
    id_ = fields.get("id")
    if isinstance(id_, str) and _SOUND.fullmatch(id_):
        return Identity(id_, name, given=False)
    return Identity(f"chatcmpl-{secrets.token_hex(16)}", name, given=True)


def identify_events(block: bytes) -> Identity | None:
    """The identity that a stream's first events give it; None where they say nothing."""
    for each in events(block):
        said = data(each)
        if said is not None:
            return identify(said)
    return None


def could_be_an_id(text: str) -> bool:
    """Whether anything can be kept under it."""
    return _SOUND.fullmatch(text) is not None


def with_id(document: bytes, id_: str) -> bytes:
    """The object with this id, otherwise byte for byte as it was."""
    new = to_json(id_)
    pieces: list[bytes] = []
    done = 0
    for member in members(document):
        if member.key == "id":
            pieces += (document[done : member.start], new)
            done = member.end
    if not pieces:
        start = document.index(b"{") + 1
        comma = b"" if document[start:].lstrip().startswith(b"}") else b","
        pieces, done = [document[:start], b'"id":', new, comma], start
    return b"".join((*pieces, document[done:]))


def events_with_id(block: bytes, id_: str) -> bytes:
    """The events with this id in each."""
    renamed: list[bytes] = []
    for each in events(block):
        said = data(each)
        renamed.append(each + b"\n\n" if said is None else event(with_id(said, id_)))
    return b"".join(renamed)
