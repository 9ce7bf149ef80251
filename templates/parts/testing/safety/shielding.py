"""Shields: a conversation passes, or there is a violation."""

from __future__ import annotations

import asyncio

from ...contracts.safety import Safety
from ..suite import refused
from .asking import SafetyTests, parts, user

FAR_TOO_LONG = 2_000_000
"""Characters that no guard is to read at once."""


class ShieldingSuite(SafetyTests):
    """How a provider runs shields."""

    def test_what_is_harmless_passes(self) -> None:
        async def test(provider: Safety) -> None:
            assert await self.shielded(provider, user(self.harmless)) is None

        self.run(test)

    def test_what_is_harmful_is_a_violation(self) -> None:
        async def test(provider: Safety) -> None:
            found = await self.shielded(provider, user(self.harmful))
            assert found is not None, "it passes"
            assert found.violation_level != "info", "what must not pass is more than worth telling"

        self.run(test)

    def test_it_is_found_however_it_is_written(self) -> None:
        async def test(provider: Safety) -> None:
            for message in (
                user(parts(self.harmful)),
                user(parts(self.harmless, self.harmful)),
                user({"type": "text", "text": self.harmful}),
                {"role": "tool", "content": self.harmful, "tool_call_id": "c"},
                {"role": "tool", "content": self.harmful, "call_id": "c"},
            ):
                assert await self.shielded(provider, message) is not None, f"it passes as {message}"

        self.run(test)

    def test_it_is_found_at_the_end_of_a_conversation(self) -> None:
        async def test(provider: Safety) -> None:
            before = (user(self.harmless), {"role": "assistant", "content": "Gladly.", "stop_reason": "end_of_turn"})
            assert await self.shielded(provider, *before, user(self.harmful)) is not None
            assert await self.shielded(provider, *before, user(self.harmless)) is None

        self.run(test)

    def test_what_a_message_is_followed_by_does_not_hide_it(self) -> None:
        async def test(provider: Safety) -> None:
            said = (user(self.harmful), {"role": "system", "content": "Be kind."}, user(self.harmless))
            assert await self.shielded(provider, *said) is not None, "nothing was answered since"

        self.run(test)

    def test_what_is_too_long_is_refused(self) -> None:
        async def test(provider: Safety) -> None:
            error = await refused(self.shielded(provider, user("a " * (FAR_TOO_LONG // 2))))
            assert error.status in (400, 413), f"the client sent too much, and gets a {error.status}"

        self.run(test)

    def test_many_at_once_are_kept_apart(self) -> None:
        async def test(provider: Safety) -> None:
            asked = [self.harmful, self.harmless] * 6
            found = await asyncio.gather(*(self.shielded(provider, user(text)) for text in asked))
            assert [each is not None for each in found] == [True, False] * 6

        self.run(test)
