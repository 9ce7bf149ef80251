"""A model that answers in JSON, and one that makes vectors: what the functions of Braintrust's autoevals ask."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic_core import from_json

from ....contracts.inference.requests import CreateChatCompletionRequest, CreateEmbeddingRequest
from ....contracts.inference.responses import CreateChatCompletionResponse, CreateEmbeddingResponse
from ....runtime.errors import UpstreamError
from ....runtime.reply import Answer
from ..asking import count, filled, inside
from .questions import Question

if TYPE_CHECKING:
    from ....contracts.inference import Chat, Embeddings
    from ....runtime.context import Context

    class Models(Chat, Embeddings, Protocol):
        """Both kinds."""


EXPECTED_LEAST = 0.7
"""A cosine that is no likeness at all: texts that have nothing in common are hardly less alike."""


@dataclass(frozen=True, slots=True)
class Grader:
    """service: where the models are. model: answers. embedding_model: makes vectors."""

    service: Models
    model: str
    embedding_model: str

    async def ask(self, question: Question, said: Mapping[str, str], ctx: Context) -> Mapping[str, object]:
        """Raises StackError, also where what comes is not what was asked for."""
        form = {"name": question.name, "schema": question.schema, "strict": True}
        request = CreateChatCompletionRequest.model_validate(
            {
                "model": self.model,
                "messages": [{"role": "user", "content": filled(question.text, said)}],
                "response_format": {"type": "json_schema", "json_schema": form},
            }
        )
        inner = inside(ctx)
        reply = await self.service.create_chat_completion(request, inner)
        count(ctx.usage, inner.usage)
        if not isinstance(reply, Answer):
            await reply.aclose()
            raise _nonsense(self.model)
        try:
            choices = reply.parse(CreateChatCompletionResponse).choices
            found = from_json((choices[0].message.content if choices else None) or "")
        except ValueError:
            raise _nonsense(self.model) from None
        if not isinstance(found, dict) or any(name not in found for name in _required(question)):
            raise _nonsense(self.model)
        return found

    async def likeness(self, one: str, others: Sequence[str], ctx: Context) -> list[float]:
        """Of a text to others, from 0 to 1, by what they mean."""
        request = CreateEmbeddingRequest.model_validate({"model": self.embedding_model, "input": [one, *others]})
        inner = inside(ctx)
        reply = await self.service.create_embedding(request, inner)
        count(ctx.usage, inner.usage)
        try:
            data = sorted(reply.parse(CreateEmbeddingResponse).data, key=lambda each: each.index)
        except ValueError:
            raise _nonsense(self.embedding_model) from None
        vectors = [each.embedding for each in data if isinstance(each.embedding, list)]
        if len(vectors) != len(others) + 1 or len({len(each) for each in vectors}) != 1:
            raise _nonsense(self.embedding_model)
        return [scaled(cosine(vectors[0], each)) for each in vectors[1:]]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    size = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / size if size else 0.0


def scaled(alike: float) -> float:
    return min(max((alike - EXPECTED_LEAST) / (1 - EXPECTED_LEAST), 0.0), 1.0)


def texts(found: Mapping[str, object], name: str) -> list[str]:
    """A list of texts in an answer; what is none is left out."""
    value = found.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def verdicts(found: Mapping[str, object], name: str, key: str) -> list[bool]:
    """What is said of each entry of a list in an answer."""
    value = found.get(name)
    return [each.get(key) is True for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _required(question: Question) -> Sequence[str]:
    required = question.schema["required"]
    return required if isinstance(required, list) else ()


def _nonsense(model: str) -> UpstreamError:
    return UpstreamError(f"model {model[:200]!r} did not answer in the form asked for", code="upstream_invalid_answer")
