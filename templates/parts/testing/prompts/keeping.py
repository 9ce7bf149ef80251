"""Prompts: made, shown, listed, removed."""

from __future__ import annotations

from ...contracts.prompts import Prompts
from ..suite import Suite, refused
from .asking import STRANGE, Asking

NOWHERE = ("pmpt_" + "0" * 48, "pmpt_", "nothing", "a" * 600, "../x", *STRANGE)
"""Ids of no prompt."""


class PromptKeepingSuite(Suite[Prompts]):
    """The life of a prompt."""

    def test_a_prompt_is_kept(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            made = await ask.create("Dear {{ name }}, it is {{day}}.", ["name", "day"])
            assert made.prompt_id.startswith("pmpt_"), "an id says what it is of"
            assert (made.version, made.is_default) == (1, True)
            assert made.prompt == "Dear {{ name }}, it is {{day}}."
            assert made.variables == ["name", "day"]
            assert await ask.retrieve(made.prompt_id) == made
            assert await ask.versions(made.prompt_id) == [made]

        self.run(test)

    def test_strange_text_is_text(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            for text in STRANGE:
                made = await ask.create(text)
                assert (await ask.retrieve(made.prompt_id)).prompt == text

        self.run(test)

    def test_prompts_are_listed_in_their_default_versions(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            made = [await ask.create(f"number {number}") for number in range(120)]
            second = await ask.update(made[1].prompt_id, 1, "number 1, again")
            await ask.update(made[2].prompt_id, 1, "number 2, again", set_as_default=False)
            ids = {prompt.prompt_id for prompt in made}
            listed = [prompt for prompt in await ask.list() if prompt.prompt_id in ids]
            assert listed == [made[0], second, *made[2:]], "the oldest first"

        self.run(test)

    def test_a_deleted_prompt_is_gone(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            made = await ask.create("a")
            await ask.update(made.prompt_id, 1, "b")
            await ask.delete(made.prompt_id)
            await self._is_nowhere(ask, made.prompt_id)
            assert made.prompt_id not in [prompt.prompt_id for prompt in await ask.list()]

        self.run(test)

    def test_what_is_not_there_is_not_found(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            for prompt_id in NOWHERE:
                await self._is_nowhere(ask, prompt_id)

        self.run(test)

    async def _is_nowhere(self, ask: Asking, prompt_id: str) -> None:
        for call in (
            ask.retrieve(prompt_id),
            ask.update(prompt_id, 1, "a"),
            ask.set_default(prompt_id, 1),
            ask.versions(prompt_id),
            ask.delete(prompt_id),
        ):
            error = await refused(call)
            assert error.status == 404, f"{prompt_id[:60]!r} is not there, and the answer is {error.status}"
