"""What is kept of which requests, and under which id."""

from __future__ import annotations

import json

from ...contracts.inference.requests import CreateChatCompletionRequest
from ...runtime.context import Context
from ...runtime.errors import BadRequest, NotFound, UpstreamError
from ...runtime.reply import Events
from ..suite import refused
from .base import MESSAGES, Keeps, Model, StoreSuite, answer, dump, fresh, get, ids, keep, say, streamed

LABELS = {"topic": "greeting", "é\"'{}[]$.": "; DROP TABLE chat_completions; --"}


class KeepingSuite(StoreSuite):
    """What is kept of which requests, and under which id."""

    def test_an_answer_is_kept_with_its_request(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            said = answer(fresh(), system_fingerprint="fp", unknown={"of": ["us"]})
            got = await say(store, Model(dump(said)), caller, metadata=LABELS, temperature=0.5, seed=7)
            assert json.loads(got) == said, "the client gets what the model said"
            found = await get(store, said["id"], caller)
            assert {key: found[key] for key in said} == said
            assert found["input_messages"] == list(MESSAGES)
            assert (found["metadata"], found["temperature"], found["seed"]) == (LABELS, 0.5, 7)

        self.keeps(test)

    def test_a_stream_is_kept_as_a_whole(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_ = fresh()
            blocks = streamed(id_, "Hi", " ü", "!")
            assert await say(store, Model(*blocks), caller, stream=True) == b"".join(blocks), "relayed as it was said"
            found = await get(store, id_, caller)
            assert found["choices"] == answer(id_)["choices"]
            assert found["usage"] == answer(id_)["usage"], "the account's, where no event says it"
            assert (found["object"], found["model"]) == ("chat.completion", "tiny-1")

        self.keeps(test)

    def test_what_did_not_ask_is_not_kept(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            for wish in (False, None):
                await keep(store, caller, store=wish)
                await say(store, Model(*streamed(fresh(), "x")), caller, store=wish, stream=True)
            assert await ids(store, caller) == []

        self.keeps(test)

    def test_what_broke_off_is_not_kept(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            for said in (dump(answer(fresh())), streamed(fresh(), "x")[1]):
                model = Model(said, broken=UpstreamError("gone"))
                assert isinstance(
                    await refused(say(store, model, caller, stream=said.startswith(b"data"))), UpstreamError
                )
            assert await ids(store, caller) == []

        self.keeps(test)

    def test_a_client_that_leaves_closes_the_stream(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            for read in (0, 1):
                model = Model(*streamed(fresh(), "x"))
                body = dump({"model": "tiny", "messages": MESSAGES, "store": True, "stream": True})
                request = CreateChatCompletionRequest.model_validate_json(body)
                ctx = Context(request_id="r", body=body, principal=caller)
                events = await store.keeping(model).create_chat_completion(request, ctx)
                assert isinstance(events, Events)
                for _ in range(read):
                    await anext(aiter(events))
                await events.aclose()
                assert model.closed, f"after {read} blocks"
            assert await ids(store, caller) == []

        self.keeps(test)

    def test_an_id_that_others_may_have_is_replaced(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            for poor in ("chatcmpl-7", "", "a/b/c/d/e/f/g/h/i/j/k/l", "x" * 300, 5, None):
                whole = json.loads(await say(store, Model(dump({**answer(""), "id": poor})), caller))
                found = await get(store, whole["id"], caller)
                assert found["choices"] == whole["choices"], f"instead of {poor!r}"
                block = b"".join(streamed("POOR", "a", "b")).replace(b'"POOR"', dump(poor))
                got = await say(store, Model(block), caller, stream=True)
                named = {json.loads(each[6:])["id"] for each in got.split(b"\n\n") if each}
                (id_,) = named
                assert (await get(store, id_, caller))["choices"][0]["message"]["content"] == "ab"
            assert len(await ids(store, caller)) == 12, "none took the place of another"

        self.keeps(test)

    def test_one_id_of_two_callers_is_two_answers(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_, other = fresh(), fresh()
            await keep(store, caller, id_, metadata={"whose": "one"})
            await keep(store, other, id_, metadata={"whose": "two"})
            assert (await get(store, id_, caller))["metadata"] == {"whose": "one"}
            assert (await get(store, id_, other))["metadata"] == {"whose": "two"}

        self.keeps(test)

    def test_the_newest_answer_of_an_id_is_found(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_ = await keep(store, caller, metadata={"n": "1"})
            await keep(store, caller, id_, metadata={"n": "2"})
            assert (await get(store, id_, caller))["metadata"] == {"n": "2"}
            assert await ids(store, caller) == [id_]

        self.keeps(test)

    def test_what_nobody_owns_everybody_sees(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_ = await keep(store, None)
            assert (await get(store, id_, caller))["id"] == id_
            mine = await keep(store, caller)
            assert (await get(store, mine, None))["id"] == mine, "a server without callers shows all"
            assert isinstance(await refused(get(store, mine, fresh())), NotFound)

        self.keeps(test)

    def test_labels_have_limits(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            most = {f"{n:064}": "v" * 512 for n in range(16)}
            id_ = await keep(store, caller, metadata=most)
            assert (await get(store, id_, caller))["metadata"] == most
            for wrong in ({**most, "k": "v"}, {"k" * 65: "v"}, {"k": "v" * 513}, {"k": "\x00"}, {"\x00": "v"}):
                model = Model(dump(answer(fresh())))
                error = await refused(say(store, model, caller, metadata=wrong))
                assert isinstance(error, BadRequest)
                assert error.param == "metadata"
                assert model.asked == [], "refused before the model is asked"

        self.keeps(test)
