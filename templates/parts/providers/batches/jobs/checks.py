"""Looking through the lines of an input file, before any of them is run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydantic_core import from_json

from ....runtime.errors import BadRequest
from ....runtime.splice import members

LONGEST_ID = 512
"""Characters of a custom_id."""

_SHOWN = 100

_Said = tuple[str, str, str]
"""Code, message and param of a fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a file, as OpenAI's batch errors tell it. line: None for the file as a whole."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A line that can be run. custom_id, body: as they stand in it, JSON. model: that the body names."""

    line: int
    custom_id: bytes
    body: bytes
    model: str


@dataclass(slots=True)
class Checker:
    """endpoint: the path that every line is to name. check: of a body: its model; raises BadRequest."""

    endpoint: str
    check: Callable[[bytes], str]
    _seen: dict[bytes, int] = field(default_factory=dict)

    def look(self, number: int, line: bytes) -> Request | list[Fault]:
        """The request of a line, or all that is wrong with it."""
        try:
            content = from_json(line, allow_inf_nan=False)
        except ValueError as error:
            return [Fault("invalid_json_line", f"the line is not valid JSON: {error}", None, number)]
        if not isinstance(content, dict):
            return [Fault("invalid_json_line", "the line must be a JSON object", None, number)]
        # What is run is what stands there: no number of it is read and written anew.
        texts = {each.key: line[each.start : each.end] for each in members(line)}
        faults = [*self._about(number, content)]
        model, body_faults = self._body(content.get("body"), texts.get("body", b""))
        if faults or body_faults:
            return [Fault(code, message, param, number) for code, message, param in (*faults, *body_faults)]
        return Request(number, texts["custom_id"], texts["body"], model)

    def _about(self, number: int, content: dict[str, object]) -> Iterator[_Said]:
        """What is wrong beside the body."""
        for key in ("custom_id", "method", "url", "body"):
            if content.get(key) is None:
                yield "missing_required_parameter", f"{key} is required", key
        custom_id, method, url = (content.get(key) for key in ("custom_id", "method", "url"))
        if custom_id is not None:
            yield from self._id(number, custom_id)
        if method is not None and method != "POST":
            yield "invalid_method", f"method: expected 'POST', not {_shown(method)}", "method"
        if url is not None and url != self.endpoint:
            said = f"url: expected {self.endpoint!r}, the endpoint of the batch, not {_shown(url)}"
            yield "invalid_url", said, "url"

    def _id(self, number: int, custom_id: object) -> Iterator[_Said]:
        if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= LONGEST_ID:
            yield "invalid_custom_id", f"custom_id: expected a text of 1 to {LONGEST_ID} characters", "custom_id"
            return
        # Digests, since else 50,000 texts of any length would be held.
        first = self._seen.setdefault(hashlib.blake2b(custom_id.encode(), digest_size=16).digest(), number)
        if first != number:
            yield "duplicate_custom_id", f"custom_id: {_shown(custom_id)} stands in line {first} already", "custom_id"

    def _body(self, body: object, text: bytes) -> tuple[str, list[_Said]]:
        """The model, and what is wrong."""
        if body is None:
            return "", []
        if not isinstance(body, dict):
            return "", [("invalid_request", "body: expected a JSON object", "body")]
        if body.get("stream"):
            said = "body.stream: the requests of a batch cannot be streamed"
            return "", [("streaming_unsupported", said, "body.stream")]
        try:
            return self.check(text), []
        except BadRequest as error:
            within = f"body.{error.message}" if error.param else f"body: {error.message}"
            return "", [(error.code or "invalid_request", within, f"body.{error.param}" if error.param else "body")]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
