"""How the suites ask, and what they look at in every answer.

A provider is called as the router calls it: the request names the model as the provider knows it, while the body, if
there is one, is what the client sent and has the client's name for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from ...contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
    RerankRequest,
)
from ...runtime.context import Context, Usage
from ...runtime.reply import Events

Body = Mapping[str, object]

Request = TypeVar(
    "Request", CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest, RerankRequest
)


def asked(kind: type[Request], model: str, body: Body) -> tuple[Request, Context]:
    """A request as the router hands it on."""
    text = json.dumps({**body, "model": f"suite/{model}"}).encode()
    request = kind.model_validate_json(text)
    request.model = model
    return request, Context(request_id="suite", body=text)


async def read(events: Events[Any]) -> list[bytes]:
    """What each event of a stream says, once the stream has the form that is relayed."""
    said: list[bytes] = []
    async for block in events:
        assert block.endswith(b"\n\n"), f"a block is whole events: {block[-80:]!r}"
        for event in block.removesuffix(b"\n\n").split(b"\n\n"):
            assert event.startswith(b"data:"), f"an event says `data:`: {event[:80]!r}"
            said.append(event[5:].strip())
    assert said, "a stream says something"
    assert b"[DONE]" not in said, "[DONE] is the HTTP layer's to add"
    return said


def accounted(usage: Usage, prompt: int, completion: int | None) -> None:
    """The request's account has what its answer says."""
    found = (usage.prompt_tokens, usage.completion_tokens)
    assert found == (prompt, completion), f"the answer says {(prompt, completion)} tokens, the account {found}"


def apart(left: list[float] | str, right: list[float] | str) -> float:
    """How far two vectors are from each other, by their farthest numbers and for vectors of length one."""
    assert isinstance(left, list), "numbers, where nothing else is asked for"
    assert isinstance(right, list), "numbers, where nothing else is asked for"
    longest: float = max(sum(each * each for each in right) ** 0.5, 1e-12)
    return max(abs(a - b) for a, b in zip(left, right, strict=True)) / longest
