"""Texts are found by their words."""

from __future__ import annotations

from ...runtime.vector_filters import Compare
from ...runtime.vector_index import VectorIndex
from .base import IndexBaseSuite, entry

TEXTS = {
    "cat": "The cat sat on the mat.",
    "dog": "The dog chased the cat around the house, and the house was large.",
    "sea": "Ships cross the sea at night.",
    "mix": "Zürich lies by a lake; C++ and naïve café words.",
}


class WordsSuite(IndexBaseSuite):
    def test_words_find_the_texts_that_have_them(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            assert index.keywords, "this suite is for those that look for words"
            await index.add(store, [entry(id, (1, n, 0), text) for n, (id, text) in enumerate(TEXTS.items())])
            for words, wanted in (
                (["cat"], {"cat", "dog"}),
                (["ships"], {"sea"}),
                (["cat", "sea"], {"cat", "dog", "sea"}),
                (["zürich"], {"mix"}),
                (["unknown"], set()),
                (["unknown", "lake"], {"mix"}),
            ):
                hits = await index.matching(store, words, limit=10, where=None)
                assert {hit.id for hit in hits} == wanted, f"{words} are words of {wanted}"
                assert all(0 <= hit.score <= 1 for hit in hits), "a score is between 0 and 1"
                scores = [hit.score for hit in hits]
                assert scores == sorted(scores, reverse=True), "the best come first"
            hits = await index.matching(store, ["cat", "mat"], limit=10, where=None)
            assert hits[0].id == "cat", "who has more of the words is better"
            assert len(await index.matching(store, ["the"], limit=1, where=None)) == 1, "no more than were asked for"

        self.keeps(test)

    def test_words_are_text_and_no_language_of_queries(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry("a", text="or and not near drop"), entry("b", text="something else")])
            for word in ("or", "and", "not", "near"):
                hits = await index.matching(store, [word], limit=10, where=None)
                assert "b" not in {hit.id for hit in hits}, f"{word} is a word"
            for words in (["NOT", "something"], ["NEAR", "drop"], ["near", "zzz"]):
                await index.matching(store, words, limit=10, where=None)
            hits = await index.matching(store, ["not", "something"], limit=10, where=None)
            assert "b" in {hit.id for hit in hits}, "a word forbids nothing"

        self.keeps(test)

    def test_words_of_what_is_gone_are_gone(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry("a", text="old words", group="a"), entry("b", text="words too", group="b")])
            await index.add(store, [entry("a", text="young names", group="a")])
            assert [hit.id for hit in await index.matching(store, ["old"], limit=10, where=None)] == []
            assert [hit.id for hit in await index.matching(store, ["young"], limit=10, where=None)] == ["a"]
            await index.remove(store, "b")
            assert await index.matching(store, ["words"], limit=10, where=None) == []

        self.keeps(test)

    def test_filters_hold_for_words(self) -> None:
        async def test(index: VectorIndex, store: str) -> None:
            await index.add(store, [entry(f"a{n}", text="word " * (n + 1), attributes={"n": n}) for n in range(8)])
            hits = await index.matching(store, ["word"], limit=3, where=Compare("n", "gte", 6))
            assert {hit.id for hit in hits} == {"a6", "a7"}

        self.keeps(test)

    def test_what_one_process_keeps_another_finds_by_words(self) -> None:
        if not self.shared:
            self.refuses_others()
            return

        async def test(index: VectorIndex, store: str) -> None:
            async with self.opens() as other:
                await index.add(store, [entry("a", text="lonely lighthouse")])
                assert [hit.id for hit in await other.matching(store, ["lighthouse"], limit=5, where=None)] == ["a"]

        self.keeps(test)
