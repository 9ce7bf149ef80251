"""Items: of every type, kept as they were said."""

from __future__ import annotations

import asyncio
from typing import Any

from ...contracts.conversations import Conversations
from ..suite import Suite, refused
from .asking import EVERYTHING, STRANGE, Asking, Item, said, text_of
from .samples import SAMPLES


class ItemsSuite(Suite[Conversations]):
    """What is put into a conversation."""

    def test_an_item_of_every_type_is_kept_as_it_was_said(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create()
            for start in range(0, len(SAMPLES), 20):
                answered = await ask.add(conversation, SAMPLES[start : start + 20], EVERYTHING)
                for sample, item in zip(SAMPLES[start : start + 20], answered, strict=True):
                    holds(item, sample)
            listed = await ask.all(conversation, include=list(EVERYTHING), order="asc", limit=100)
            for sample, item in zip(SAMPLES, listed, strict=True):
                holds(item, sample)
                holds(await ask.item(conversation, item["id"], EVERYTHING), sample)

        self.run(test)

    def test_what_is_long_is_shown_to_those_who_ask(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create(SAMPLES[:3])
            kinds = {path.split(".")[0] for path in EVERYTHING} - {"message", "reasoning"}
            await ask.add(conversation, [each for each in SAMPLES if each["type"] in kinds])
            plain = {each["id"]: each for each in await ask.all(conversation)}
            whole = {each["id"]: each for each in await ask.all(conversation, include=list(EVERYTHING))}
            shown = {path for item in whole.values() for path in _long(item)}
            assert shown == set(EVERYTHING), f"what was kept is shown when asked for: {shown}"
            assert not [path for item in plain.values() for path in _long(item)], "and not otherwise"
            for path in EVERYTHING:
                found = {each for item in await ask.all(conversation, include=[path]) for each in _long(item)}
                assert found == {path}, f"{path} was asked for, and {found} is shown"

        self.run(test)

    def test_a_text_becomes_a_part(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create()
            for role, kind in (("user", "input"), ("system", "input"), ("developer", "input"), ("assistant", "output")):
                item = (await ask.add(conversation, [said("hello", role)]))[0]
                assert (item["type"], item["role"], item["status"]) == ("message", role, "completed")
                assert item["content"][0]["type"] == f"{kind}_text"
                assert text_of(item) == "hello"

        self.run(test)

    def test_strange_text_is_text(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create()
            await ask.add(conversation, [{**said(text), text: [text]} for text in STRANGE])
            for text, item in zip(STRANGE, await ask.all(conversation, order="asc"), strict=True):
                assert text_of(item) == text
                assert item.get(text) == [text], "what the API does not know of is kept as well"

        self.run(test)

    def test_items_get_ids(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create()
            items = await ask.add(conversation, [{**said("a"), "id": None}, said("b"), SAMPLES[4]])
            assert all(item["id"].startswith("msg_") for item in items[:2])
            assert items[2]["id"].startswith("fc_")
            assert (await ask.item(conversation, items[1]["id"])) == items[1]

        self.run(test)

    def test_an_id_that_comes_along_is_kept(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            one, other = await ask.create(), await ask.create()
            for conversation in (one, other):
                items = await ask.add(conversation, [{**said("a"), "type": "message", "id": "msg_of-another:service"}])
                assert items[0]["id"] == "msg_of-another:service"
            for wrong in ("", "a/b", "a b", "a\x00b", "ä", "a" * 257):
                error = await refused(ask.add(one, [{**said("a"), "type": "message", "id": wrong}]))
                assert error.status == 400, f"{wrong!r} cannot be an id, and the answer is {error.status}"
            assert len(await ask.all(one)) == 1

        self.run(test)

    def test_an_id_is_there_once(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([{**said("first"), "id": "msg_1"}])
            twice: list[list[Item]] = [
                [said("x"), {**said("again"), "id": "msg_1"}],
                [{**said("a"), "id": "msg_2"}, {**said("b"), "id": "msg_2"}],
            ]
            for items in twice:
                error = await refused(ask.add(conversation, items))
                assert error.status == 400, f"an id that is taken is the client's fault, not a {error.status}"
            assert [text_of(item) for item in await ask.all(conversation)] == ["first"], "all are added, or none"

        self.run(test)

    def test_an_item_is_referred_to(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            one = await ask.create([said("in one")])
            item = (await ask.all(one))[0]
            other = await ask.create([said("in other"), {"type": "item_reference", "id": item["id"]}])
            assert [text_of(each) for each in await ask.all(other, order="asc")] == ["in other", "in one"]
            third = await ask.create([{"id": item["id"]}])
            assert await ask.all(third) == [item]
            for wrong in ("msg_nothing", "\x00", "'"):
                error = await refused(ask.add(other, [{"type": "item_reference", "id": wrong}]))
                assert error.status == 404, f"{wrong!r} is not there, and the answer is {error.status}"

        self.run(test)

    def test_an_item_is_removed(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([said("a"), said("b"), said("c")])
            _, middle, _ = await ask.all(conversation)
            assert (await ask.delete_item(conversation, middle["id"])).id == conversation
            assert [text_of(each) for each in await ask.all(conversation, order="asc")] == ["a", "c"]
            for call in (ask.item(conversation, middle["id"]), ask.delete_item(conversation, middle["id"])):
                assert (await refused(call)).status == 404
            await ask.add(conversation, [said("d"), {**said("b again"), "id": middle["id"]}])
            texts = [text_of(each) for each in await ask.all(conversation, order="asc")]
            assert texts == ["a", "c", "d", "b again"], "what is added comes last"

        self.run(test)

    def test_an_item_is_of_its_conversation(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            one, other = await ask.create([said("a")]), await ask.create()
            item = (await ask.all(one))[0]
            for call in (ask.item(other, item["id"]), ask.delete_item(other, item["id"])):
                assert (await refused(call)).status == 404
            for strange in STRANGE:
                assert (await refused(ask.item(one, strange))).status == 404
            assert len(await ask.all(one)) == 1

        self.run(test)

    def test_many_add_at_once(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create()
            calls = [ask.add(conversation, [said(f"{who}.{n}") for n in range(5)]) for who in range(8)]
            await asyncio.gather(*calls)
            texts = [text_of(each) for each in await ask.all(conversation, order="asc", limit=7)]
            for start in range(0, 40, 5):
                who = texts[start].split(".")[0]
                assert texts[start : start + 5] == [f"{who}.{n}" for n in range(5)], "what came together is together"
            assert len(set(texts)) == 40

        self.run(test)


def holds(item: Item, sample: Item) -> None:
    """The item says all that the sample says, in every depth; what else it has, the server gave it."""
    assert item.get("id"), "an item has an id"
    _holds(item, sample, sample["type"])


def _holds(item: Any, sample: Any, where: str) -> None:
    if isinstance(sample, dict):
        for key, value in sample.items():
            assert key in item, f"{where}.{key} was said, and is not there"
            _holds(item[key], value, f"{where}.{key}")
    elif isinstance(sample, list):
        assert len(item) == len(sample), where
        for number, value in enumerate(sample):
            _holds(item[number], value, f"{where}.{number}")
    else:
        assert item == sample, f"{where} was {sample!r}, and is {item!r}"


def _long(item: Item) -> set[str]:
    """Which of what `include` names an item shows."""
    found = set()
    for part in item["content"] if item["type"] == "message" else ():
        found |= {"message.output_text.logprobs"} if part.get("logprobs") else set()
        if part["type"] == "input_image" and part["image_url"]:
            found.add("message.input_image.image_url")
    for path in EVERYTHING:
        kind, *steps = path.split(".")
        value: Any = item if item["type"] == kind else {}
        for step in steps:
            value = (value or {}).get(step)
        found |= {path} if value else set()
    return found
