"""Conversations: made, described, changed, removed."""

from __future__ import annotations

import time

from ...contracts.conversations import Conversations
from ..suite import Suite, refused
from .asking import STRANGE, Asking, said

NOWHERE = ("conv_" + "0" * 48, "conv_", "nothing", "a" * 300, *STRANGE)
"""Ids of no conversation."""


class KeepingSuite(Suite[Conversations]):
    """The life of a conversation."""

    def test_a_conversation_is_kept(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            before = int(time.time())
            made = await ask.created({"metadata": {"topic": "tea"}})
            assert made.id.startswith("conv_"), "an id says what it is of"
            assert made.metadata == {"topic": "tea"}
            assert before - 60 <= made.created_at <= time.time() + 60, "it says when it was made, in seconds"
            assert await ask.retrieve(made.id) == made

        self.run(test)

    def test_a_conversation_needs_nothing(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            bodies: list[dict[str, object]] = [{}, {"metadata": None}, {"items": None}, {"items": []}]
            for body in bodies:
                made = await ask.created(body)
                assert not made.metadata, f"nothing was attached, and it has {made.metadata}"
                assert await ask.all(made.id) == []

        self.run(test)

    def test_two_conversations_are_two(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            one, other = await ask.create([said("one")]), await ask.create([said("other")])
            assert one != other
            await ask.delete(one)
            assert len(await ask.all(other)) == 1

        self.run(test)

    def test_metadata_is_replaced(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            made = await ask.created({"metadata": {"a": "1", "b": "2"}})
            assert (await ask.update(made.id, {"b": "3"})).metadata == {"b": "3"}
            found = await ask.retrieve(made.id)
            assert found.metadata == {"b": "3"}
            assert found.created_at == made.created_at
            assert not (await ask.update(made.id, None)).metadata

        self.run(test)

    def test_as_much_metadata_as_openai_takes_is_kept_and_no_more(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            # Characters are counted, not bytes.
            most = {f"{number:02}" + "ß" * 62: "ö" * 512 for number in range(16)}
            made = await ask.created({"metadata": most})
            assert (await ask.retrieve(made.id)).metadata == most
            for wrong in ({**most, "one more": ""}, {"k" * 65: "v"}, {"k": "v" * 513}):
                for call in (ask.created({"metadata": wrong}), ask.update(made.id, wrong)):
                    error = await refused(call)
                    assert error.status == 400, f"the client asked for too much, and gets a {error.status}"
            assert (await ask.retrieve(made.id)).metadata == most

        self.run(test)

    def test_strange_metadata_is_text(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            metadata = {text[:64]: text for text in STRANGE}
            assert (await ask.retrieve(await ask.create(metadata=metadata))).metadata == metadata

        self.run(test)

    def test_a_deleted_conversation_is_gone_with_its_items(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create()
            item_id = (await ask.add(conversation, [said("hello")]))[0]["id"]
            gone = await ask.delete(conversation)
            assert (gone.id, gone.deleted) == (conversation, True)
            await self._is_nowhere(ask, conversation, item_id)

        self.run(test)

    def test_what_is_not_there_is_not_found(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            for conversation in NOWHERE:
                await self._is_nowhere(ask, conversation, "msg_1")

        self.run(test)

    async def _is_nowhere(self, ask: Asking, conversation: str, item_id: str) -> None:
        for call in (
            ask.retrieve(conversation),
            ask.update(conversation, {}),
            ask.delete(conversation),
            ask.add(conversation, [said("hello")]),
            ask.page(conversation),
            ask.item(conversation, item_id),
            ask.delete_item(conversation, item_id),
        ):
            error = await refused(call)
            assert error.status == 404, f"{conversation[:60]!r} is not there, and the answer is {error.status}"
