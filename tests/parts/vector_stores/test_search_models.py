"""Searches that ask models for more than vectors: better words for a query, and results compared with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from knowledge import Talker
from parts.contracts.inference.requests import RerankRequest
from parts.contracts.inference.responses import RerankData, RerankResponse
from parts.contracts.vector_stores import requests as ask
from parts.providers.vector_stores.kept.models import RewriteQueryParams
from parts.runtime.errors import BadRequest, RateLimited, SettingsError
from parts.runtime.reply import Answer
from stores import ME, Opened, opened

TEXTS = (b"The cat sat on the mat.", b"The cat ate.", b"Dogs bark at night.")


@dataclass
class Judge(Talker):
    """It likes texts with more of the letter `o`. scale: of its scores."""

    scale: float = 1.0
    compared: list[tuple[str, str, list[str]]] = field(default_factory=list)

    async def rerank(self, request: RerankRequest, ctx: Any) -> Answer[RerankResponse]:
        assert json.loads(ctx.body)["model"] == request.model
        items = [str(each) for each in request.items]
        self.compared.append((request.model, str(request.query), items))
        data = [RerankData(index=n, relevance_score=self.scale * each.count("o") / 10) for n, each in enumerate(items)]
        return Answer.of(RerankResponse(data=data))


async def filled(it: Opened) -> str:
    store = await it.store()
    for number, text in enumerate(TEXTS):
        await it.taken_in(store, text, f"{number}.txt")
    return store


async def search(it: Opened, store: str, query: str, **said: Any) -> Any:
    request = ask.SearchVectorStoreRequest.model_validate({"vector_store_id": store, "query": query, **said})
    return await it.stores.search_vector_store(request, ME)


# ── rewriting ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_query_is_rewritten_where_it_is_asked_for(tmp_path: Path) -> None:
    model = Talker(answer=" dogs bark ")
    how = RewriteQueryParams(model="m", prompt="Better {query}, {other}", max_tokens=7, temperature=0.5)
    async with opened(tmp_path, model, rewrite_query_params=how) as it:
        store = await filled(it)
        page = await search(it, store, "what about {query}?", rewrite_query=True, max_num_results=1)
        assert model.prompts == ["Better what about {query}?, {other}"]
        assert page.search_query == ["dogs bark"]
        assert page.data[0].content[0].text == "Dogs bark at night."
        assert (await search(it, store, "cat")).search_query == ["cat"]
        model.answer = "  "
        with pytest.raises(Exception, match="said nothing"):
            await search(it, store, "cat", rewrite_query=True)


async def test_without_a_model_rewriting_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        with pytest.raises(BadRequest) as caught:
            await search(it, await it.store(), "cat", rewrite_query=True)
    assert caught.value.param == "rewrite_query"


# ── neural ranking ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scale", [1.0, 90.0, -90.0])
async def test_a_model_ranks_more_than_is_asked_for(tmp_path: Path, scale: float) -> None:
    model = Judge(scale=scale)
    async with opened(tmp_path, model, default_reranker_model="judge", chunk_multiplier=2) as it:
        store = await filled(it)
        page = await search(it, store, "cat", max_num_results=1, ranking_options={"ranker": "neural"})
        ((name, query, items),) = model.compared
        assert (name, query, len(items)) == ("judge", "cat", 2)
        (best,) = page.data
        wanted = max(items, key=lambda each: scale * each.count("o"))
        assert best.content[0].text == wanted
        assert 0.0 <= best.score <= 1.0
        await search(it, store, "cat")
        assert len(model.compared) == 1


async def test_it_may_rank_all_searches_and_a_search_may_name_its_model(tmp_path: Path) -> None:
    model = Judge()
    settings = {"default_reranker_strategy": "neural", "default_reranker_model": "judge"}
    async with opened(tmp_path, model, **settings) as it:
        store = await filled(it)
        for options in (None, {"ranker": "auto"}, {"ranker": "neural", "model": "other"}):
            await search(it, store, "cat", ranking_options=options)
        assert [name for name, *_ in model.compared] == ["judge", "judge", "other"]
        above = {"ranker": "neural", "score_threshold": 0.15}
        assert [each.content[0].text for each in (await search(it, store, "cat", ranking_options=above)).data] == []
        await search(it, store, "cat", ranking_options={"ranker": "none"}, search_mode="hybrid")
        await search(it, store, "cat", ranking_options={"ranker": "rrf"}, search_mode="hybrid")
        assert len(model.compared) == 4


async def test_where_no_model_ranks_that_is_said_and_its_failure_too(tmp_path: Path) -> None:
    model = Judge()
    async with opened(tmp_path, model) as it:
        store = await filled(it)
        with pytest.raises(BadRequest) as caught:
            await search(it, store, "cat", ranking_options={"ranker": "neural"})
        assert caught.value.param == "ranking_options.model"

        async def busy(request: RerankRequest, ctx: Any) -> Any:
            raise RateLimited("busy")

        model.rerank = busy  # type: ignore[method-assign]
        with pytest.raises(RateLimited):
            await search(it, store, "cat", ranking_options={"ranker": "neural", "model": "judge"})
    with pytest.raises(SettingsError, match="default_reranker_model"):
        async with opened(tmp_path / "other", default_reranker_strategy="neural"):
            pass
