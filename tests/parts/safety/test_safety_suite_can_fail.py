"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from guards import BOMB
from parts.contracts.safety import Safety
from parts.contracts.safety.requests import CreateModerationRequest, RunShieldRequest
from parts.contracts.safety.responses import CreateModerationResponse, RunShieldResponse
from parts.providers.safety import turns as turns_module
from parts.providers.safety.guard import Asked, Guard
from parts.providers.safety.turns import Turn
from parts.providers.safety.verdict import Verdict
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Unavailable
from parts.testing.safety import BrokenSafetySuite, SafetySuite

FLAGGED = Verdict(flagged=True, found=frozenset({"violence"}))


class Sound(Guard):
    """What the flaws are made of."""

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        return FLAGGED if BOMB.search(turns[-1].text) else Verdict(flagged=False, scores={"violence": 0.0})


class FlagsAll(Sound):
    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        return FLAGGED


class FlagsNothing(Sound):
    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        return Verdict(flagged=False)


class OnlyTells(Sound):
    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        answer = await super().run_shield(request, ctx)
        if answer.violation is not None:
            answer.violation.violation_level = "info"
        return answer


class ReadsWholeTextsOnly(Sound):
    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        for message in request.messages:
            message.content = message.content if isinstance(message.content, str) else ""
        return await super().run_shield(request, ctx)


class ReadsTheFirstMessage(Sound):
    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        request.messages = request.messages[:1]
        return await super().run_shield(request, ctx)


class ReadsTheLastMessage(Sound):
    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        request.messages = request.messages[-1:]
        return await super().run_shield(request, ctx)


class MixesUp(Sound):
    last = ""

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        self.last = turns[-1].text
        await asyncio.sleep(0)
        return FLAGGED if BOMB.search(self.last) else Verdict(flagged=False)


class Reverses(Sound):
    async def create_moderation(self, request: CreateModerationRequest, ctx: Context) -> CreateModerationResponse:
        answer = await super().create_moderation(request, ctx)
        return answer.model_copy(update={"results": answer.results[::-1]})


class OneForEachPart(Sound):
    async def create_moderation(self, request: CreateModerationRequest, ctx: Context) -> CreateModerationResponse:
        if not isinstance(request.input, str):
            request.input = [each if isinstance(each, str) else getattr(each, "text", "") for each in request.input]
        return await super().create_moderation(request, ctx)


class Unsure(Sound):
    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        found = await super().judge(asked, turns, ctx)
        return Verdict(flagged=found.flagged, found=found.found, scores={"violence": 1.5})


class FindsNowhere(Sound):
    async def create_moderation(self, request: CreateModerationRequest, ctx: Context) -> CreateModerationResponse:
        answer = await super().create_moderation(request, ctx)
        for result in answer.results:
            result.category_applied_input_types.violence = []
        return answer


FLAWS: Sequence[tuple[str, type[Guard]]] = (
    ("what_is_harmless_passes", FlagsAll),
    ("what_is_harmful_is_a_violation", FlagsNothing),
    ("what_is_harmful_is_a_violation", OnlyTells),
    ("it_is_found_however_it_is_written", ReadsWholeTextsOnly),
    ("it_is_found_at_the_end_of_a_conversation", ReadsTheFirstMessage),
    ("what_a_message_is_followed_by_does_not_hide_it", ReadsTheLastMessage),
    ("many_at_once_are_kept_apart", MixesUp),
    ("a_text_has_one_result", FlagsNothing),
    ("texts_have_a_result_each_in_their_order", Reverses),
    ("parts_are_one_input", OneForEachPart),
    ("a_result_is_sound", Unsure),
    ("a_result_is_sound", FindsNowhere),
)


def suite_of(base: type[BrokenSafetySuite | SafetySuite], made: Callable[[], Guard]) -> BrokenSafetySuite | SafetySuite:
    class Of(base):  # type: ignore[misc, valid-type]
        @asynccontextmanager
        async def opens(self) -> AsyncIterator[Safety]:
            yield made()

    return Of()


@pytest.mark.parametrize(("test", "flawed"), FLAWS)
def test_a_flaw_fails_its_test(test: str, flawed: type[Guard]) -> None:
    with pytest.raises(AssertionError):
        getattr(suite_of(SafetySuite, flawed), f"test_{test}")()


@pytest.mark.parametrize("test", ["what_is_too_long_is_refused", "too_long_an_input_is_refused"])
def test_who_reads_everything_fails(test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "MOST_CHARACTERS", 10**9)
    with pytest.raises(AssertionError):
        getattr(suite_of(SafetySuite, Sound), f"test_{test}")()


@pytest.mark.parametrize("test", sorted(name for name in dir(SafetySuite) if name.startswith("test_")))
def test_a_sound_one_passes(test: str) -> None:
    getattr(suite_of(SafetySuite, Sound), test)()


def test_every_claim_has_its_flaw() -> None:
    tests = {name.removeprefix("test_") for name in dir(SafetySuite) if name.startswith("test_")}
    assert tests == {name for name, _ in FLAWS} | {"what_is_too_long_is_refused", "too_long_an_input_is_refused"}


class BlamesTheClient(Sound):
    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        raise BadRequest("the guard is away")


class TellsItsKey(Sound):
    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        raise Unavailable("no answer to key-0123")


@pytest.mark.parametrize("test", ["test_no_shield_passes", "test_no_moderation_passes"])
@pytest.mark.parametrize("flawed", [FlagsNothing, FlagsAll, BlamesTheClient, TellsItsKey])
def test_whoever_lets_pass_without_a_guard_fails(flawed: type[Guard], test: str) -> None:
    suite = suite_of(BrokenSafetySuite, flawed)
    assert isinstance(suite, BrokenSafetySuite)
    suite.secret = "key-0123"
    with pytest.raises(AssertionError):
        getattr(suite, test)()
