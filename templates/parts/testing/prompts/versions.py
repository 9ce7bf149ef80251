"""Versions: each follows the latest, and one of them is the default."""

from __future__ import annotations

import asyncio

from ...contracts.prompts import Prompts
from ...contracts.prompts.responses import Prompt
from ...runtime.errors import StackError
from ..suite import Suite, refused
from .asking import Asking

MANY = 10


class VersionsSuite(Suite[Prompts]):
    """How a prompt changes."""

    def test_an_update_is_the_next_version(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            first = await ask.create("one {{ a }}", ["a"])
            second = await ask.update(first.prompt_id, 1, "two {{ b }}", ["b"])
            assert (second.version, second.is_default, second.variables) == (2, True, ["b"])
            assert await ask.retrieve(first.prompt_id) == second
            old = await ask.retrieve(first.prompt_id, 1)
            assert (old.prompt, old.variables, old.is_default) == ("one {{ a }}", ["a"], False)
            assert [each.version for each in await ask.versions(first.prompt_id)] == [1, 2]

        self.run(test)

    def test_an_update_need_not_become_the_default(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            first = await ask.create("one")
            second = await ask.update(first.prompt_id, 1, "two", set_as_default=False)
            assert (second.version, second.is_default, second.prompt) == (2, False, "two")
            assert (await ask.retrieve(first.prompt_id)).prompt == "one"
            assert (await ask.set_default(first.prompt_id, 2)).is_default
            assert (await ask.retrieve(first.prompt_id)).prompt == "two"
            assert [each.is_default for each in await ask.versions(first.prompt_id)] == [False, True]

        self.run(test)

    def test_the_older_verbs_do_the_same(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            first = await ask.create("one")
            assert (await ask.post(first.prompt_id, 1, "two")).version == 2
            assert (await ask.post_default(first.prompt_id, 1)).prompt == "one"
            assert (await ask.retrieve(first.prompt_id)).prompt == "one"

        self.run(test)

    def test_an_update_quotes_the_latest_version(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            prompt_id = (await ask.create("one")).prompt_id
            await ask.update(prompt_id, 1, "two")
            for version in (1, 3, 0, -1):
                error = await refused(ask.update(prompt_id, version, "wrong"))
                assert error.status == 409, f"version {version} is not the latest, and the answer is {error.status}"
                assert "2" in error.message, "it says which is"
            assert [each.prompt for each in await ask.versions(prompt_id)] == ["one", "two"]

        self.run(test)

    def test_of_many_updates_at_once_one_is_made(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            prompt_id = (await ask.create("one")).prompt_id
            calls = (ask.update(prompt_id, 1, str(number)) for number in range(MANY))
            answers = await asyncio.gather(*calls, return_exceptions=True)
            made = [each for each in answers if isinstance(each, Prompt)]
            refusals = [each.status for each in answers if isinstance(each, StackError)]
            assert len(made) == 1, f"one makes version 2, not {len(made)}"
            assert refusals == [409] * (MANY - 1)
            assert [each.prompt for each in await ask.versions(prompt_id)] == ["one", made[0].prompt]

        self.run(test)

    def test_a_default_set_meanwhile_is_in_no_updates_way(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            prompt_id = (await ask.create("one")).prompt_id
            await ask.update(prompt_id, 1, "two")
            await asyncio.gather(ask.set_default(prompt_id, 1), ask.update(prompt_id, 2, "three", set_as_default=False))
            assert [each.version for each in await ask.versions(prompt_id)] == [1, 2, 3]
            assert (await ask.retrieve(prompt_id)).version == 1

        self.run(test)

    def test_a_version_that_is_not_there_is_not_found(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            prompt_id = (await ask.create("one")).prompt_id
            for call in (ask.retrieve(prompt_id, 2), ask.set_default(prompt_id, 2), ask.set_default(prompt_id, 0)):
                assert (await refused(call)).status == 404

        self.run(test)
