"""A provider whose guard cannot be asked, or answers nonsense: nothing passes."""

from __future__ import annotations

from ...contracts.safety import Safety
from ...runtime.errors import StackError
from ..suite import refused
from .asking import SafetyTests, user


class BrokenSafetySuite(SafetyTests):
    """secret: what no error may show."""

    secret = ""

    def test_no_shield_passes(self) -> None:
        async def test(provider: Safety) -> None:
            for text in (self.harmless, self.harmful):
                self._check(await refused(self.shielded(provider, user(text))))

        self.run(test)

    def test_no_moderation_passes(self) -> None:
        async def test(provider: Safety) -> None:
            for said in (self.harmless, [self.harmful, self.harmless]):
                self._check(await refused(self.moderated(provider, said)))

        self.run(test)

    def _check(self, error: StackError) -> None:
        # A key that is refused may be the client's own.
        blamed = error.status < 500 and error.status not in (401, 403, 429)
        assert not blamed, f"it is no fault of the client, and the answer is {error.status}"
        assert not self.secret or self.secret not in error.message, "a secret shows"
