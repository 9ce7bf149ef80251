"""What comes in: headers, body and parameters, checked and turned into the request model."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qs

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from .context import Context
from .errors import BadRequest, TooLarge
from .http_problems import explain

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

R = TypeVar("R", bound=BaseModel)

SILENCE_SECONDS = 60.0
"""How long a client may keep the server waiting for more of a request that it has begun."""


class ClientLeft(Exception):
    """The connection was closed before the request was whole."""


@dataclass(slots=True)
class Incoming:
    """One request.

    headers: by lower-case name, the last of several. params: those of the path. hear: to be called for each piece of
    the body; listen: once the request is whole, from when on its client's leaving is watched for. head: only the head
    of an answer is wanted (HEAD).
    """

    headers: Mapping[bytes, bytes]
    query: bytes
    params: Mapping[str, str]
    ctx: Context
    receive: Receive
    hear: Callable[[], None]
    listen: Callable[[], None]
    head: bool = False

    async def read_body(self, limit: int) -> bytes:
        """The whole body. Raises TooLarge, ClientLeft; cancelled where the client is silent for SILENCE_SECONDS."""
        declared = self.headers.get(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise too_large(limit)
        body, more = await self.piece()
        if more or len(body) > limit:
            body = await self._rest(body, more, limit)
        self.listen()
        return body

    async def _rest(self, first: bytes, more: bool, limit: int) -> bytes:
        pieces, size = [first], len(first)
        while more and size <= limit:
            self.hear()
            piece, more = await self.piece()
            pieces.append(piece)
            size += len(piece)
        if size > limit:
            raise too_large(limit)
        return b"".join(pieces)

    async def piece(self) -> tuple[bytes, bool]:
        """The next piece of the body, and whether there will be more. Raises ClientLeft."""
        message = await self.receive()
        if message["type"] != "http.request":
            raise ClientLeft
        return message.get("body", b""), message.get("more_body", False)


def check_json(headers: Mapping[bytes, bytes]) -> None:
    """Refuses a body that says it is something else than plain JSON; one that says nothing passes."""
    said = headers.get(b"content-type", b"application/json").split(b";", 1)[0].strip().lower()
    if said != b"application/json" and not said.endswith(b"+json"):
        raise BadRequest("the body must be JSON, with the header 'Content-Type: application/json'", code="invalid_json")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise BadRequest("the body must not be compressed", code="invalid_json")


def validate(model: type[R], body: bytes) -> R:
    """The request model, straight from the body."""
    # The parser takes NaN and Infinity, which are no JSON; the words are rare: only where they stand is looked twice.
    if b"NaN" in body or b"Infinity" in body:
        _parse(body)
    try:
        # Strict: providers get the body as it came, so "yes" must not count as true here and be a text upstream.
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise explain(error, body) from None


def validate_merged(model: type[R], params: Mapping[str, object], body: bytes | None = None) -> R:
    """The request model from parameters and, where there is one, a body; a parameter beats a member of its name."""
    content: object = {} if body is None else _parse(body)
    if not isinstance(content, dict):
        raise BadRequest("the body must be a JSON object", code="invalid_json")
    content.update(params)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise explain(error, content) from None


def parameters(model: type[BaseModel]) -> Callable[[bytes], dict[str, object]]:
    """A reader of query strings: keeps what the model knows, lists and objects (`name[key]=value`) where it wants them,
    else the first of several.

    A list comes in the ways of three clients: `name=a&name=b`, OpenAI's `name[]=a&name[]=b`, Llama Stack's `name=a,b`.
    """
    lists = {field.alias or name: _is(list, field.annotation) for name, field in model.model_fields.items()}
    objects = [field.alias or name for name, field in model.model_fields.items() if _is_object(field.annotation)]

    def read(query: bytes) -> dict[str, object]:
        if not query or not lists:
            return {}
        try:
            found = parse_qs(query.decode(), keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            raise BadRequest("the query string cannot be read") from None
        given: dict[str, object] = {}
        for key, many in lists.items():
            if many and (texts := [*found.get(key, ()), *found.get(f"{key}[]", ())]):
                given[key] = [each for text in texts for each in text.split(",")]
            elif key in found:
                given[key] = found[key][0]
        for name in objects:
            start = f"{name}["
            members = {
                key[len(start) : -1]: said[0]
                for key, said in found.items()
                if key.startswith(start) and key.endswith("]")
            }
            if members:
                given[name] = members
        return given

    return read


def _is(kind: type, annotation: object) -> bool:
    """Whether an annotation is of this generic type, or may be."""
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is(kind, choice) for choice in get_args(annotation))
    return annotation is kind or get_origin(annotation) is kind


def _is_object(annotation: object) -> bool:
    """Whether an annotation is a mapping or a model, or may be."""
    if get_origin(annotation) in (Union, types.UnionType):
        return any(map(_is_object, get_args(annotation)))
    return _is(dict, annotation) or (isinstance(annotation, type) and issubclass(annotation, BaseModel))


def _parse(body: bytes) -> object:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(f"the body is not valid JSON: {error}", code="invalid_json") from None


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes", code="request_too_large")
