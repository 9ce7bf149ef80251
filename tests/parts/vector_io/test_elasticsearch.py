"""Elasticsearch before the suite of vector_io (a fake at the socket), and what its errors become."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from elasticsearch_server import KEY, FakeElasticsearch
from parts.providers.vector_io.elasticsearch import ElasticsearchConfig, open_elasticsearch
from parts.providers.vector_io.on_elasticsearch.index import ElasticsearchIndex
from parts.runtime.errors import BadRequest, NotFound, SettingsError, Unavailable, UpstreamError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from parts.testing.vector_io import VectorIndexSuite
from parts.testing.vector_io.base import entry, everything, vector
from upstreams import Script, answers, fake_upstream, shows_html

FAST = NetworkConfig(retries=0)


class TestElasticsearch(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _fake(self) -> None:
        self.fake = FakeElasticsearch()

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[ElasticsearchIndex]:
        async with (
            self.fake.serves() as service,
            open_elasticsearch(ElasticsearchConfig(url=service.url, api_key=Secret(KEY)), instance="e") as index,
        ):
            yield index


@asynccontextmanager
async def opened(script: Script) -> AsyncIterator[ElasticsearchIndex]:
    """A server that answers everything with this."""
    async with fake_upstream(script) as service:
        config = ElasticsearchConfig(url=service.url, api_key=Secret(KEY), network=FAST)
        async with open_elasticsearch(config, instance="e") as index:
            yield index


def error(kind: str, reason: str) -> dict[str, object]:
    return {"error": {"type": kind, "reason": reason}}


FAILED = {"errors": True, "items": [{"index": {"status": 400, **error("mapper_parsing_exception", "dims")}}]}


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (answers(error("parsing_exception", "no [knn]"), status=400), UpstreamError, "no [knn]"),
        (answers(error("index_not_found_exception", "no such index"), status=404), NotFound, "vs_a"),
        (answers(error("security_exception", "missing"), status=401), UpstreamError, "does not accept the key"),
        (answers(error("es_rejected_execution_exception", "full"), status=503), Unavailable, "503"),
        (shows_html(), UpstreamError, "no JSON"),
        (answers({"hits": {"hits": [{}]}}), UpstreamError, "no answer of Elasticsearch"),
        (answers([]), UpstreamError, "no answer of Elasticsearch"),
    ],
)
async def test_a_search_that_fails_is_an_error(script: Script, kind: type[Exception], said: str) -> None:
    async with opened(script) as index:
        with pytest.raises(kind) as raised:
            await index.near("vs_a", vector(1, 0, 0), limit=1, where=None)
        assert said in str(raised.value)
        assert KEY not in str(raised.value)


@pytest.mark.parametrize("answer", [FAILED, {"errors": False}])
async def test_what_was_not_kept_is_an_error(answer: object) -> None:
    async with opened(answers(answer)) as index:
        with pytest.raises(UpstreamError):
            await index.add("vs_a", [entry("a")])


async def test_labels_that_were_not_changed_are_an_error() -> None:
    failed = {"failures": [{"cause": {"type": "script_exception", "reason": "compile"}}]}
    async with opened(answers(failed)) as index:
        with pytest.raises(UpstreamError, match="compile"):
            await index.label("vs_a", "g", {"k": 1})


async def test_names_with_capitals_are_two() -> None:
    fake = FakeElasticsearch()
    async with fake.serves() as service:
        config = ElasticsearchConfig(url=service.url, api_key=Secret(KEY))
        async with open_elasticsearch(config, instance="e") as index:
            for store in ("vs_a", "vs_A"):
                await index.create(store, 3)
                await index.add(store, [entry(store)])
            assert await everything(index, "vs_A") == {"vs_A"}
        assert all(name == name.lower() for name in fake.indexes)


@pytest.mark.parametrize(
    "config", [ElasticsearchConfig(url="ftp://a:9200"), ElasticsearchConfig(api_key=Secret("ключ"))]
)
async def test_what_cannot_be_is_refused_at_the_start(config: ElasticsearchConfig) -> None:
    with pytest.raises(SettingsError, match=r"^e\.(url|api_key): ") as raised:
        async with open_elasticsearch(config, instance="e"):
            pass
    assert "ключ" not in str(raised.value)


async def test_vectors_that_it_cannot_keep_are_refused() -> None:
    async with open_elasticsearch(ElasticsearchConfig(), instance="e") as index:
        with pytest.raises(BadRequest, match="4096"):
            await index.create("vs_a", 4097)
