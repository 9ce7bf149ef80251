"""OpenAI's API with a rerank endpoint in the shape that Jina and Cohere made common.

    POST rerank {"model", "query", "documents": ["…"], "top_n"} → {"results": [{"index", "relevance_score"}]}

Services differ in the name of the ranked list only.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic_core import from_json

from ...runtime.context import Context
from ...runtime.errors import UpstreamError
from ...runtime.reply import Answer
from ...runtime.upstream import Upstream, open_upstream
from .dialect import OPENAI, Dialect
from .openai_compatible import OpenAICompatible, RemoteConfig, RemoteSettings
from .ranking import ranked, text_of

if TYPE_CHECKING:
    from ...contracts.inference.requests import RerankRequest
    from ...contracts.inference.responses import RerankResponse


class Reranking(OpenAICompatible):
    """An OpenAI-compatible service that also reranks. results: what it calls the ranked list."""

    def __init__(
        self,
        upstream: Upstream,
        config: RemoteSettings,
        *,
        instance: str,
        credential: str | None,
        dialect: Dialect = OPENAI,
        results: str = "results",
    ) -> None:
        super().__init__(upstream, config, instance=instance, credential=credential, dialect=dialect)
        self.results = results

    async def rerank(self, request: RerankRequest, ctx: Context) -> Answer[RerankResponse]:
        """The items' scores, best first. Raises StackError."""
        wanted: dict[str, object] = {
            "model": request.model,
            "query": text_of(request.query),
            "documents": [text_of(item) for item in request.items],
        }
        if request.max_num_results is not None:
            wanted["top_n"] = request.max_num_results
        answer = await self.answer("rerank", request.model, json.dumps(wanted).encode(), ctx, holds=self.results)
        return ranked(scores(answer, self.results, "relevance_score"), request.max_num_results)


def scores(answer: bytes, results: str, score: str) -> list[tuple[int, float]]:
    """The index and score of each entry of an answer's list `results`. Raises UpstreamError where one has none."""
    try:
        # JSON has no infinity and no NaN, though many a service writes them.
        entries = from_json(answer, allow_inf_nan=False)[results]
        return [(int(entry["index"]), float(entry[score])) for entry in entries]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UpstreamError("the upstream's ranking has an unexpected shape") from None


@asynccontextmanager
async def open_reranking(
    config: RemoteConfig, *, instance: str, credential: str | None = None, results: str
) -> AsyncIterator[Reranking]:
    """credential: the key's name in the provider-data header. results: what the service calls the ranked list."""
    async with open_upstream(config.base_url, config.network) as upstream:
        yield Reranking(upstream, config, instance=instance, credential=credential, results=results)
