"""Tools: the server's, which a turn runs, and the client's, for which it waits."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic_core import from_json

from ...contracts.agents import Agents
from ..suite import refused
from .asking import Asking, OverAServer, deltas, kinds, steps_of
from .server import Json

WHERE = {"name": "where", "description": "Where the user is.", "parameters": []}
"""A tool of the client's."""


def answer(call: Json, content: Any = "Paris") -> Json:
    return {"call_id": call["call_id"], "tool_name": call["tool_name"], "content": content}


class ToolsSuite(OverAServer):
    """Turns with tools."""

    def test_a_tool_of_the_server(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(toolgroups=["sums"])
            payloads = await talk.stream('call add {"a": 1, "b": 2}')
            assert kinds(payloads) == [
                "turn_start",
                "inference+",
                "inference-",
                "tool_execution+",
                "tool_execution-",
                "inference+",
                "inference-",
                "turn_complete",
            ]
            turn = payloads[-1]["turn"]
            assert turn["output_message"]["content"] == "the tool said: 3"
            step = turn["steps"][1]
            assert step["tool_calls"][0]["tool_name"] == "add"
            assert step["tool_responses"][0]["content"] == "3"
            assert step["tool_responses"][0]["call_id"] == step["tool_calls"][0]["call_id"]
            assert [each["tool_name"] for each in turn["steps"][0]["model_response"]["tool_calls"]] == ["add"]
            tools = {each["function"]["name"] for each in self.server.model.seen[0].get("tools", ())}
            assert tools == {"add", "broken", "away"}

        self.run(test)

    def test_a_call_as_it_is_written(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(toolgroups=["sums"])
            told = deltas(await talk.stream('call add {"a": 1, "b": 2}'))
            found = [each for each in told if each["type"] == "tool_call"]
            pieces = [each["tool_call"] for each in found if isinstance(each["tool_call"], str)]
            assert len(pieces) > 1, "a call comes as it is written"
            assert from_json("".join(pieces)) == {"a": 1, "b": 2}
            assert found[0]["parse_status"] == "started"
            whole = next(each for each in found if each["parse_status"] == "succeeded")["tool_call"]
            assert (whole["tool_name"], from_json(whole["arguments"])) == ("add", {"a": 1, "b": 2})

        self.run(test)

    def test_tools_that_fail_are_told_to_the_model(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(toolgroups=["sums"])
            for call, said in (
                ("broken {}", "the disk is full"),
                ("away {}", "the tool is away"),
                ("nothing {}", "no tool 'nothing'"),
                ("add {1: 2}", "no JSON object"),
            ):
                turn = await talk.turn(f"call {call}")
                assert said in turn["output_message"]["content"], f"of {call} the model is told why"

        self.run(test)

    def test_arguments_of_a_tool_group_stand_over_the_models(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(toolgroups=[{"name": "talk/echo", "args": {"b": 9}}])
            turn = await talk.turn('call echo {"a": 1, "b": 2}')
            assert self.server.tools.seen[0].kwargs == {"a": 1, "b": 9}
            assert self.server.tools.seen[0].tool_group_id == "talk"
            assert turn["steps"][1]["tool_responses"][0]["metadata"] == {"spoken": True}

        self.run(test)

    def test_tools_of_one_turn(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            turn = await talk.turn('call add {"a": 1, "b": 2}', toolgroups=["sums/add"])
            assert turn["output_message"]["content"] == "the tool said: 3"
            tools = [each["function"]["name"] for each in self.server.model.seen[0]["tools"]]
            assert tools == ["add"], "one tool of a group was named"
            await talk.turn("again")
            assert "tools" not in self.server.model.seen[-1], "they were for one turn"

        self.run(test)

    def test_whether_tools_are_called(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            named = {"type": "function", "function": {"name": "add"}}
            for choice, wanted in (("auto", None), ("required", "required"), ("add", named), ("none", None)):
                config = {"tool_choice": choice}
                talk = await asking.begun(toolgroups=["sums"], tool_config=config)
                await talk.turn('call add {"a": 1, "b": 2}')
                first, *rest = self.server.model.seen
                assert first.get("tool_choice") == wanted
                assert ("tools" in first) == (choice != "none")
                assert all("tool_choice" not in each for each in rest), "after a call the model is free to answer"
                self.server.model.seen.clear()
            talk = await asking.begun(toolgroups=["sums"], tool_config={"tool_choice": "nothing"})
            assert (await refused(talk.turn("x"))).status == 400

        self.run(test)

    def test_the_model_is_not_called_for_ever(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(toolgroups=["sums"], max_infer_iters=1)
            turn = await talk.turn('call add {"a": 1, "b": 2}')
            assert steps_of(turn) == ["inference"]
            assert not turn["output_message"].get("tool_calls"), "nobody is to run what is left"
            assert "completed_at" in turn
            assert (await talk.turn("and now"))["output_message"]["content"] == "you said: and now"

        self.run(test)

    def test_two_tools_of_one_name_and_groups_that_are_not(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            twice = await asking.begun(toolgroups=["sums"], client_tools=[{**WHERE, "name": "add"}])
            assert (await refused(twice.turn("x"))).status == 400
            for group in ("nothing", "sums/nothing", "nothing/add"):
                assert (await refused((await asking.begun(toolgroups=[group])).turn("x"))).status == 404

        self.run(test)

    def test_a_tool_of_the_client(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(client_tools=[WHERE], toolgroups=["sums"])
            payloads = await talk.stream('call where {}; add {"a": 1, "b": 2}')
            assert kinds(payloads)[-1] == "turn_awaiting_input"
            turn = payloads[-1]["turn"]
            waiting = turn["output_message"]["tool_calls"]
            assert [each["tool_name"] for each in waiting] == ["where"], "the server's tool was run"
            assert "completed_at" not in turn
            assert await talk.found(turn["turn_id"]) == turn

            payloads = await talk.resume_stream(turn["turn_id"], answer(waiting[0]))
            assert kinds(payloads) == ["tool_execution-", "inference+", "inference-", "turn_complete"]
            done = payloads[-1]["turn"]
            assert done["turn_id"] == turn["turn_id"]
            assert steps_of(done) == ["inference", "tool_execution", "tool_execution", "inference"]
            assert "completed_at" in done
            assert await talk.shown() == [done]
            told = [each["content"] for each in self.server.model.seen[-1]["messages"] if each["role"] == "tool"]
            assert told == ["Paris", "3"], "each answer stands behind its call"

        self.run(test)

    def test_answers_that_do_not_fit(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(client_tools=[WHERE])
            turn = await talk.turn("call where {}")
            call = turn["output_message"]["tool_calls"][0]
            assert (await refused(talk.resume(turn["turn_id"]))).status == 400
            assert (await refused(talk.resume(turn["turn_id"], answer({**call, "call_id": "x"})))).status == 400
            done = await talk.resume(turn["turn_id"], answer(call))
            assert done["output_message"]["content"] == "the tool said: Paris"
            assert (await refused(talk.resume(turn["turn_id"], answer(call)))).status == 409, "it waits no longer"

        self.run(test)

    def test_resuming_fails_and_is_done_again(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(client_tools=[WHERE])
            turn = await talk.turn("call where {}")
            call = turn["output_message"]["tool_calls"][0]
            assert (await refused(talk.resume(turn["turn_id"], answer(call, "fail")))).status == 502
            assert await talk.found(turn["turn_id"]) == turn, "it waits as before"
            assert "completed_at" in await talk.resume(turn["turn_id"], answer(call))

        self.run(test)

    def test_two_who_resume_at_once(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(client_tools=[WHERE])
            turn = await talk.turn("call where {}")
            call = turn["output_message"]["tool_calls"][0]
            both = (talk.resume(turn["turn_id"], answer(call, city)) for city in ("Paris", "Rome"))
            done = [each for each in await asyncio.gather(*both, return_exceptions=True) if isinstance(each, dict)]
            assert len(done) == 1, "one of them was quicker"
            assert await talk.shown() == done

        self.run(test)

    def test_what_is_looked_up_is_told(self) -> None:
        async def test(provider: Agents) -> None:
            tool = {"name": "builtin::rag", "args": {"vector_store_ids": ["vs_1", "vs_2"]}}
            turn = await (await Asking(provider).begun(toolgroups=[tool])).turn(
                'call knowledge_search {"query": "Paris"}'
            )
            assert steps_of(turn) == ["inference", "tool_execution", "memory_retrieval", "inference"]
            step = turn["steps"][2]
            assert (step["vector_db_ids"], step["inserted_context"]) == ("vs_1,vs_2", "Paris is large.")

        self.run(test)

    def test_definitions_within_the_instructions(self) -> None:
        async def test(provider: Agents) -> None:
            for behavior, there in (("replace", True), ("append", False)):
                config = {"system_message_behavior": behavior}
                text = "These: {{function_definitions}}."
                talk = await Asking(provider).begun(toolgroups=["talk"], tool_config=config, instructions=text)
                await talk.turn("x")
                told = self.server.model.seen[-1]["messages"][0]["content"]
                assert ("To echo." in told, "{{" in told) == (there, not there)

        self.run(test)

    def test_a_client_that_never_answers(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun(client_tools=[WHERE])
            turn = await talk.turn("call where {}")
            assert (await talk.turn("never mind"))["output_message"]["content"] == "you said: never mind"
            call = turn["output_message"]["tool_calls"][0]
            said = {"role": "tool", "call_id": call["call_id"], "content": "Rome"}
            later = await talk.turn(said)
            assert later["output_message"]["content"].startswith("you said"), "an answer as a message goes to its call"
            stray = {**said, "call_id": "x"}
            assert (await refused(talk.turn(stray))).status == 400

        self.run(test)
