"""What is peculiar to Milvus: errors with the status 200, tokens, long texts, and the folder of Milvus Lite."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from milvus_server import TOKEN, FakeMilvus
from parts.providers.vector_io.marks import AllOf, AnyOf, Has, Lacks, Within
from parts.providers.vector_io.milvus import MilvusConfig, open_milvus
from parts.providers.vector_io.milvus_inline import MilvusInlineConfig, open_milvus_inline
from parts.providers.vector_io.on_milvus.expressions import expression
from parts.providers.vector_io.on_milvus.index import MilvusIndex
from parts.runtime.errors import NotFound, RateLimited, SettingsError, StackError, Unavailable, UpstreamError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from parts.runtime.vector_filters import Compare
from parts.testing.suite import refused
from parts.testing.vector_io.base import entry, everything
from upstreams import FakeUpstream, Script, answers, fake_upstream, shows_html

VECTOR = array("f", [1.0, 0.0, 0.0])
FAST = NetworkConfig(retries=0)


@asynccontextmanager
async def served(path: Path) -> AsyncIterator[tuple[FakeMilvus, FakeUpstream, MilvusIndex]]:
    fake = FakeMilvus(path / "milvus")
    try:
        async with fake.serves() as service:
            config = MilvusConfig(uri=service.url, token=Secret(f" {TOKEN}\n"), consistency_level="Bounded")
            async with open_milvus(config, instance="milvus") as index:
                yield fake, service, index
    finally:
        fake.database.close()


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (answers({"code": 65535, "message": "segcore error"}), UpstreamError, "segcore error"),
        (answers({"code": 100, "message": "can't find collection"}), NotFound, "vs_a"),
        (answers({"code": 2, "message": "not ready"}), Unavailable, "not ready"),
        (answers({"code": 8, "message": "rate limit exceeded"}), RateLimited, "rate limit"),
        (answers({"code": 1800, "message": "no"}, status=401), UpstreamError, "does not accept the key"),
        (answers({"code": 5, "message": "a disk"}, status=500), UpstreamError, "a disk"),
        (answers({}, status=404), UpstreamError, "404"),
        (shows_html(), UpstreamError, "no JSON"),
        (answers({"data": []}), UpstreamError, "no answer of Milvus"),
        (answers({"code": 0}), UpstreamError, "no answer of Milvus"),
        (answers({"code": 0, "data": [{"id": "a"}]}), UpstreamError, "no answer of Milvus"),
        (answers({"code": 0, "data": "what"}), UpstreamError, "no answer of Milvus"),
    ],
)
async def test_a_search_that_fails_is_an_error(script: Script, kind: type[StackError], said: str) -> None:
    async with (
        fake_upstream(script) as service,
        open_milvus(MilvusConfig(uri=service.url, network=FAST), instance="milvus") as index,
    ):
        for search in (
            index.near("vs_a", VECTOR, limit=3, where=None),
            index.matching("vs_a", ["a"], limit=3, where=None),
        ):
            error = await refused(search)
            assert type(error) is kind
            assert said in error.message


async def test_a_token_is_sent_and_never_shown(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, service, index):
        assert (await index.health()).status == "OK"
        config = MilvusConfig(uri=service.url, token=Secret("root:wr0ng"))
        async with open_milvus(config, instance="milvus") as other:
            health = await other.health()
            assert "does not accept the key" in health.message
            assert "wr0ng" not in health.message + repr(config)
    async with fake_upstream(answers({"code": 9, "message": "who is root:wr0ng?"})) as service:
        config = MilvusConfig(uri=service.url, token=Secret("root:wr0ng"), network=FAST)
        async with open_milvus(config, instance="milvus") as index:
            assert "wr0ng" not in (await index.health()).message
    with pytest.raises(SettingsError, match=r"milvus\.token"):
        async with open_milvus(MilvusConfig(uri="http://localhost", token=Secret("ключ")), instance="milvus"):
            pass


async def test_filters_and_consistency_are_asked_of_the_server(tmp_path: Path) -> None:
    async with served(tmp_path) as (fake, service, index):
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry(str(n), attributes={"n": n}) for n in range(50)])
        before = len(service.requests)
        hits = await index.near("vs_a", VECTOR, limit=5, where=Compare("n", "gte", 48))
        assert sorted(hit.id for hit in hits) == ["48", "49"]
        assert len(service.requests) == before + 1
        assert service.requests[-1].json["limit"] == 5
        assert fake.levels == ["Bounded"]


async def test_what_was_begun_by_another_is_finished(tmp_path: Path) -> None:
    async with served(tmp_path) as (fake, _, index):
        await index.create("vs_a", 3)
        collection = fake.database.get_collection("vs_a")
        collection.release()
        collection.drop_index("words")
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry("a", text="some words")])
        assert [hit.id for hit in await index.matching("vs_a", ["words"], limit=1, where=None)] == ["a"]


async def test_a_group_of_many_is_labelled_piece_by_piece(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, service, index):
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry(str(n), (1, n, 0), group="g") for n in range(600)])
        await index.label("vs_a", "g", {"k": "new"})
        assert len(await everything(index, "vs_a", Compare("k", "eq", "new"))) == 600
        assert sum(each.path.endswith("/upsert") for each in service.requests) == 6


async def test_a_text_is_cut_where_milvus_has_no_room_for_it(tmp_path: Path) -> None:
    async with open_milvus_inline(MilvusInlineConfig(db_path=str(tmp_path)), instance="milvus") as index:
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry("a", text="first " + "é" * 70_000 + " last")])
        assert [hit.id for hit in await index.matching("vs_a", ["first"], limit=1, where=None)] == ["a"]
        assert await index.matching("vs_a", ["last"], limit=1, where=None) == []


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Has(("a", "b")), 'array_contains_any(marks, ["a", "b"])'),
        (Lacks(("a",)), 'not (array_contains_any(marks, ["a"]))'),
        (Has(()), 'id == ""'),
        (Lacks(()), 'id != ""'),
        (Within("n", "gte", 1e300), 'numbers["n"] >= 1e+300'),
        (AllOf((Has(()), AnyOf(()))), '(id == "") and (id == "")'),
        (AnyOf((Lacks(()), AllOf(()))), '(id != "") or (id != "")'),
    ],
)
def test_conditions_are_expressions(where: Has | Lacks | Within | AllOf | AnyOf, said: str) -> None:
    assert expression(where) == said


async def test_what_cannot_be_its_folder_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "old.db").write_text("of Milvus Lite 2")
    for path, said in ((tmp_path / "old.db", "before 3"), (tmp_path / "old.db" / "below", "milvus.db_path")):
        with pytest.raises(SettingsError, match=said):
            async with open_milvus_inline(MilvusInlineConfig(db_path=str(path)), instance="milvus"):
                pass


async def test_a_folder_is_one_process_s(tmp_path: Path) -> None:
    script = (
        "import sys, milvus_lite; database = milvus_lite.MilvusLite(sys.argv[1]); print('has it', flush=True); input()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "milvus")]
    config = MilvusInlineConfig(db_path=str(tmp_path / "milvus"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == b"has it\n"
        with pytest.raises(SettingsError, match="another process has it open"):
            async with open_milvus_inline(config, instance="milvus"):
                pass
        other.kill()
    async with open_milvus_inline(config, instance="milvus") as index:
        assert (await index.health()).status == "OK"


async def test_a_vector_of_another_length_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    async with open_milvus_inline(MilvusInlineConfig(db_path=str(tmp_path)), instance="milvus") as index:
        await index.create("vs_a", 3)
        error = await refused(index.add("vs_a", [entry("a"), entry("b", (1, 0))]))
        assert "dim" in error.message
        assert await everything(index, "vs_a") == set()
