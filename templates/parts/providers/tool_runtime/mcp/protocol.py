"""JSON-RPC as the Model Context Protocol uses it: messages made and read, without I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic_core import from_json

from ....runtime.errors import UpstreamError

Json = Mapping[str, object]

VERSION = "2025-11-25"
"""The newest revision that is spoken here; a server answers the one that it takes."""

VERSIONS = frozenset({VERSION, "2025-06-18", "2025-03-26", "2024-11-05"})

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602

CLIENT = {"name": "stackgen", "version": "1"}


class RpcError(Exception):
    """A server's answer that is an error. message: its own words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SessionLost(Exception):
    """The server does not know the session any longer; it has not looked at the request."""


def request(number: int, method: str, params: Json | None = None) -> bytes:
    return _dumped({"jsonrpc": "2.0", "id": number, "method": method, **({} if params is None else {"params": params})})


def notification(method: str, params: Json | None = None) -> bytes:
    return _dumped({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})


def hello() -> Json:
    """The params of `initialize`. Nothing is offered: no sampling, no roots, nobody to be asked."""
    return {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": CLIENT}


def read(text: bytes, host: str) -> Sequence[Json]:
    """The messages of a body or an event: one, or a batch. Raises UpstreamError for what is none."""
    try:
        document = from_json(text)
    except ValueError:
        document = None
    found = document if isinstance(document, list) else [document]
    messages = [each for each in found if isinstance(each, dict) and each.get("jsonrpc") == "2.0"]
    if not messages or len(messages) != len(found):
        raise UpstreamError(f"{host} answered what is no JSON-RPC", code="upstream_invalid_answer")
    return messages


def is_answer(message: Json, number: int) -> bool:
    """Whether this is the answer to the request of that number."""
    # To Python true is 1, and 1.0 too.
    same = message.get("id") == number and not isinstance(message.get("id"), bool)
    return same and "method" not in message


def result_of(message: Json, host: str) -> Json:
    """What an answer says. Raises RpcError where that is an error, UpstreamError where it is neither."""
    result, error = message.get("result"), message.get("error")
    if isinstance(result, dict):
        return result
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        said = error.get("message")
        raise RpcError(error["code"], said if isinstance(said, str) and said else "no reason is given")
    raise UpstreamError(f"{host} answered neither a result nor an error", code="upstream_invalid_answer")


def reply_to(message: Json) -> bytes | None:
    """What is to be said to something that a server asks; None where it asks nothing."""
    if "method" not in message or "id" not in message:
        return None
    if message["method"] == "ping":
        return _dumped({"jsonrpc": "2.0", "id": message["id"], "result": {}})
    error = {"code": METHOD_NOT_FOUND, "message": "this client offers no such method"}
    return _dumped({"jsonrpc": "2.0", "id": message["id"], "error": error})


def field(event: bytes, name: bytes) -> str | None:
    """The last value of a field of a server-sent event, such as b"event" or b"id"."""
    found = None
    for line in event.split(b"\n"):
        key, _, value = line.partition(b":")
        if key == name:
            found = value.removeprefix(b" ").decode("utf-8", "replace")
    return found


def _dumped(message: Json) -> bytes:
    return json.dumps(message, allow_nan=False).encode()
