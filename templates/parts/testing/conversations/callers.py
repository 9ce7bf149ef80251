"""Who sees what: a conversation is its maker's, and everybody's where its maker is nobody."""

from __future__ import annotations

from ...contracts.conversations import Conversations
from ..suite import Suite, refused
from .asking import Asking, caller, said, text_of


class CallersSuite(Suite[Conversations]):
    """Several callers of one server."""

    def test_one_user_asking_for_anothers_id(self) -> None:
        async def test(provider: Conversations) -> None:
            ann, bob = Asking(provider, caller("ann")), Asking(provider, caller("bob"))
            hers = await ann.create([said("secret")], {"topic": "tea"})
            item = (await ann.all(hers))[0]["id"]
            own = await bob.create()
            for call in (
                bob.retrieve(hers),
                bob.update(hers, {"topic": "mine"}),
                bob.delete(hers),
                bob.page(hers),
                bob.page(hers, after=item),
                bob.add(hers, [said("mine")]),
                bob.item(hers, item),
                bob.delete_item(hers, item),
                bob.add(own, [{"type": "item_reference", "id": item}]),
                bob.create([{"type": "item_reference", "id": item}]),
            ):
                error = await refused(call)
                assert error.status == 404, f"for bob it is not there, and the answer is {error.status}"
                assert "ann" not in error.message
                assert "secret" not in error.message
            assert (await ann.retrieve(hers)).metadata == {"topic": "tea"}
            assert [text_of(each) for each in await ann.all(hers)] == ["secret"]

        self.run(test)

    def test_an_id_of_anothers_item_is_free(self) -> None:
        async def test(provider: Conversations) -> None:
            ann, bob = Asking(provider, caller("ann")), Asking(provider, caller("bob"))
            await ann.create([{**said("hers"), "id": "msg_shared"}])
            his = await bob.create([{**said("his"), "id": "msg_shared"}])
            assert [text_of(each) for each in await bob.all(his)] == ["his"]
            again = await bob.create([{"type": "item_reference", "id": "msg_shared"}])
            assert [text_of(each) for each in await bob.all(again)] == ["his"], "a reference is to what is one's own"

        self.run(test)

    def test_what_nobody_owns_is_everybodys(self) -> None:
        async def test(provider: Conversations) -> None:
            nobody, ann = Asking(provider), Asking(provider, caller("ann"))
            conversation = await nobody.create([said("open")])
            await ann.add(conversation, [said("to all")])
            assert [text_of(each) for each in await ann.all(conversation, order="asc")] == ["open", "to all"]
            assert len(await nobody.all(conversation)) == 2

        self.run(test)

    def test_a_server_that_does_not_ask_who_calls_shows_all(self) -> None:
        async def test(provider: Conversations) -> None:
            nobody, ann = Asking(provider), Asking(provider, caller("ann"))
            hers = await ann.create([said("hers")])
            assert len(await nobody.all(hers)) == 1
            assert (await nobody.delete(hers)).deleted

        self.run(test)
