"""What is peculiar to Chroma: its records, keys, errors and words, and a server that goes."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from chroma_server import ChromaServer, running_chroma
from parts.providers.vector_io.chromadb import ChromaDbConfig, open_chromadb
from parts.providers.vector_io.on_chroma.metadata import attributes_of, metadata_of
from parts.runtime.errors import NotFound, Unavailable, UpstreamError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from parts.runtime.vector_filters import Compare, Filter
from parts.testing.vector_io.base import entry, everything, fresh, vector
from upstreams import Script, answers, fake_upstream, hangs, shows_html

FAST = NetworkConfig(retries=0, timeout=TimeoutConfig(read=0.5))
KEY = "chroma-k3y-of-the-tests"
FOUND = {"id": "5b6b1e9c-0000-4000-8000-000000000000"}


# ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_more_than_one_call_takes_is_kept_labelled_and_removed(chroma: ChromaServer) -> None:
    async with open_chromadb(ChromaDbConfig(url=chroma.url), instance="chromadb") as index:
        await index.create(store := fresh(), 3)
        many = [entry(f"e{n}", (1, n, 0), group="g", attributes={"old": 1, "n": n}) for n in range(700)]
        await index.add(store, many)
        await index.label(store, "g", {"new": "x"})
        assert await everything(index, store, Compare("new", "eq", "x")) == {each.id for each in many}
        assert await everything(index, store, Compare("old", "eq", 1)) == set()
        await index.remove(store, "g")
        assert await everything(index, store) == set()


async def test_what_takes_the_place_of_another_has_none_of_its_attributes(chroma: ChromaServer) -> None:
    async with open_chromadb(ChromaDbConfig(url=chroma.url), instance="chromadb") as index:
        await index.create(store := fresh(), 3)
        await index.add(store, [entry("a", attributes={"k": "x", "l": 1})])
        await index.add(store, [entry("a", attributes={"l": "text now"})])
        assert await everything(index, store, Compare("k", "eq", "x")) == set()
        assert await everything(index, store, Compare("l", "eq", 1)) == set()
        assert await everything(index, store, Compare("l", "eq", "text now")) == {"a"}


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (Compare("n", "eq", 2**53), {"a"}),
        (Compare("n", "ne", 2**53), {"b", "c", "d"}),
        (Compare("n", "gt", 2**53), {"b", "c"}),
        (Compare("n", "gte", 2**53 + 1), {"b", "c"}),
        (Compare("n", "lt", 1), {"d"}),
    ],
)
async def test_numbers_beyond_what_floats_tell_apart(chroma: ChromaServer, where: Filter, wanted: set[str]) -> None:
    kept = {"a": 2**53, "b": 2**53 + 1, "c": 10**400, "d": -0.5}
    async with open_chromadb(ChromaDbConfig(url=chroma.url), instance="chromadb") as index:
        await index.create(store := fresh(), 3)
        await index.add(store, [entry(id, attributes={"n": number}) for id, number in kept.items()])
        assert await everything(index, store, where) == wanted


def test_attributes_come_back_as_they_were() -> None:
    attributes = {"a.b": "x", "n": 1.5, "big": 2**60 + 1, "yes": True, "": "empty"}
    assert attributes_of(metadata_of("g", attributes)) == attributes


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_rare_and_what_is_often_there_come_first(chroma: ChromaServer) -> None:
    async with open_chromadb(ChromaDbConfig(url=chroma.url), instance="chromadb") as index:
        await index.create(store := fresh(), 3)
        common = [entry(f"c{n}", text="the cat and the dog " + "and so on " * n) for n in range(10)]
        await index.add(store, [*common, entry("rare", text="the axolotl"), entry("often", text="dog dog dog")])
        hits = await index.matching(store, ["the", "axolotl"], limit=3, where=None)
        assert hits[0].id == "rare"
        assert [hit.id for hit in await index.matching(store, ["dog"], limit=2, where=None)] == ["often", "c0"]
        assert await index.matching(store, ["%", "_", " "], limit=2, where=None) == []


# ── a server ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (answers({"error": "InternalError", "message": "disk"}, status=500), UpstreamError, "disk"),
        (answers({"error": "InvalidArgumentError", "message": "dim"}, status=400), UpstreamError, "dim"),
        (answers({"error": "AuthError", "message": "Forbidden"}, status=403), UpstreamError, "does not accept the key"),
        (answers({"error": "NotFoundError", "message": "no"}, status=404), NotFound, "vs_a"),
        (answers({}, status=503), Unavailable, "503"),
        (shows_html(), UpstreamError, "no JSON"),
        (answers({"ids": 1}), UpstreamError, "no answer of Chroma"),
        (answers({"ids": [["a"]], "metadatas": [[1]], "distances": [[0]]}), UpstreamError, "no answer of Chroma"),
        (hangs, Exception, "in time"),
    ],
)
async def test_a_search_that_fails_is_an_error(script: Script, kind: type[Exception], said: str) -> None:
    """A fake of the server: it finds each collection, and fails."""
    async with fake_upstream(answers(FOUND), script) as service:
        config = ChromaDbConfig(url=service.url.removesuffix("/v1"), api_key=Secret(KEY), network=FAST)
        async with open_chromadb(config, instance="chromadb") as index:
            with pytest.raises(kind, match=said) as error:
                await index.near("vs_a", vector(1, 0, 0), limit=1, where=None)
            assert KEY not in str(error.value)


@pytest.mark.parametrize(
    ("header", "sent"),
    [("X-Chroma-Token", ("x-chroma-token", KEY)), ("Authorization", ("authorization", f"Bearer {KEY}"))],
)
async def test_a_key_is_sent_as_said(header: str, sent: tuple[str, str]) -> None:
    async with fake_upstream(answers(FOUND)) as service:
        config = ChromaDbConfig(
            url=service.url.removesuffix("/v1") + "/", tenant="a/b", api_key=Secret(KEY), auth_header=header
        )
        async with open_chromadb(config, instance="chromadb") as index:
            await index.create("vs_a", 3)
        (asked,) = service.requests
        assert asked.path == "/api/v2/tenants/a%2Fb/databases/default_database/collections"
        assert asked.headers[sent[0]] == sent[1]


async def test_a_database_that_is_not_there_is_said(chroma: ChromaServer) -> None:
    config = ChromaDbConfig(url=chroma.url, database="elsewhere")
    async with open_chromadb(config, instance="chromadb") as index:
        with pytest.raises(UpstreamError, match="elsewhere"):
            await index.create(fresh(), 3)


async def test_databases_have_nothing_to_do_with_each_other(chroma: ChromaServer) -> None:
    made = httpx.post(f"{chroma.url}/api/v2/tenants/default_tenant/databases", json={"name": "other"})
    assert made.status_code == 200
    store = fresh()
    async with (
        open_chromadb(ChromaDbConfig(url=chroma.url), instance="chromadb") as here,
        open_chromadb(ChromaDbConfig(url=chroma.url, database="other"), instance="chromadb") as there,
    ):
        await here.create(store, 3)
        with pytest.raises(NotFound):
            await everything(there, store)


async def test_a_server_that_comes_back_has_what_was_kept(tmp_path: Path) -> None:
    with running_chroma(tmp_path) as server:
        async with open_chromadb(ChromaDbConfig(url=server.url, network=FAST), instance="chromadb") as index:
            await index.create("vs_a", 3)
            await index.add("vs_a", [entry("a")])
            server.stop()
            with pytest.raises(UpstreamError, match=str(server.port)):
                await everything(index, "vs_a")
            assert (await index.health()).status == "Error"
            server.start()
            assert await everything(index, "vs_a") == {"a"}
            assert (await index.health()).status == "OK"
