"""Datasets that are registered at NVIDIA NeMo, at a fake of its Entity Store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from parts.providers.datasetio.nvidia import NvidiaDatasets, NvidiaDatasetsConfig, open_nvidia_datasets
from parts.runtime.context import Context
from parts.runtime.dataset_rows import DatasetPlace
from parts.runtime.errors import BadRequest, Conflict, StackError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from upstreams import FakeUpstream, Script, Seen, answers, fake_upstream, refuses, shows_html

CTX = Context("r")
KEY = "nv-very-secret-key-0123456789"
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=2.0, read=2.0), retries=0)
URI = "hf://datasets/default/quiz"


class EntityStore:
    """A fake of the Entity Store, whose answers have the form that NVIDIA documents."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, object]] = {}

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        path = seen.path.removeprefix("/v1").partition("?")[0]
        if seen.method == "POST" and path == "/v1/datasets":
            name = f"{seen.json['namespace']}/{seen.json['name']}"
            if name in self.kept:
                return await refuses(409, "exists")(seen, writer)
            self.kept[name] = dict(seen.json)
            return await answers({"id": "dataset-1", **seen.json})(seen, writer)
        if path == "/v1/datasets":
            return await answers({"data": list(self.kept.values())})(seen, writer)
        name = path.removeprefix("/v1/datasets/")
        if name not in self.kept:
            return await refuses(404, "not there")(seen, writer)
        if seen.method == "DELETE":
            del self.kept[name]
            return await answers({"message": "deleted"})(seen, writer)
        return await answers(self.kept[name])(seen, writer)


@asynccontextmanager
async def shelf(script: Script) -> AsyncIterator[tuple[NvidiaDatasets, FakeUpstream]]:
    async with fake_upstream(script) as fake:
        config = NvidiaDatasetsConfig(base_url=fake.url, api_key=Secret(KEY), network=QUICK)
        async with open_nvidia_datasets(config) as opened:
            yield opened, fake


def at(identity: str = "quiz", uri: str | None = URI, **metadata: object) -> DatasetPlace:
    return DatasetPlace(id=identity, key="rows_1", uri=uri, metadata=metadata, declared=False)


async def test_a_dataset_is_registered_and_unregistered_there() -> None:
    store = EntityStore()
    async with shelf(store) as (opened, fake):
        assert [opened.fits(each) for each in (URI, "https://x/y.csv", None)] == [True, False, False]
        await opened.take(at(format="jsonl", n=1), None, CTX)
        expected = {"name": "quiz", "namespace": "default", "files_url": URI, "project": "test-project"}
        assert store.kept == {"default/quiz": {**expected, "format": "jsonl"}}
        await opened.take(at(), None, CTX)
        await opened.settle(at(), CTX)
        with pytest.raises(Conflict, match="of other files"):
            await opened.take(at(uri="hf://datasets/default/other"), None, CTX)
        assert (await opened.health()).status == "OK"
        await opened.forget(at(), CTX)
        await opened.forget(at(), CTX)
        assert store.kept == {}
        assert {each.headers["authorization"] for each in fake.requests} == {f"Bearer {KEY}"}


async def test_rows_are_neither_taken_nor_read_nor_added() -> None:
    async with shelf(EntityStore()) as (opened, fake):
        for call in (
            opened.take(at(uri=None), [{"a": 1}], CTX),
            opened.read(at(), 0, None, CTX),
            opened.append(at(), [{"a": 1}], CTX),
            opened.take(at("../models/x"), None, CTX),
            opened.forget(at("a/b"), CTX),
        ):
            with pytest.raises(BadRequest):
                await call
        assert fake.requests == []


@pytest.mark.parametrize("script", [refuses(500, KEY), refuses(422, "no"), refuses(401, KEY)])
async def test_what_is_refused_there_is_told(script: Script) -> None:
    async with shelf(script) as (opened, _):
        for call in (opened.take(at(), None, CTX), opened.forget(at(), CTX)):
            with pytest.raises(StackError) as refusal:
                await call
            assert KEY not in refusal.value.message
        assert (await opened.health()).status == "Error"


async def test_a_conflict_without_an_answer_stays_one() -> None:
    async with shelf(refuses(409)) as (opened, _):
        with pytest.raises(Conflict):
            await opened.take(at(), None, CTX)
    async with (
        fake_upstream(refuses(409), shows_html()) as fake,
        open_nvidia_datasets(NvidiaDatasetsConfig(base_url=fake.url, network=QUICK)) as opened,
    ):
        with pytest.raises(Conflict, match="of other files"):
            await opened.take(at(), None, CTX)
