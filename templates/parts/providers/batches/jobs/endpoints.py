"""The operations that the lines of a batch may ask for, as calls within the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ....contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
)
from ....runtime.context import Context
from ....runtime.errors import UpstreamError
from ....runtime.http_request import validate
from ....runtime.reply import Answer, Events

if TYPE_CHECKING:
    from ....contracts.inference import Inference

R = TypeVar("R", CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest)


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


def _endpoint(model: type[R], method: Callable[[R, Context], Awaitable[Answer[Any] | Events[Any]]]) -> Endpoint:
    def check(body: bytes) -> str:
        return validate(model, body).model

    async def answer(body: bytes, ctx: Context) -> bytes:
        ctx.body = body
        reply = await method(validate(model, body), ctx)
        if not isinstance(reply, Answer):
            await reply.aclose()
            raise UpstreamError("a stream came though none was asked for", code="upstream_invalid_answer")
        # JSON has line breaks between its tokens only.
        return reply.body.strip().replace(b"\r", b" ").replace(b"\n", b" ")

    return Endpoint(check, answer)
