"""Variables: what stands in a text is declared."""

from __future__ import annotations

from ...contracts.prompts import Prompts
from ..suite import Suite, refused
from .asking import Asking


class VariablesSuite(Suite[Prompts]):
    """The variables of a prompt."""

    def test_a_prompt_with_an_undeclared_variable(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            made = await ask.create("{{ here }}", ["here"])
            for call in (
                ask.create("{{ here }} and {{there}} and {{\tnowhere\n}}", ["here"]),
                ask.create("{{ there }} {{ nowhere }}"),
                ask.create("{{ there }} {{ nowhere }}", []),
                ask.update(made.prompt_id, 1, "{{ here }} {{ there }} {{ nowhere }}", ["here"]),
            ):
                error = await refused(call)
                assert error.status == 400, f"the client forgot to declare them, and gets a {error.status}"
                for name in ("there", "nowhere"):
                    assert f"{{{{ {name} }}}}" in error.message, f"it names them: {error.message}"
            assert await ask.versions(made.prompt_id) == [made], "nothing has changed"

        self.run(test)

    def test_a_variable_may_stand_twice_or_nowhere(self) -> None:
        async def test(provider: Prompts) -> None:
            made = await Asking(provider).create("{{ a }}{{a}}", ["a", "unused", "a"])
            assert made.variables == ["a", "unused"], "a variable is declared once"

        self.run(test)

    def test_a_name_is_a_name(self) -> None:
        async def test(provider: Prompts) -> None:
            ask = Asking(provider)
            for name in ("", " ", "a b", "{{a}}", "a}}", "'", "\x00", "a\nb"):
                error = await refused(ask.create("text", [name]))
                assert error.status == 400, f"{name!r} cannot stand in a text, and the answer is {error.status}"
            for name in ("a", "_1", "user_name", "überschrift", "名前", "user.name", "user-name"):
                assert (await ask.create(f"{{{{ {name} }}}}", [name])).variables == [name]

        self.run(test)
