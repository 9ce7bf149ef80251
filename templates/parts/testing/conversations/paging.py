"""Pages: every item once, in the order in which they were added."""

from __future__ import annotations

from ...contracts.conversations import Conversations
from ..suite import Suite, refused
from .asking import STRANGE, Asking, said, text_of


class PagingSuite(Suite[Conversations]):
    """Items, page by page."""

    def test_items_come_in_their_order(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([said(str(number)) for number in range(20)])
            await ask.add(conversation, [said(str(number)) for number in range(20, 40)])
            await ask.add(conversation, [said("40")])
            wanted = [str(number) for number in range(41)]
            for limit in (1, 7, 20, 40, 41, 100):
                for order in ("asc", "desc"):
                    texts = [text_of(each) for each in await ask.all(conversation, order=order, limit=limit)]
                    assert texts == (wanted if order == "asc" else wanted[::-1]), f"{order}, {limit} a page"

        self.run(test)

    def test_the_last_twenty_come_first(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([said(str(number)) for number in range(20)])
            await ask.add(conversation, [said("20")])
            page = await ask.page(conversation)
            assert [text_of(each) for each in page["data"]] == [str(number) for number in range(20, 0, -1)]
            assert page["has_more"] is True

        self.run(test)

    def test_an_empty_page_is_a_page(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([said("one")])
            only = (await ask.all(conversation))[0]["id"]
            page = await ask.page(conversation, after=only)
            assert (page["data"], page["has_more"]) == ([], False)

        self.run(test)

    def test_a_page_goes_on_where_items_were_added_and_removed(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([said(str(number)) for number in range(6)])
            page = await ask.page(conversation, order="asc", limit=2)
            rest = await ask.all(conversation, order="asc", after=page["last_id"])
            await ask.delete_item(conversation, rest[0]["id"])
            await ask.add(conversation, [said("6")])
            texts = [text_of(each) for each in await ask.all(conversation, order="asc", after=page["last_id"])]
            assert texts == ["3", "4", "5", "6"]

        self.run(test)

    def test_a_page_after_nothing_is_refused(self) -> None:
        async def test(provider: Conversations) -> None:
            ask = Asking(provider)
            conversation = await ask.create([said("one")])
            elsewhere = (await ask.all(await ask.create([said("two")])))[0]["id"]
            for after in ("msg_nothing", "", elsewhere, *STRANGE):
                error = await refused(ask.page(conversation, after=after))
                assert error.status in (400, 404), f"there is no {after!r}, and the answer is {error.status}"

        self.run(test)
