"""Agents, sessions and turns are kept, listed and removed, each by its owner."""

from __future__ import annotations

from ...contracts.agents import Agents
from ..suite import refused
from .asking import Asking, OverAServer, Talk, caller

NOWHERE = ("x", "'; DROP TABLE stackgen_agents; --", "\x00", "../agents", "agent_" + "0" * 48)
"""Ids of nothing."""
STRANGE = "'; DROP TABLE stackgen_agents; -- \x00 \" % :id ? {{7*7}} \U0001f469\u200d\U0001f52c \u202e"
"""A text that is a quote, a pattern, a parameter or a template to somebody."""


class KeepingSuite(OverAServer):
    """What stays."""

    def test_an_agent_is_as_it_was_made(self) -> None:
        async def test(provider: Agents) -> None:
            config = {"name": "Ann", "max_infer_iters": 3, "toolgroups": ["sums", {"name": "talk", "args": {"a": 1}}]}
            asking = Asking(provider)
            agent = await asking.agent(**config)
            found = await asking.described(agent)
            assert found["agent_id"] == agent
            assert found["agent_config"].items() >= config.items(), "a config comes back as it was given"

        self.run(test)

    def test_names_are_texts(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            agent = await asking.agent(name=STRANGE, instructions=STRANGE)
            session = await asking.session(agent, STRANGE)
            found = (await asking.described(agent))["agent_config"]
            assert (found["name"], found["instructions"]) == (STRANGE, STRANGE)
            assert (await asking.shown(agent, session))["session_name"] == STRANGE
            turn = await Talk(asking, agent, session).turn(STRANGE)
            assert turn["output_message"]["content"] == f"you said: {STRANGE}"
            assert (await asking.shown(agent, session))["turns"] == [turn]

        self.run(test)

    def test_pages_of_agents_and_sessions(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider, caller("ann"))
            agents = [await asking.agent(name=str(number)) for number in range(5)]
            sessions = [await asking.session(agents[0], str(number)) for number in range(5)]
            for start, limit, wanted, more in (
                (0, 2, slice(0, 2), True),
                (2, 2, slice(2, 4), True),
                (4, 2, slice(4, 5), False),
                (3, 2, slice(3, 5), False),
                (9, 2, slice(5, 5), False),
                (1, -1, slice(1, 5), False),
            ):
                page = await asking.sessions(agents[0], start_index=start, limit=limit)
                assert [each["session_id"] for each in page["data"]] == sessions[wanted], "oldest first, and in pages"
                assert page["has_more"] is more
            listed = [each["agent_id"] for each in (await asking.agents())["data"]]
            found: list[str] = []
            while len(found) < len(listed):
                page = await asking.agents(start_index=len(found), limit=2)
                found += [each["agent_id"] for each in page["data"]]
                assert page["has_more"] is (len(found) < len(listed))
            assert found == listed
            assert [each for each in listed if each in agents] == agents, "oldest first"

        self.run(test)

    def test_a_session_has_its_turns(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            turns = [await talk.turn("one"), await talk.turn("two")]
            assert await talk.shown() == turns, "a turn is kept as it was answered"
            assert await talk.shown([turns[1]["turn_id"]]) == turns[1:]
            assert await talk.shown(["x"]) == []
            assert await talk.found(turns[0]["turn_id"]) == turns[0]
            step = turns[0]["steps"][0]
            assert await talk.step(turns[0]["turn_id"], step["step_id"]) == step

        self.run(test)

    def test_removing_takes_along_what_belongs_to_it(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            talk = await asking.begun()
            other = await asking.session(talk.agent)
            turn = await talk.turn("one")
            await asking.delete_session(talk.agent, talk.session)
            assert (await refused(talk.shown())).status == 404
            assert (await refused(talk.found(turn["turn_id"]))).status == 404
            assert (await refused(talk.turn("two"))).status == 404
            assert [each["session_id"] for each in (await asking.sessions(talk.agent))["data"]] == [other]
            await asking.delete(talk.agent)
            for call in (
                asking.described(talk.agent),
                asking.sessions(talk.agent),
                asking.shown(talk.agent, other),
                asking.session(talk.agent),
                asking.delete(talk.agent),
            ):
                assert (await refused(call)).status == 404, "with the agent its sessions are gone"

        self.run(test)

    def test_ids_of_nothing(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            talk = await asking.begun()
            turn = await talk.turn("one")
            for each in NOWHERE:
                for call in (
                    asking.described(each),
                    asking.delete(each),
                    asking.session(each),
                    asking.shown(talk.agent, each),
                    asking.delete_session(talk.agent, each),
                    talk.found(each),
                    talk.step(turn["turn_id"], each),
                    talk.resume(each),
                ):
                    assert (await refused(call)).status == 404

        self.run(test)

    def test_one_user_asking_for_anothers(self) -> None:
        async def test(provider: Agents) -> None:
            ann, bob = Asking(provider, caller("ann")), Asking(provider, caller("bob"))
            hers, his = await ann.begun(), await bob.begun()
            turn = await hers.turn("secret")
            hers.asking = bob
            for call in (
                bob.described(hers.agent),
                bob.delete(hers.agent),
                bob.session(hers.agent),
                bob.sessions(hers.agent),
                bob.delete_session(hers.agent, hers.session),
                bob.shown(his.agent, hers.session),
                hers.shown(),
                hers.turn("mine"),
                hers.found(turn["turn_id"]),
                hers.step(turn["turn_id"], turn["steps"][0]["step_id"]),
                hers.resume(turn["turn_id"]),
            ):
                error = await refused(call)
                assert error.status == 404, f"for bob it is not there, and the answer is {error.status}"
                assert "ann" not in error.message
            listed = [each["agent_id"] for each in (await bob.agents())["data"]]
            assert his.agent in listed
            assert hers.agent not in listed

        self.run(test)
