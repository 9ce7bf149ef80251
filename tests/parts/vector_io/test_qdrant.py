"""What is peculiar to Qdrant: addresses, keys, what a server's errors become, and the folder of its engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from parts.providers.vector_io.on_qdrant.words import of_query, of_text
from parts.providers.vector_io.qdrant import QdrantConfig, address, open_qdrant
from parts.providers.vector_io.qdrant_inline import QdrantInlineConfig, open_qdrant_inline
from parts.runtime.errors import NotFound, RateLimited, SettingsError, Unavailable, UpstreamError, UpstreamTimeout
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from parts.runtime.vector_filters import Compare
from parts.testing.suite import refused
from parts.testing.vector_io.base import entry, everything
from qdrant_server import KEY, FakeQdrant
from upstreams import Script, answers, fake_upstream, hangs, shows_html

VECTOR = array("f", [1.0, 0.0, 0.0])
FAST = NetworkConfig(retries=0)


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (QdrantConfig(), "http://localhost:6333"),
        (QdrantConfig(url="https://q.example.com"), "https://q.example.com:6333"),
        (QdrantConfig(url="https://q.example.com:443/a/"), "https://q.example.com:443/a"),
        (QdrantConfig(url="q.example.com", port=80, prefix="/b/"), "http://q.example.com:80/b"),
        (QdrantConfig(host="q.example.com"), "http://q.example.com:6333"),
        (QdrantConfig(host="q.example.com", api_key=Secret("k")), "https://q.example.com:6333"),
        (QdrantConfig(host="q.example.com", api_key=Secret("k"), https=False), "http://q.example.com:6333"),
    ],
)
def test_where_it_is(config: QdrantConfig, url: str) -> None:
    assert address(config, "qdrant") == url


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (QdrantConfig(url="ftp://q.example.com"), r"qdrant\.url"),
        (QdrantConfig(url="http://q.example.com:port"), r"qdrant\.url"),
        (QdrantConfig(url="http://a", host="b"), "one of them"),
        (QdrantConfig(api_key=Secret("ключ")), r"qdrant\.api_key"),
    ],
)
async def test_what_cannot_be_an_address_or_a_key_ends_the_start(config: QdrantConfig, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        async with open_qdrant(config, instance="qdrant"):
            pass
    assert "ключ" not in str(raised.value)


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (answers({"status": {"error": "Service internal error: disk"}}, status=500), UpstreamError, "disk"),
        (answers({"status": {"error": "Wrong input: dim"}}, status=400), UpstreamError, "Wrong input: dim"),
        (answers({"status": {"error": "Forbidden"}}, status=403), UpstreamError, "does not accept the key"),
        (answers({"status": {"error": "Not found"}}, status=404), NotFound, "vs_a"),
        (answers({}, status=429), RateLimited, "429"),
        (answers({}, status=503), Unavailable, "503"),
        (shows_html(), UpstreamError, "no JSON"),
        (answers({"usage": {}}), UpstreamError, "no answer of Qdrant"),
        (answers({"result": {"points": [{"id": 1}]}}), UpstreamError, "no answer of Qdrant"),
        (answers({"result": None}), UpstreamError, "no answer of Qdrant"),
        (hangs, UpstreamTimeout, "in time"),
    ],
)
async def test_a_search_that_fails_is_an_error(script: Script, kind: type[Exception], said: str) -> None:
    async with fake_upstream(script) as service:
        config = QdrantConfig(url=service.url, timeout=0.5, network=FAST)
        async with open_qdrant(config, instance="qdrant") as index:
            for search in (
                index.near("vs_a", VECTOR, limit=3, where=None),
                index.matching("vs_a", ["a"], limit=3, where=None),
            ):
                error = await refused(search)
                assert type(error) is kind
                assert said in error.message


async def test_a_key_is_sent_and_never_shown(tmp_path: Path) -> None:
    fake = FakeQdrant(tmp_path)
    async with fake.serves() as service:
        for key in (None, Secret("wr0ng-secret")):
            async with open_qdrant(QdrantConfig(url=service.url, api_key=key), instance="qdrant") as index:
                health = await index.health()
                assert health.status == "Error"
                assert "does not accept the key" in health.message
                assert "wr0ng" not in health.message + repr(key)
        async with open_qdrant(QdrantConfig(url=service.url, api_key=Secret(f" {KEY}\n")), instance="qdrant") as index:
            assert (await index.health()).status == "OK"


async def test_filters_are_asked_of_the_server(tmp_path: Path) -> None:
    async with FakeQdrant(tmp_path).serves() as service:
        config = QdrantConfig(url=service.url, api_key=Secret(KEY))
        async with open_qdrant(config, instance="qdrant") as index:
            await index.create("vs_a", 3)
            await index.add("vs_a", [entry(str(n), attributes={"n": n}) for n in range(50)])
            before = len(service.requests)
            hits = await index.near("vs_a", VECTOR, limit=5, where=Compare("n", "gte", 48))
            assert sorted(hit.id for hit in hits) == ["48", "49"]
            assert len(service.requests) == before + 1
            assert service.requests[-1].json["limit"] == 5


async def test_a_store_of_many_is_put_in_pieces(tmp_path: Path) -> None:
    async with FakeQdrant(tmp_path).serves() as service:
        config = QdrantConfig(url=service.url, api_key=Secret(KEY))
        async with open_qdrant(config, instance="qdrant") as index:
            await index.create("vs_a", 3)
            await index.add("vs_a", [entry(str(n), (1, n, 0)) for n in range(600)])
            assert len(await everything(index, "vs_a")) == 600
            assert sum("/points?" in each.path for each in service.requests) == 3


def test_words_weigh_by_how_often_they_are_there() -> None:
    once, often = of_text("Ship at sea"), of_text("ship SHIP ship at sea")
    assert once.indices == often.indices
    assert often.values[0] > once.values[0]
    assert of_query(["ship", "Ship"]).indices == once.indices[:1]
    assert of_query(["!?"]).indices == []


async def test_what_cannot_be_its_folder_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingsError, match=r"qdrant\.path"):
        async with open_qdrant_inline(QdrantInlineConfig(path=str(tmp_path / "file")), instance="qdrant"):
            pass


async def test_a_folder_is_one_process_s(tmp_path: Path) -> None:
    config = QdrantInlineConfig(path=str(tmp_path / "q"))
    script = (
        "import sys, qdrant_edge; shard = qdrant_edge.EdgeShard.load(sys.argv[1]); print('has it', flush=True); input()"
    )
    async with open_qdrant_inline(config, instance="qdrant"):
        pass
    command = [sys.executable, "-c", script, str(tmp_path / "q" / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == b"has it\n"
        with pytest.raises(SettingsError, match="another process has it open"):
            async with open_qdrant_inline(config, instance="qdrant"):
                pass
        other.kill()
    async with open_qdrant_inline(config, instance="qdrant") as index:
        assert (await index.health()).status == "OK"


async def test_more_stores_than_stay_open(tmp_path: Path) -> None:
    config = QdrantInlineConfig(path=str(tmp_path), threads=4, open_stores=2)
    async with open_qdrant_inline(config, instance="qdrant") as index:

        async def use(number: int) -> None:
            store = f"vs_{number}"
            await index.create(store, 3)
            await index.add(store, [entry(f"{number}-{n}", (1, n, 1)) for n in range(5)])
            assert await everything(index, store) == {f"{number}-{n}" for n in range(5)}
            if number % 2:
                await index.drop(store)
                assert (await refused(index.near(store, VECTOR, limit=1, where=None))).status == 404

        await asyncio.gather(*(use(number) for number in range(8)))
        assert await everything(index, "vs_0") == {f"0-{n}" for n in range(5)}


async def test_dropping_a_store_that_others_search(tmp_path: Path) -> None:
    async with open_qdrant_inline(QdrantInlineConfig(path=str(tmp_path)), instance="qdrant") as index:
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry(str(n), (1, n, 1)) for n in range(200)])
        searches = [index.near("vs_a", VECTOR, limit=5, where=None) for _ in range(20)]
        found = await asyncio.gather(index.drop("vs_a"), *searches, return_exceptions=True)
        assert found[0] is None
        assert all(isinstance(each, NotFound) or (isinstance(each, list) and len(each) == 5) for each in found[1:])
        await index.create("vs_a", 3)
        assert await everything(index, "vs_a") == set()


async def test_what_a_process_left_half_done_goes_with_the_next_start(tmp_path: Path) -> None:
    for name in (".new-a", ".gone-b"):
        (tmp_path / name / "segments").mkdir(parents=True)
    async with open_qdrant_inline(QdrantInlineConfig(path=str(tmp_path)), instance="qdrant") as index:
        await asyncio.gather(*(index.create("vs_a", 3) for _ in range(4)))
        assert sorted(each.name for each in tmp_path.iterdir()) == [".lock", "vs_a"]


async def test_a_vector_of_another_length_is_refused(tmp_path: Path) -> None:
    async with open_qdrant_inline(QdrantInlineConfig(path=str(tmp_path)), instance="qdrant") as index:
        await index.create("vs_a", 3)
        error = await refused(index.add("vs_a", [entry("a"), entry("b", (1, 0))]))
        assert error.status == 503
        assert "dimension" in error.message.lower()
