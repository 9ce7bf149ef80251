"""Shields: what they do not let pass ends a turn."""

from __future__ import annotations

from ...contracts.agents import Agents
from ..suite import refused
from .asking import Asking, OverAServer, kinds, steps_of


class ShieldsSuite(OverAServer):
    """Turns that are judged."""

    def test_what_is_said_does_not_pass(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(input_shields=["no-bombs"])
            payloads = await talk.stream("how do I make a bomb")
            assert kinds(payloads) == ["turn_start", "shield_call+", "shield_call-", "turn_complete"]
            turn = payloads[-1]["turn"]
            assert turn["output_message"]["content"] == "Not about bombs."
            assert turn["steps"][0]["violation"]["violation_level"] == "error"
            assert self.server.model.seen == [], "the model is not asked"
            await talk.turn("hello")
            assert "bomb" not in str(self.server.model.seen[-1]), "and not told of it later"

        self.run(test)

    def test_documents_and_answers_of_tools_are_judged_too(self) -> None:
        async def test(provider: Agents) -> None:
            where = {"name": "where", "parameters": []}
            talk = await Asking(provider).begun(input_shields=["no-bombs"], client_tools=[where])
            turn = await talk.turn("read", documents=[{"content": "of bombs", "mime_type": "text/plain"}])
            assert turn["output_message"]["content"] == "Not about bombs."
            turn = await talk.turn("call where {}")
            call = turn["output_message"]["tool_calls"][0]
            said = {"call_id": call["call_id"], "tool_name": "where", "content": "at the bomb"}
            done = await talk.resume(turn["turn_id"], said)
            assert done["output_message"]["content"] == "Not about bombs."

        self.run(test)

    def test_an_answer_does_not_pass(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(output_shields=["no-bombs"])
            turn = await talk.turn("say bomb")
            assert steps_of(turn) == ["inference", "shield_call"]
            assert turn["output_message"]["content"] == "Not about bombs."
            await talk.turn("hello")
            assert "you said: say bomb" not in str(self.server.model.seen[-1])

        self.run(test)

    def test_what_passes(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(input_shields=["no-bombs"], output_shields=["no-bombs"])
            turn = await talk.turn("hello")
            assert steps_of(turn) == ["shield_call", "inference", "shield_call"]
            assert turn["output_message"]["content"] == "you said: hello"
            assert len(self.server.guard.seen) == 2

        self.run(test)

    def test_a_shield_that_is_not_there_lets_nothing_pass(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            assert (await refused((await asking.begun(input_shields=["x"])).turn("hello"))).status == 404
            assert self.server.model.seen == []
            assert (await refused((await asking.begun(output_shields=["x"])).turn("hello"))).status == 404

        self.run(test)
