"""Moderations: a result for each input, in OpenAI's form."""

from __future__ import annotations

from ...contracts.safety import Safety
from ...contracts.safety.responses import ModerationResult
from ..suite import refused
from .asking import SafetyTests, parts
from .shielding import FAR_TOO_LONG


class ModeratingSuite(SafetyTests):
    """How a provider moderates."""

    def test_a_text_has_one_result(self) -> None:
        async def test(provider: Safety) -> None:
            assert [each.flagged for each in await self.moderated(provider, self.harmless)] == [False]
            assert [each.flagged for each in await self.moderated(provider, self.harmful)] == [True]

        self.run(test)

    def test_texts_have_a_result_each_in_their_order(self) -> None:
        async def test(provider: Safety) -> None:
            texts = [self.harmless, self.harmful, self.harmless, self.harmful, self.harmful]
            results = await self.moderated(provider, texts)
            assert [each.flagged for each in results] == [False, True, False, True, True]

        self.run(test)

    def test_parts_are_one_input(self) -> None:
        async def test(provider: Safety) -> None:
            results = await self.moderated(provider, parts(self.harmless, self.harmful))
            assert [each.flagged for each in results] == [True]

        self.run(test)

    def test_a_result_is_sound(self) -> None:
        async def test(provider: Safety) -> None:
            for result in await self.moderated(provider, [self.harmless, self.harmful]):
                _check(result)

        self.run(test)

    def test_too_long_an_input_is_refused(self) -> None:
        async def test(provider: Safety) -> None:
            error = await refused(self.moderated(provider, "a " * (FAR_TOO_LONG // 2)))
            assert error.status in (400, 413), f"the client sent too much, and gets a {error.status}"

        self.run(test)


def _check(result: ModerationResult) -> None:
    categories = result.categories.model_dump(by_alias=True)
    scores = result.category_scores.model_dump(by_alias=True)
    kinds = result.category_applied_input_types.model_dump(by_alias=True)
    assert categories.keys() == scores.keys() == kinds.keys(), "the three speak of the same categories"
    assert all(0 <= score <= 1 for score in scores.values()), f"scores are from 0 to 1: {scores}"
    found = [name for name, is_so in categories.items() if is_so]
    assert result.flagged or not found, f"it is not flagged, and falls into {found}"
    assert all(kinds[name] for name in found), "of what is found it is known where"
