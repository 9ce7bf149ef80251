"""Responses that are kept, and to whom they are shown."""

from __future__ import annotations

from uuid import uuid4

from ...contracts.responses import Responses
from ..suite import refused
from .asking import AskingSuite

_NOBODYS = f"resp_{'0' * 48}"
_STRANGE = ("'; DROP TABLE stackgen_responses; --", "%", "resp_\x00", "resp_", "../x")


class KeepingSuite(AskingSuite):
    """Callers of their own for each test, as a server may have kept others' before."""

    def test_a_response_is_kept_unless_told_otherwise(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider, _somebody())
            response = await asking.create()
            assert await asking.get(response["id"]) == response
            secret = await asking.create(store=False)
            assert secret["store"] is False
            assert (await refused(asking.get(secret["id"]))).status == 404
            assert (await refused(asking.create("And?", previous_response_id=secret["id"]))).status == 404

        self.run(test)

    def test_what_was_deleted_is_gone(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider, _somebody())
            response_id = (await asking.create())["id"]
            gone = await asking.delete(response_id)
            assert (gone.id, gone.deleted) == (response_id, True)
            for call in (
                asking.get(response_id),
                asking.delete(response_id),
                asking.inputs(response_id),
                asking.create("And?", previous_response_id=response_id),
            ):
                assert (await refused(call)).status == 404

        self.run(test)

    def test_ids_that_there_are_not(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider)
            for each in (_NOBODYS, *_STRANGE):
                for call in (asking.get(each), asking.delete(each), asking.inputs(each), asking.listed(after=each)):
                    assert (await refused(call)).status == 404

        self.run(test)

    def test_what_a_response_answers(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider, _somebody())
            items = [{"role": "user", "content": f"Line {number}."} for number in range(5)]
            response = await asking.create(items)
            whole = await asking.inputs(response["id"], order="asc")
            texts = [each["content"][0]["text"] for each in whole["data"]]
            assert texts == [f"Line {number}." for number in range(5)]
            ids = [each["id"] for each in whole["data"]]
            assert (whole["first_id"], whole["last_id"], whole["has_more"]) == (ids[0], ids[-1], False)
            assert [each["id"] for each in (await asking.inputs(response["id"]))["data"]] == ids[::-1]
            page = await asking.inputs(response["id"], order="asc", limit=2, after=ids[0])
            assert ([each["id"] for each in page["data"]], page["has_more"]) == (ids[1:3], True)
            before = await asking.inputs(response["id"], order="asc", after=ids[0], before=ids[3])
            assert [each["id"] for each in before["data"]] == ids[1:3]
            assert (await refused(asking.inputs(response["id"], after="msg_nobody"))).status == 404

        self.run(test)

    def test_pages_of_responses(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider, _somebody())
            ids = [(await asking.create(f"Number {number}."))["id"] for number in range(3)]
            page = await asking.listed(limit=2)
            assert [each["id"] for each in page["data"]] == ids[:0:-1]
            assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[2], ids[1], True)
            rest = await asking.listed(after=page["last_id"])
            assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (ids[:1], False)
            oldest = await asking.listed(order="asc", model=self.model)
            assert [each["id"] for each in oldest["data"]] == ids
            assert [each["input"][0]["content"][0]["text"] for each in oldest["data"]] == [
                f"Number {number}." for number in range(3)
            ]
            assert (await asking.listed(model="nobody"))["data"] == []

        self.run(test)

    def test_a_response_is_its_callers(self) -> None:
        async def test(provider: Responses) -> None:
            ann, bob = self.asking(provider, _somebody()), self.asking(provider, _somebody())
            hers = await ann.create("A secret.")
            item = (await ann.inputs(hers["id"]))["first_id"]
            for call in (
                bob.get(hers["id"]),
                bob.delete(hers["id"]),
                bob.inputs(hers["id"]),
                bob.listed(after=hers["id"]),
                bob.create("And?", previous_response_id=hers["id"]),
                bob.create([{"type": "item_reference", "id": item}]),
            ):
                error = await refused(call)
                assert error.status == 404
                assert "secret" not in error.message
            assert (await bob.listed())["data"] == []
            assert await ann.get(hers["id"]) == hers

        self.run(test)


def _somebody() -> str:
    return f"caller-{uuid4().hex}"
