"""Vectors and scores: in order, of their own, whatever comes along."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Protocol, TypeVar

from ...contracts.inference import Embeddings, Rerank
from ...contracts.inference.requests import CreateEmbeddingRequest, RerankRequest
from ...contracts.inference.responses import CreateEmbeddingResponse, RerankResponse
from ...runtime.context import Usage
from ...runtime.models import ModelType
from ...runtime.reply import Answer
from ..suite import Served
from .asking import accounted, apart, asked
from .listing import InferenceSuite


class ServesEmbeddings(Embeddings, Served, Protocol):
    """Embeddings, with what belongs to every provider."""


class ServesRerank(Rerank, Served, Protocol):
    """Rerank, with what belongs to every provider."""


E = TypeVar("E", bound=ServesEmbeddings)
R = TypeVar("R", bound=ServesRerank)


class EmbeddingsSuite(InferenceSuite[E]):
    """embedding_model: its name at the provider. embedding_texts: several, all different."""

    embedding_model: ClassVar[str]
    embedding_texts: ClassVar[tuple[str, ...]] = ("The sun rises in the east.", "Bread is made of flour.", "A")

    def models(self) -> dict[str, ModelType]:
        return {**super().models(), self.embedding_model: "embedding"}

    def test_each_text_gets_its_vector(self) -> None:
        async def test(provider: E) -> None:
            said, usage = await self._embed(provider, list(self.embedding_texts))
            assert [each.index for each in said.data] == list(range(len(self.embedding_texts))), "in the texts' order"
            assert len({len(each.embedding) for each in said.data}) == 1, "all vectors of a model have one length"
            accounted(usage, said.usage.prompt_tokens, None)

        self.run(test)

    def test_a_text_alone_is_a_list_of_one(self) -> None:
        async def test(provider: E) -> None:
            said, _ = await self._embed(provider, self.embedding_texts[0])
            (only,) = said.data
            assert isinstance(only.embedding, list), "numbers, where nothing else is asked for"

        self.run(test)

    def test_embeddings_of_many_at_once_are_their_own(self) -> None:
        async def test(provider: E) -> None:
            asking = [self._embed(provider, text) for text in self.embedding_texts]
            together, _ = await self._embed(provider, list(self.embedding_texts))
            for (alone, _), whole in zip(await asyncio.gather(*asking), together.data, strict=True):
                difference = apart(alone.data[0].embedding, whole.embedding)
                assert difference < 1e-2, f"a vector is the same in company, within {difference:g}"

        self.run(test)

    async def _embed(self, provider: E, texts: str | list[str]) -> tuple[CreateEmbeddingResponse, Usage]:
        request, ctx = asked(CreateEmbeddingRequest, self.embedding_model, {"input": texts})
        answer = await provider.create_embedding(request, ctx)
        assert isinstance(answer, Answer), "vectors come as a whole answer"
        return answer.parse(CreateEmbeddingResponse), ctx.usage


class RerankSuite(InferenceSuite[R]):
    """rerank_model: its name at the provider. rerank_items: several, all different."""

    rerank_model: ClassVar[str]
    rerank_query: ClassVar[str] = "How is bread made?"
    rerank_items: ClassVar[tuple[str, ...]] = ("The sun rises in the east.", "Bread is made of flour.", "Cats sleep.")

    def models(self) -> dict[str, ModelType]:
        return {**super().models(), self.rerank_model: "rerank"}

    def test_each_item_is_scored_once_the_best_first(self) -> None:
        async def test(provider: R) -> None:
            said = await self._rank(provider)
            assert sorted(each.index for each in said.data) == list(range(len(self.rerank_items)))
            scores = [each.relevance_score for each in said.data]
            assert scores == sorted(scores, reverse=True), f"the best comes first: {scores}"

        self.run(test)

    def test_no_more_than_asked_for_are_given_back(self) -> None:
        async def test(provider: R) -> None:
            whole, best = await self._rank(provider), await self._rank(provider, max_num_results=1)
            assert [each.index for each in best.data] == [whole.data[0].index]

        self.run(test)

    async def _rank(self, provider: R, **more: object) -> RerankResponse:
        body = {"query": self.rerank_query, "items": list(self.rerank_items), **more}
        answer = await provider.rerank(*asked(RerankRequest, self.rerank_model, body))
        assert isinstance(answer, Answer), "scores come as a whole answer"
        return answer.parse(RerankResponse)
