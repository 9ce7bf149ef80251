"""Who sees what: a prompt is its maker's, and everybody's where its maker is nobody."""

from __future__ import annotations

from ...contracts.prompts import Prompts
from ..suite import Suite, refused
from .asking import Asking, caller


class PromptCallersSuite(Suite[Prompts]):
    """Several callers of one server."""

    def test_one_user_asking_for_anothers_id(self) -> None:
        async def test(provider: Prompts) -> None:
            ann, bob = Asking(provider, caller("ann")), Asking(provider, caller("bob"))
            hers = (await ann.create("secret")).prompt_id
            await ann.update(hers, 1, "more secret")
            for call in (
                bob.retrieve(hers),
                bob.retrieve(hers, 1),
                bob.update(hers, 2, "mine"),
                bob.set_default(hers, 1),
                bob.versions(hers),
                bob.delete(hers),
            ):
                error = await refused(call)
                assert error.status == 404, f"for bob it is not there, and the answer is {error.status}"
                assert "ann" not in error.message
                assert "secret" not in error.message
            assert hers not in [prompt.prompt_id for prompt in await bob.list()]
            assert hers in [prompt.prompt_id for prompt in await ann.list()]
            assert [each.prompt for each in await ann.versions(hers)] == ["secret", "more secret"]

        self.run(test)

    def test_what_nobody_owns_is_everybodys(self) -> None:
        async def test(provider: Prompts) -> None:
            nobody, ann = Asking(provider), Asking(provider, caller("ann"))
            made = await nobody.create("open")
            assert (await ann.update(made.prompt_id, 1, "to all")).version == 2
            hers = await ann.create("hers")
            assert await nobody.retrieve(hers.prompt_id) == hers, "who is not asked sees all"

        self.run(test)
