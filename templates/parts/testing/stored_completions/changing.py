"""Labels that are replaced, completions that are removed, and those of others."""

from __future__ import annotations

from ...runtime.errors import BadRequest, NotFound
from ..suite import refused
from .base import Keeps, StoreSuite, delete, fresh, get, ids, keep, label, messages


class ChangingSuite(StoreSuite):
    """Labels that are replaced, completions that are removed, and those of others."""

    def test_labels_are_replaced(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_ = await keep(store, caller, metadata={"a": "1", "b": "2"})
            changed = await label(store, id_, caller, {"b": "3"})
            assert changed["metadata"] == {"b": "3"}
            assert changed == await get(store, id_, caller)
            assert await ids(store, caller, metadata={"b": "3"}) == [id_]
            assert await ids(store, caller, metadata={"a": "1"}) == []
            assert not (await label(store, id_, caller, None))["metadata"]
            assert await ids(store, caller, metadata={"b": "3"}) == []

        self.keeps(test)

    def test_new_labels_have_limits(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_ = await keep(store, caller, metadata={"a": "1"})
            wrongs: tuple[dict[str, str], ...] = ({"k" * 65: "v"}, {"k": "v" * 513}, {str(n): "" for n in range(17)})
            for wrong in wrongs:
                error = await refused(label(store, id_, caller, wrong))
                assert isinstance(error, BadRequest)
                assert error.param == "metadata"
            assert (await get(store, id_, caller))["metadata"] == {"a": "1"}

        self.keeps(test)

    def test_what_is_removed_is_gone(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_, stays = await keep(store, caller), await keep(store, caller)
            assert await delete(store, id_, caller) == {
                "object": "chat.completion.deleted",
                "id": id_,
                "deleted": True,
            }
            assert await ids(store, caller) == [stays]
            for gone in (get(store, id_, caller), delete(store, id_, caller), label(store, id_, caller, {})):
                assert isinstance(await refused(gone), NotFound)

        self.keeps(test)

    def test_another_caller_finds_nothing(self) -> None:
        async def test(store: Keeps, caller: str) -> None:
            id_, other = await keep(store, caller, metadata={"a": "1"}), fresh()
            for call in (
                get(store, id_, other),
                messages(store, id_, other),
                delete(store, id_, other),
                label(store, id_, other, {"a": "2"}),
            ):
                error = await refused(call)
                unknown = await refused(get(store, fresh(), other))
                assert isinstance(error, NotFound)
                assert error.code == unknown.code, "as where there is none of this id"
            assert id_ not in await ids(store, other, metadata={"a": "1"})
            assert (await get(store, id_, caller))["metadata"] == {"a": "1"}

        self.keeps(test)
