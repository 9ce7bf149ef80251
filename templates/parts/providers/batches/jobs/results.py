"""What a line of a batch comes to, as a line of its output or error file (OpenAI's form)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic_core import from_json, to_json

from ....runtime.context import Context
from ....runtime.errors import StackError
from ....runtime.sse import error_body

NOT_RUN = {
    "expired": (
        b'{"code":"batch_expired","message":"This request could not be executed before the completion window expired."}'
    ),
    "failed": b'{"code":"batch_failed","message":"This request could not be executed before the batch failed."}',
}
"""What is said of a request that has no result, by its batch's ending."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """cached: of the input. reasoning: of the output."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """good: it was answered, and belongs into the output file. text: its line there, without the end."""

    line: int
    good: bool
    text: bytes
    tokens: Tokens


def answered(batch: str, line: int, custom_id: bytes, body: bytes, ctx: Context) -> Result:
    """body: JSON on one line."""
    text = _line(batch, line, custom_id, _response(200, ctx, body), b"null")
    return Result(line, True, text, _tokens(body, ctx))


def refused(batch: str, line: int, custom_id: bytes, error: StackError, ctx: Context) -> Result:
    """With the status and body that a client would have got."""
    tokens = Tokens(input=ctx.usage.prompt_tokens or 0, output=ctx.usage.completion_tokens or 0)
    response = _response(error.status, ctx, error_body(error))
    return Result(line, False, _line(batch, line, custom_id, response, b"null"), tokens)


def not_run(batch: str, line: int, custom_id: bytes, ending: str) -> bytes:
    """The line of a request that has no result. ending: of its batch, one of those that tell of such lines."""
    return _line(batch, line, custom_id, b"null", NOT_RUN[ending])


def _response(status: int, ctx: Context, body: bytes) -> bytes:
    return b'{"status_code":%d,"request_id":%b,"body":%b}' % (status, to_json(ctx.request_id), body)


def _line(batch: str, line: int, custom_id: bytes, response: bytes, error: bytes) -> bytes:
    # The same whenever it is asked for: an output file does not show how often its batch was taken up again.
    id = hashlib.blake2b(f"{batch}:{line}".encode(), digest_size=16).hexdigest()
    return b'{"id":"batch_req_%b","custom_id":%b,"response":%b,"error":%b}' % (id.encode(), custom_id, response, error)


def _tokens(body: bytes, ctx: Context) -> Tokens:
    spent = ctx.usage
    cached = reasoning = 0
    if b'"cached_tokens"' in body or b'"reasoning_tokens"' in body:
        usage = _object(from_json(body), "usage")
        cached = _number(_object(usage, "prompt_tokens_details"), "cached_tokens")
        reasoning = _number(_object(usage, "completion_tokens_details"), "reasoning_tokens")
    return Tokens(spent.prompt_tokens or 0, cached, spent.completion_tokens or 0, reasoning)


def _object(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _number(value: object, key: str) -> int:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, int) else 0
