"""Weaviate before the suite, over a fake at the socket, and what is peculiar to it: addresses, errors with the status
200, ranges of numbers.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from parts.providers.vector_io.marks import Within, numbers
from parts.providers.vector_io.on_weaviate.index import WeaviateIndex
from parts.providers.vector_io.on_weaviate.ranges import beginnings, within
from parts.providers.vector_io.weaviate import WeaviateConfig, address, open_weaviate
from parts.runtime.errors import NotFound, RateLimited, SettingsError, StackError, UpstreamError, UpstreamTimeout
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from parts.runtime.vector_filters import ORDERINGS, Compare
from parts.testing.suite import refused
from parts.testing.vector_io import VectorIndexSuite
from parts.testing.vector_io.base import entry, everything
from upstreams import FakeUpstream, Script, answers, fake_upstream, shows_html
from weaviate_server import KEY, FakeWeaviate

VECTOR = array("f", [1.0, 0.0, 0.0])
FAST = NetworkConfig(retries=0)


class TestWeaviate(VectorIndexSuite):
    @pytest.fixture(autouse=True)
    def _fake(self) -> None:
        self.fake = FakeWeaviate()

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[WeaviateIndex]:
        async with served(self.fake) as (_, index):
            yield index


@asynccontextmanager
async def served(fake: FakeWeaviate) -> AsyncIterator[tuple[FakeUpstream, WeaviateIndex]]:
    async with fake.serves() as service:
        config = WeaviateConfig(cluster_url=service.url, api_key=Secret(f" {KEY}\n"))
        async with open_weaviate(config, instance="weaviate") as index:
            yield service, index


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("abc.weaviate.cloud", "https://abc.weaviate.cloud"),
        ("http://weaviate:8080/", "http://weaviate:8080"),
    ],
)
def test_where_it_is(said: str, url: str) -> None:
    assert address(said, "weaviate") == url


@pytest.mark.parametrize("said", ["", "ftp://a", "http://", "http://a:port", "a:99999"])
async def test_what_cannot_be_an_address_ends_the_start(said: str) -> None:
    with pytest.raises(SettingsError, match=r"weaviate\.cluster_url"):
        async with open_weaviate(WeaviateConfig(cluster_url=said), instance="weaviate"):
            pass


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (answers({"errors": [{"message": "shard is read-only"}]}), UpstreamError, "shard is read-only"),
        (answers({"error": [{"message": "no schema"}]}, status=422), UpstreamError, "no schema"),
        (answers({"error": [{"message": "disk"}]}, status=500), UpstreamError, "disk"),
        (answers(b"", status=404), UpstreamError, "404"),
        (answers({"code": 403}, status=403), UpstreamError, "does not accept the key"),
        (answers({}, status=429), RateLimited, "429"),
        (shows_html(), UpstreamError, "no JSON"),
        (answers(b""), UpstreamError, "no answer of Weaviate"),
        (answers({"data": {"Get": {"Another": []}}}), UpstreamError, "no answer of Weaviate"),
        (answers({"data": {"Get": {"Stackgen_vs_a": None}}}), UpstreamError, "no answer of Weaviate"),
        (answers({"data": {"Get": {"Stackgen_vs_a": [{"entry": "a"}]}}}), UpstreamError, "no answer of Weaviate"),
    ],
)
async def test_a_search_that_fails_is_an_error(script: Script, kind: type[StackError], said: str) -> None:
    async with (
        fake_upstream(script) as service,
        open_weaviate(WeaviateConfig(cluster_url=service.url, network=FAST), instance="weaviate") as index,
    ):
        for search in (
            index.near("vs_a", VECTOR, limit=3, where=None),
            index.matching("vs_a", ["a"], limit=3, where=None),
        ):
            error = await refused(search)
            assert type(error) is kind
            assert said in error.message


async def test_a_key_is_sent_and_never_shown() -> None:
    fake = FakeWeaviate()
    async with served(fake) as (service, index):
        assert (await index.health()).status == "OK"
        config = WeaviateConfig(cluster_url=service.url, api_key=Secret("wr0ng"))
        async with open_weaviate(config, instance="weaviate") as other:
            health = await other.health()
            assert "does not accept the key" in health.message
            assert "wr0ng" not in health.message + repr(config)
        await index.create("vs_a", 3)
        fake.refused.add("b")
        error = await refused(index.add("vs_a", [entry("a"), entry("b")]))
        assert "vector lengths" in error.message, "one that failed among those that did not is told"
        assert KEY not in error.message
    with pytest.raises(SettingsError, match=r"weaviate\.api_key"):
        async with open_weaviate(WeaviateConfig(api_key=Secret("ключ")), instance="weaviate"):
            pass


async def test_nothing_is_added_to_what_is_gone() -> None:
    fake = FakeWeaviate()
    async with served(fake) as (_, index):
        assert type(await refused(index.add("vs_a", [entry("a")]))) is NotFound
        assert fake.classes == {}, "Weaviate would have made a class of its own"


async def test_filters_are_asked_of_the_server() -> None:
    async with served(FakeWeaviate()) as (service, index):
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry(str(n), attributes={"n": n / 7}) for n in range(-25, 25)])
        before = len(service.requests)
        hits = await index.near("vs_a", VECTOR, limit=5, where=Compare("n", "lt", -23 / 7))
        assert sorted(hit.id for hit in hits) == ["-24", "-25"]
        assert len(service.requests) == before + 1
        assert "limit: 5" in str(service.requests[-1].json["query"])


async def test_groups_of_many_are_labelled_and_removed_piece_by_piece() -> None:
    async with served(FakeWeaviate()) as (service, index):
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry(str(n), (1, n, 0), group="g") for n in range(300)])
        await index.label("vs_a", "g", {"k": "new"})
        assert len(await everything(index, "vs_a", Compare("k", "eq", "new"))) == 300
        await index.add("vs_a", [entry("other")])
        await index.remove("vs_a", "g")
        assert await everything(index, "vs_a") == {"other"}
        assert sum(each.method == "DELETE" for each in service.requests) == 43


async def test_who_shows_what_was_changed_as_it_was_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parts.providers.vector_io.services._PAUSE_SECONDS", 0.0)
    found = {"entry": "a", "grp": "g", "text": "t", "_additional": {"id": "1", "vector": [1.0]}}
    put = answers([{"id": "1", "result": {"status": "SUCCESS"}}])
    stale = answers({"data": {"Get": {"Stackgen_vs_a": [found]}}})
    async with fake_upstream(*(stale, put) * 30) as service:
        config = WeaviateConfig(cluster_url=service.url, network=FAST)
        async with open_weaviate(config, instance="weaviate") as index:
            assert type(await refused(index.label("vs_a", "g", {"k": 1}))) is UpstreamTimeout
            assert len(service.requests) < 50


async def test_words_are_quoted() -> None:
    async with served(FakeWeaviate()) as (service, index):
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry("a", text='say "hello" \\ } 𝕏')])
        assert await index.matching("vs_a", ["𝕏"], limit=1, where=None)
        assert "𝕏" in service.requests[-1].body.decode()
        for word in ('"hello"', 'hello"}){x}', "\\", "}", "\u2028hello"):
            hits = await index.matching("vs_a", [word], limit=1, where=None)
            assert len(hits) == ("hello" in word)


def test_ranges_are_of_the_numbers_that_compare_so() -> None:
    some = [-math.inf, -1e300, -2.5, -1.0, -1e-300, -0.0, 0.0, 5e-324, 0.1, 1.0, 1.5, 2.0, 2**40, 1e300, math.inf]
    for sign, compare in ORDERINGS.items():
        for limit in some:
            wanted = set(within(Within("n", sign, limit)))
            assert len(wanted) <= 241
            for value in some:
                assert (not wanted.isdisjoint(beginnings({"n": value}))) == compare(value, limit), (value, sign, limit)
                assert wanted.isdisjoint(beginnings({"other": value}))


def test_numbers_too_large_for_a_float_are_the_largest() -> None:
    assert max(numbers({"a": 10**400}).values()) == 1e308
