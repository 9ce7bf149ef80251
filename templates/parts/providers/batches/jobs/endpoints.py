"""The operations that the lines of a batch may ask for, as calls within the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ....contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
)
from ....runtime.context import Context
from ....runtime.errors import StackError, UpstreamError
from ....runtime.http_request import validate
from ....runtime.reply import Answer, Events

if TYPE_CHECKING:
    from ....contracts.inference import Inference
    from ....runtime.metrics import Accounts

R = TypeVar("R", CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest)

_OK, _LEFT, _FAULT = 200, 499, 500

RunLine = Callable[[str, bytes, Context], Awaitable[bytes]]
"""What runs a line, a path and a body: the JSON of its answer, on one line; the context's usage is filled in. Raises
StackError; NotRun where no line can be run at present.
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """check: a body, as the route of the same name would: the model that it names; raises BadRequest. answer: the JSON
    of its answer, on one line; raises StackError.
    """

    check: Callable[[bytes], str]
    answer: Callable[[bytes, Context], Awaitable[bytes]]


def endpoints(inference: Inference) -> Mapping[str, Endpoint]:
    """By path."""
    return {
        "/v1/chat/completions": _endpoint(CreateChatCompletionRequest, inference.create_chat_completion),
        "/v1/completions": _endpoint(CreateCompletionRequest, inference.create_completion),
        "/v1/embeddings": _endpoint(CreateEmbeddingRequest, inference.create_embedding),
    }


def in_process(known: Mapping[str, Endpoint], accounts: Accounts) -> RunLine:
    """Lines answered by this process. Each try is counted as a request of a client's would be, under the operation
    `BATCH /v1/…`; one that is given up, since its batch is cancelled or the server stops, as if its client had left.
    """

    async def answer(path: str, body: bytes, ctx: Context) -> bytes:
        started, status = time.perf_counter(), _FAULT
        try:
            answered = await known[path].answer(body, ctx)
            status = _OK
            return answered
        except asyncio.CancelledError:
            status = _LEFT
            raise
        except StackError as error:
            status = error.status
            raise
        finally:
            accounts.count(f"BATCH {path}", ctx, status, time.perf_counter() - started)

    return answer


def _endpoint(model: type[R], method: Callable[[R, Context], Awaitable[Answer[Any] | Events[Any]]]) -> Endpoint:
    def check(body: bytes) -> str:
        return validate(model, body).model

    async def answer(body: bytes, ctx: Context) -> bytes:
        ctx.body = body
        reply = await method(validate(model, body), ctx)
        if not isinstance(reply, Answer):
            await reply.aclose()
            raise UpstreamError("a stream came though none was asked for", code="upstream_invalid_answer")
        return on_one_line(reply.body)

    return Endpoint(check, answer)


def on_one_line(body: bytes) -> bytes:
    """JSON, which has line breaks between its tokens only."""
    return body.strip().replace(b"\r", b" ").replace(b"\n", b" ")
