"""The table of datasets and the router of datasetio: which dataset is meant, whose, and what becomes of its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from memory_kv import MemoryKv
from parts.contracts.datasetio.requests import AppendRowsRequest, IterrowsRequest
from parts.contracts.datasets.requests import (
    ListDatasetsRequest,
    RegisterDatasetRequest,
    RetrieveDatasetRequest,
    UnregisterDatasetRequest,
)
from parts.contracts.datasets.responses import Dataset
from parts.providers.datasets.builtin import DatasetsTable, open_datasets
from parts.providers.datasets.entries import DatasetResource, SourceResource
from parts.providers.datasets.registry import RegisteredDatasets, open_registered_datasets
from parts.routers.datasetio import DatasetIoRouter
from parts.runtime import registry as registry_module
from parts.runtime.context import Context
from parts.runtime.dataset_rows import DatasetPlace, DatasetShelf, Page, Row
from parts.runtime.errors import BadRequest, Conflict, NotFound, Unavailable
from parts.runtime.kv import KvBackend
from parts.runtime.wiring import Health

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice"), Context("r", principal="bob")
ROWS: list[Row] = [{"question": "a", "answer": 1}, {"question": "b", "answer": 2}]
URI = {"type": "uri", "uri": "https://example.com/rows.csv"}


class Shelf:
    """One in memory, a fake. scheme: of the URIs that it takes; "" for rows too."""

    def __init__(self, scheme: str = "") -> None:
        self.scheme = scheme
        self.kept: dict[str, list[Row]] = {}
        self.settled: set[str] = set()
        self.refuses = False

    def fits(self, uri: str | None) -> bool:
        return not self.scheme if uri is None else uri.startswith(self.scheme)

    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        if self.refuses:
            raise BadRequest("there is no such place", param="source.uri")
        self.kept.setdefault(dataset.key, list(rows or ROWS))

    async def settle(self, dataset: DatasetPlace, ctx: Context) -> None:
        self.settled.add(dataset.key)

    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        rows = self.kept[dataset.key]
        end = len(rows) if limit is None else start + limit
        return Page(rows[start:end], end < len(rows))

    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        self.kept[dataset.key] += rows

    async def forget(self, dataset: DatasetPlace, ctx: Context) -> None:
        self.kept.pop(dataset.key, None)

    async def health(self) -> Health:
        return Health("OK")


def declared(dataset: str | None, provider: str | None = "local", uri: str = "/rows.csv") -> DatasetResource:
    source = SourceResource(uri=uri)
    return DatasetResource(
        dataset_id=dataset, provider_id=provider, purpose="eval/question-answer", source=source, metadata={"by": "us"}
    )


@asynccontextmanager
async def registering(
    *resources: DatasetResource, kv: KvBackend | None = None, shelves: Mapping[str, DatasetShelf] | None = None
) -> AsyncIterator[RegisteredDatasets]:
    store = MemoryKv() if kv is None else kv
    sources = {"local": Shelf()} if shelves is None else shelves
    async with open_registered_datasets(shelves=sources, resources=resources, metadata_store=store) as made:
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


async def ids(made: DatasetsTable, ctx: Context = CTX) -> list[str]:
    return [each.identifier for each in (await made.list_datasets(ListDatasetsRequest(), ctx)).data]


async def register(made: RegisteredDatasets, dataset: str | None, ctx: Context = CTX, **said: object) -> Dataset:
    body = {"dataset_id": dataset, "purpose": "eval/question-answer", "source": {"type": "rows", "rows": ROWS}, **said}
    return await made.register_dataset(RegisterDatasetRequest.model_validate(body), ctx)


async def unregister(made: RegisteredDatasets, dataset: str, ctx: Context = CTX) -> None:
    await made.unregister_dataset(UnregisterDatasetRequest(dataset_id=dataset), ctx)


async def read(made: DatasetsTable, dataset: str, ctx: Context = CTX, **said: int) -> tuple[list[Row], bool]:
    answer = await DatasetIoRouter(table=made).iterrows(IterrowsRequest(dataset_id=dataset, **said), ctx)
    return answer.data, answer.has_more


# ── what the distribution declares ──────────────────────────────────────────────────────────────────────────────────


async def test_declared_datasets_are_listed_but_those_of_who_is_absent() -> None:
    shelf = Shelf()
    resources = (declared("quiz"), declared(None), declared("y", None), declared("z", "away"))
    async with open_datasets(shelves={"local": shelf}, resources=resources) as made:
        assert await ids(made) == ["quiz"]
        shown = await made.retrieve_dataset(RetrieveDatasetRequest(dataset_id="quiz"), CTX)
        assert shown.model_dump() == {
            "identifier": "quiz",
            "provider_id": "local",
            "provider_resource_id": "quiz",
            "type": "dataset",
            "purpose": "eval/question-answer",
            "source": {"type": "uri", "uri": "/rows.csv"},
            "metadata": {"by": "us"},
        }
        with pytest.raises(NotFound, match="did you mean quiz") as refusal:
            made.locate("quizz", CTX)
        assert (refusal.value.code, refusal.value.param) == ("dataset_not_found", "dataset_id")


async def test_a_declared_place_that_changes_has_rows_of_its_own() -> None:
    keys = set()
    for uri in ("/a.csv", "/b.csv"):
        async with open_datasets(shelves={"local": Shelf()}, resources=[declared("quiz", uri=uri)]) as made:
            place = made.locate("quiz", CTX).place
            keys.add(place.key)
            assert (place.declared, len(place.key) <= 64) == (True, True)
    assert len(keys) == 2


# ── what clients register ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_registered_dataset_is_kept_read_and_added_to() -> None:
    kv, shelf = MemoryKv(), Shelf()
    async with registering(declared("x"), kv=kv, shelves={"local": shelf}) as made:
        shown = await register(made, "mine", metadata={"n": 1})
        assert (shown.provider_id, shown.metadata) == ("local", {"n": 1})
        assert shown.source.model_dump() == {"type": "rows", "rows": ROWS}
        assert await ids(made) == ["x", "mine"]
        assert shelf.settled == set(shelf.kept)
        append = AppendRowsRequest(dataset_id="mine", rows=[{"question": "c"}])
        await DatasetIoRouter(table=made).append_rows(append, CTX)
        assert await read(made, "mine", start_index=1, limit=1) == (ROWS[1:], True)
        assert await read(made, "mine", start_index=1) == ([*ROWS[1:], {"question": "c"}], False)
        assert await read(made, "mine", limit=-1) == ([*ROWS, {"question": "c"}], False)
    async with registering(kv=kv, shelves={"local": shelf}) as again:
        assert await read(again, "mine", limit=1) == (ROWS[:1], True)
        await unregister(again, "mine")
        assert (await ids(again), shelf.kept) == ([], {})
        with pytest.raises(NotFound):
            await read(again, "mine")


async def test_who_has_a_dataset_is_told_by_its_source_or_said() -> None:
    shelves = {"hub": Shelf("hub:"), "local": Shelf(), "other": Shelf()}
    async with registering(shelves=shelves) as made:
        assert (await register(made, "a")).provider_id == "local"
        assert (await register(made, "b", source={"type": "uri", "uri": "hub://x"})).provider_id == "hub"
        assert (await register(made, "c", metadata={"provider_id": "other"})).provider_id == "other"
        for said in ("nobody", 1):
            with pytest.raises(BadRequest, match="provider") as refusal:
                await register(made, "d", metadata={"provider_id": said})
    async with registering(shelves={"hub": Shelf("hub:")}) as made:
        with pytest.raises(BadRequest, match="no provider here takes rows") as refusal:
            await register(made, "a")
        assert refusal.value.code == "unsupported_source"


async def test_the_same_again_changes_nothing_and_another_is_a_conflict() -> None:
    shelf = Shelf()
    async with registering(declared("x"), shelves={"local": shelf}) as made:
        first = await register(made, "mine")
        assert await register(made, "mine") == first
        assert len(shelf.kept) == 1
        for said, param in (
            ({"source": URI}, "source"),
            ({"source": {"type": "rows", "rows": ROWS[:1]}}, "source"),
            ({"purpose": "post-training/messages"}, "purpose"),
            ({"metadata": {"n": 2}}, "metadata"),
        ):
            with pytest.raises(Conflict) as refusal:
                await register(made, "mine", **said)
            assert refusal.value.param == param
        assert [list(each) for each in shelf.kept.values()] == [ROWS]
        with pytest.raises(Conflict, match="declared"):
            await register(made, "x")
        with pytest.raises(Conflict, match="declared"):
            await unregister(made, "x")


async def test_many_rows_are_told_apart_though_they_are_not_shown() -> None:
    many = [{"text": "x" * 1000, "n": n} for n in range(100)]
    async with registering() as made:
        shown = await register(made, "many", source={"type": "rows", "rows": many})
        assert shown.source.model_dump() == {"type": "rows", "rows": []}
        assert (await read(made, "many", limit=3)) == (many[:3], True)
        with pytest.raises(Conflict, match="rows_sha256"):
            await register(made, "many", source={"type": "rows", "rows": many[1:]})


async def test_an_id_is_made_up_where_none_is_said() -> None:
    async with registering() as made:
        one, other = (await register(made, None)).identifier, (await register(made, None)).identifier
        assert one != other
        assert await ids(made) == sorted([one, other])
        for bad in ("a/../b", " x", "a\n"):
            with pytest.raises(BadRequest):
                await register(made, bad)


async def test_what_cannot_be_taken_is_not_registered() -> None:
    shelf = Shelf()
    shelf.refuses = True
    async with registering(shelves={"local": shelf}) as made:
        with pytest.raises(BadRequest, match="no such place"):
            await register(made, "mine", source=URI)
        assert await ids(made) == []
        for said in ({"metadata": {"x": "y" * 70_000}}, {"source": {"type": "uri", "uri": "data:," + "x" * 600_000}}):
            with pytest.raises(BadRequest, match="more than"):
                await register(made, "mine", **said)


async def test_a_registration_that_was_cut_off_is_mended_by_the_next() -> None:
    kv, shelf = MemoryKv(), Shelf()
    async with registering(kv=kv, shelves={"local": shelf}) as made:
        await register(made, "mine")
        shelf.kept.clear()  # as after a crash between the registration and the settling, an hour later
        await register(made, "mine")
        assert await read(made, "mine") == (ROWS, False)


async def test_a_dataset_is_its_owners() -> None:
    async with registering() as made:
        await register(made, "hers", ALICE)
        assert (await ids(made, ALICE), await ids(made, BOB)) == (["hers"], [])
        with pytest.raises(NotFound):
            await read(made, "hers", BOB)
        with pytest.raises(NotFound):
            await unregister(made, "hers", BOB)
        with pytest.raises(Conflict, match="somebody else"):
            await register(made, "hers", BOB)
        assert await read(made, "hers", ALICE) == (ROWS, False)


async def test_a_store_that_is_away_is_not_an_empty_one() -> None:
    kv = MemoryKv(down=True)
    async with registering(declared("x"), kv=kv) as made:
        for call in (ids(made), read(made, "mine"), register(made, "mine")):
            with pytest.raises(Unavailable):
                await call


async def test_a_dataset_of_a_provider_that_is_gone_is_not_served() -> None:
    kv = MemoryKv()
    async with registering(kv=kv, shelves={"local": Shelf()}) as made:
        await register(made, "mine")
    async with registering(kv=kv, shelves={"other": Shelf()}) as made:
        assert await ids(made) == []
        with pytest.raises(Conflict):
            await register(made, "mine", metadata={"provider_id": "other"})
        with pytest.raises(Conflict, match="is not here"):
            await register(made, "mine")
        await unregister(made, "mine")
