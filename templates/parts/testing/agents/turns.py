"""Turns: what the model is told, what happens on the way, and what becomes of one that fails."""

from __future__ import annotations

import asyncio

from ...contracts.agents import Agents
from ...contracts.agents.responses import AgentTurnChunk
from ...runtime.errors import StackError
from ...runtime.reply import Events
from ..suite import refused
from .asking import Asking, OverAServer, deltas, kinds, steps_of, user


class TurnsSuite(OverAServer):
    """Turns without tools."""

    def test_a_turn_whole(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            turn = await talk.turn("hello")
            assert turn["output_message"]["content"] == "you said: hello"
            assert turn["output_message"]["stop_reason"] == "end_of_turn"
            assert (turn["session_id"], turn["input_messages"]) == (talk.session, [user("hello")])
            assert steps_of(turn) == ["inference"]
            assert turn["completed_at"] >= turn["started_at"]
            usage = talk.asking.ctx.usage
            assert (usage.prompt_tokens, usage.completion_tokens) == (3, 2), "what was used is on the request's account"

        self.run(test)

    def test_a_turn_as_events(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            payloads = await talk.stream("hello")
            assert kinds(payloads) == ["turn_start", "inference+", "inference-", "turn_complete"]
            assert "".join(each["text"] for each in deltas(payloads)) == "you said: hello"
            assert len(deltas(payloads)) > 1, "the text comes as it is made"
            turn = payloads[-1]["turn"]
            assert payloads[0]["turn_id"] == turn["turn_id"]
            assert await talk.shown() == [turn], "what was told is what is kept"

        self.run(test)

    def test_the_model_is_told_what_was_said_before(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            await talk.turn("one")
            await talk.turn("two")
            assert self.server.model.seen[-1]["messages"] == [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "you said: one"},
                {"role": "user", "content": "two"},
            ]

        self.run(test)

    def test_how_the_model_is_asked(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            for params, wanted in (
                ({"strategy": {"type": "greedy"}, "max_tokens": 0}, {"temperature": 0.0}),
                ({"strategy": {"type": "top_p", "temperature": 0.7, "top_p": 0.9}}, {"temperature": 0.7, "top_p": 0.9}),
                ({"strategy": {"type": "top_k", "top_k": 5}, "stop": ["X"]}, {"top_k": 5, "stop": ["X"]}),
                ({"strategy": {"type": "greedy"}, "max_tokens": 9}, {"temperature": 0.0, "max_tokens": 9}),
            ):
                schema = {"type": "object"}
                form = {"type": "json_schema", "json_schema": schema}
                await (await asking.begun(sampling_params=params, response_format=form)).turn("x")
                body = self.server.model.seen[-1]
                assert {name: body.get(name) for name in wanted} == wanted
                assert ("max_tokens" in body) == ("max_tokens" in wanted), "0 tokens means that none is meant"
                assert body["response_format"]["json_schema"]["schema"] == schema

        self.run(test)

    def test_documents_are_read_with_the_message(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            documents = [
                {"content": "Paris is large.", "mime_type": "text/plain"},
                {"content": {"uri": "data:text/plain;base64,Um9tZSBpcyBvbGQu"}, "mime_type": "text/plain"},
            ]
            await talk.turn("tell me", documents=documents)
            await talk.turn("and?")
            told = str(self.server.model.seen[-1]["messages"])
            assert "Paris is large." in told, "and also in later turns"
            assert "Rome is old." in told
            for content in ({"uri": "http://127.0.0.1/x"}, "file:///etc/passwd", {"uri": "file:///etc/passwd"}):
                error = await refused(talk.turn("x", documents=[{"content": content, "mime_type": "application/pdf"}]))
                assert error.status == 400, "the server is not sent to fetch anything"

        self.run(test)

    def test_a_model_that_is_not_there(self) -> None:
        async def test(provider: Agents) -> None:
            asking = Asking(provider)
            talk = await asking.begun(model="nothing")
            assert (await refused(talk.turn("x"))).status == 404
            assert (await refused(talk.stream("x"))).status == 404, "before anything is sent"
            talk = await asking.begun()
            assert (await refused(talk.turn("fail"))).status == 502
            assert await talk.shown() == [], "of what nobody was told nothing stays"

        self.run(test)

    def test_a_turn_that_breaks_off(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            heard, broke = 0, False
            stream = await talk.opened("break")
            try:
                async for _ in stream:
                    heard += 1
            except StackError as error:
                broke = error.status == 502
            await stream.aclose()
            assert (heard > 0, broke) == (True, True)
            assert all("completed_at" not in each for each in await talk.shown()), "it is not shown as complete"
            await talk.turn("again")
            told = [each["content"] for each in self.server.model.seen[-1]["messages"]]
            assert told == ["Be brief.", "again"], "the model is not told of it"

        self.run(test)

    def test_a_client_that_leaves(self) -> None:
        async def test(provider: Agents) -> None:
            talk = await Asking(provider).begun()
            for number, leave in enumerate((_closes, _is_cancelled), start=1):
                await leave(await talk.opened("hang"))
                assert self.server.model.cancelled == number, "the model's work is cancelled"
                assert len(await talk.shown()) == number
                assert all("completed_at" not in each for each in await talk.shown())

        self.run(test)

    def test_an_answer_that_is_cut_off(self) -> None:
        async def test(provider: Agents) -> None:
            turn = await (await Asking(provider).begun()).turn("cut off")
            assert turn["output_message"]["stop_reason"] == "out_of_tokens"

        self.run(test)

    def test_what_no_model_can_be_asked(self) -> None:
        async def test(provider: Agents) -> None:
            form = {"type": "grammar", "bnf": {"root": "x"}}
            assert (await refused(Asking(provider).agent(response_format=form))).status == 400

        self.run(test)


async def _closes(stream: Events[AgentTurnChunk]) -> None:
    """Hears the first of what the model says, and no more."""
    async for block in stream:
        if b"step_progress" in block:
            break
    await stream.aclose()


async def _is_cancelled(stream: Events[AgentTurnChunk]) -> None:
    """Waits for what does not come."""
    heard = asyncio.Event()

    async def listen() -> None:
        async for block in stream:
            if b"step_progress" in block:
                heard.set()

    listening = asyncio.create_task(listen())
    await heard.wait()
    await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait([listening])
    await stream.aclose()
