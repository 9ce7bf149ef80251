"""What models do for searches beside embeddings: queries in better words, and results compared with the query."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....contracts.inference.requests import RerankRequest
from ....contracts.inference.responses import RerankResponse
from ....runtime.asking import chat_text, on_behalf
from ....runtime.errors import BadRequest, UpstreamError

if TYPE_CHECKING:
    from ....contracts.inference import Inference
    from ....runtime.context import Context
    from .searching import Found

QUERY = "{query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteQueryParams:
    """model: None where queries are left as they are. prompt: with `{query}` in it. max_tokens: of what it says."""

    model: str | None = None
    prompt: str = (
        "Write a query for a search engine that finds what answers the following. Say the query alone, in one line.\n\n"
        "{query}"
    )
    max_tokens: int = 100
    temperature: float = 0.3


async def rewritten(query: str, how: RewriteQueryParams, inference: Inference, ctx: Context) -> str:
    """A query in better words. Raises BadRequest where no model is there for it."""
    if how.model is None:
        message = "this server rewrites no queries; leave rewrite_query out"
        raise BadRequest(message, code="unsupported_rewrite_query", param="rewrite_query")
    prompt = how.prompt.replace(QUERY, query)
    return await chat_text(inference, how.model, prompt, ctx, max_tokens=how.max_tokens, temperature=how.temperature)


async def reranked(
    query: str, found: Sequence[Found], model: str | None, inference: Inference, ctx: Context
) -> list[Found]:
    """The same, best first, with the model's scores, from 0 to 1. Raises BadRequest where no model is there for it."""
    if model is None:
        message = "ranking_options.model: expected a model for reranking; this server has none of its own"
        raise BadRequest(message, code="reranker_model_unclear", param="ranking_options.model")
    if not found:
        return []
    items = [each.row.text for each in found]
    body = to_json({"model": model, "query": query, "items": items})
    request = RerankRequest.model_validate_json(body)
    answer = (await inference.rerank(request, on_behalf(ctx, body))).parse(RerankResponse)
    scores = {each.index: each.relevance_score for each in answer.data if each.index < len(found)}
    if not scores:
        raise UpstreamError(f"the model {model[:200]!r} compared nothing", code="upstream_invalid_answer")
    # Some give probabilities, others logits, which have their order.
    if not all(0.0 <= each <= 1.0 for each in scores.values()):
        scores = {index: _sigmoid(each) for index, each in scores.items()}
    best = sorted(scores, key=lambda index: (-scores[index], index))
    return [replace(found[index], score=scores[index]) for index in best]


def _sigmoid(score: float) -> float:
    return 1.0 / (1.0 + math.exp(-score)) if score >= 0 else math.exp(score) / (1.0 + math.exp(score))
