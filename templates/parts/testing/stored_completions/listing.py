"""Lists: their pages, and what they are asked for."""

from __future__ import annotations

from ...runtime.errors import NotFound
from ..suite import refused
from .base import Keeps, Model, StoreSuite, answer, dump, fresh, ids, keep, listed, messages, say

HOSTILE = (
    "' OR '1'='1",
    '" OR 1=1 --',
    "%",
    "_",
    "\\",
    "$.topic",
    '$."topic"',
    "'; DROP TABLE chat_completions; --",
    "${env.HOME}",
    "{{ 7 * 7 }}",
)


class ListingSuite(StoreSuite):
    """Lists: their pages, and what they are asked for."""

    def test_pages_hold_everything_once(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            made = [await keep(store, caller) for _ in range(7)]
            for order, wanted in (("asc", made), ("desc", made[::-1])):
                found: list[str] = []
                while True:
                    after = {"after": found[-1]} if found else {}
                    page = await listed(store, caller, limit=3, order=order, **after)
                    found += [each["id"] for each in page["data"]]
                    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
                    if not page["has_more"]:
                        break
                assert found == wanted
            assert await ids(store, caller) == made, "the oldest first, where nothing is said"

        self.keeps(test)

    def test_an_empty_page(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            nothing = {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
            assert await listed(store, caller) == nothing

        self.keeps(test)

    def test_after_what_is_not_there(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            other = await keep(store, fresh())
            for gone in (fresh(), other, "", *HOSTILE):
                error = await refused(listed(store, caller, after=gone))
                assert isinstance(error, NotFound)
                assert error.param == "after"

        self.keeps(test)

    def test_labels_choose(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            red = await keep(store, caller, metadata={"colour": "red", "size": "1"})
            blue = await keep(store, caller, metadata={"colour": "blue", "size": "1"})
            await keep(store, caller)
            assert await ids(store, caller, metadata={"size": "1"}) == [red, blue]
            assert await ids(store, caller, metadata={"size": "1", "colour": "blue"}) == [blue]
            assert await ids(store, caller, metadata={"colour": "green"}) == []
            assert await ids(store, caller, metadata={"size": ""}) == []

        self.keeps(test)

    def test_a_model_is_chosen_by_both_of_its_names(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            one = await keep(store, caller)
            two = fresh()
            await say(store, Model(dump(answer(two, model="other"))), caller)
            assert await ids(store, caller, model="up/tiny") == [one, two]
            assert await ids(store, caller, model="tiny-1") == [one]
            assert await ids(store, caller, model="nobody") == []

        self.keeps(test)

    def test_hostile_texts_are_texts(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            await keep(store, caller, metadata={"topic": "plain"})
            for text in HOSTILE:
                assert await ids(store, caller, model=text) == []
                assert await ids(store, caller, metadata={"topic": text}) == []
                assert await ids(store, caller, metadata={text: "plain"}) == []
                mine = await keep(store, caller, metadata={text: text})
                assert await ids(store, caller, metadata={text: text}) == [mine]
                assert isinstance(await refused(messages(store, text, caller)), NotFound)

        self.keeps(test)

    def test_the_messages_of_a_request(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            parts = [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
            ]
            call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            asked = [
                {"role": "user", "content": "one"},
                {"role": "user", "content": parts},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": "done"},
            ]
            id_ = await keep(store, caller, messages=asked)
            page = await messages(store, id_, caller)
            assert [(each["role"], each["content"], each["content_parts"]) for each in page["data"]] == [
                ("user", "one", None),
                ("user", None, parts),
                ("assistant", None, None),
                ("tool", "done", None),
            ]
            assert page["data"][2]["tool_calls"] == [call]
            assert page["has_more"] is False
            first = await messages(store, id_, caller, limit=1, order="desc")
            assert (first["data"][0]["content"], first["has_more"]) == ("done", True)
            rest = await messages(store, id_, caller, after=first["last_id"], order="desc")
            assert [each["id"] for each in rest["data"]] == [each["id"] for each in page["data"][2::-1]]
            assert isinstance(await refused(messages(store, id_, caller, after="nobody")), NotFound)

        self.keeps(test)
