"""What is peculiar to pgvector: the extension, its indexes, its measures, and a database that goes and comes back."""

from __future__ import annotations

import asyncio
import math
import random
from array import array
from itertools import count

import pytest
from parts.providers.vector_io.pgvector import PgVectorConfig, VectorIndexConfig, open_pgvector
from parts.providers.vector_io.postgres import index as part
from parts.providers.vector_io.postgres.extension import vector_bytes, vector_of
from parts.runtime.errors import BadRequest, SettingsError, Unavailable
from parts.runtime.secret import Secret
from parts.runtime.vector_filters import Compare
from parts.runtime.vector_index import VectorIndex
from parts.testing.vector_io.base import entry, everything, vector
from pgvector_configs import pgvector_config
from real_servers import PASSWORD, Database, Postgres

STORE = "vs_a"


def sql(postgres: Postgres, database: Database, text: str) -> str:
    return postgres.run("psql", "--dbname", database.name, "--tuples-only", "--no-align", "--command", text).strip()


async def refused(config: PgVectorConfig) -> str:
    with pytest.raises(SettingsError) as error:
        async with open_pgvector(config, instance="vectors"):
            pass
    return str(error.value)


# ── the extension ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_may_not_make_the_extension_is_told_who_may(postgres: Postgres) -> None:
    database = postgres.database()
    sql(postgres, database, f"CREATE ROLE {database.name}_clerk LOGIN PASSWORD 'clerk'")
    told = await refused(
        pgvector_config(Database(**{**vars(database), "user": f"{database.name}_clerk", "password": "clerk"}))
    )
    assert told.startswith("vectors: ")
    assert "CREATE EXTENSION vector" in told
    assert f"{database.name}_clerk" in told


async def test_an_old_extension_is_refused(postgres: Postgres) -> None:
    database = postgres.database()
    sql(postgres, database, "CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.7.4'")
    told = await refused(pgvector_config(database))
    assert "pgvector 0.7.4; expected 0.8 or newer" in told
    assert "ALTER EXTENSION vector UPDATE" in told


async def test_the_extension_may_be_in_a_schema_of_its_own(postgres: Postgres) -> None:
    database = postgres.database()
    sql(postgres, database, """CREATE SCHEMA "x, ""y'"; CREATE EXTENSION vector SCHEMA "x, ""y'";""")
    async with open_pgvector(pgvector_config(database), instance="vectors") as index:
        await index.create(STORE, 3)
        await index.add(STORE, [entry("a")])
        assert await everything(index, STORE) == {"a"}


async def test_many_open_a_new_database_at_once(postgres: Postgres) -> None:
    config = pgvector_config(postgres.database())

    async def one(number: int) -> None:
        async with open_pgvector(config, instance="vectors") as index:
            await index.create(STORE, 3)
            await index.add(STORE, [entry(str(number))])

    await asyncio.gather(*(one(number) for number in range(5)))
    async with open_pgvector(config, instance="vectors") as index:
        assert await everything(index, STORE) == {"0", "1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"vector_index": VectorIndexConfig(m=40)}, r"vectors.vector_index.ef_construction: .* 80"),
        ({"vector_index": VectorIndexConfig(type="IVFFlat"), "distance_metric": "L1"}, r"vectors.vector_index.type: "),
        ({"vector_index": VectorIndexConfig(type="IVFFlat", lists=10)}, r"vectors.vector_index.probes: "),
        ({"password": Secret("wr0ng")}, r"^vectors: PostgreSQL .* refuses the password"),
        ({"ssl_mode": "require"}, r"^vectors: PostgreSQL .* has no TLS"),
        ({"ssl_mode": "require", "ca_cert_path": "/nowhere.pem"}, r"^vectors.ca_cert_path: /nowhere.pem"),
    ],
)
async def test_settings_that_cannot_be_are_refused_at_the_start(
    postgres: Postgres, said: dict[str, object], told: str
) -> None:
    config = pgvector_config(postgres.database())
    changed = PgVectorConfig(**{**{name: getattr(config, name) for name in config.__slots__}, **said})
    with pytest.raises(SettingsError, match=told) as error:
        async with open_pgvector(changed, instance="vectors"):
            pass
    assert "wr0ng" not in str(error.value)
    assert PASSWORD not in str(error.value)


async def test_a_table_of_somebody_else_is_left_alone(postgres: Postgres) -> None:
    database = postgres.database()
    sql(postgres, database, "CREATE TABLE stackgen_vectors (theirs text)")
    assert "vectors.table_name" in await refused(pgvector_config(database))
    async with open_pgvector(pgvector_config(database, table_name="ours"), instance="vectors") as index:
        await index.create(STORE, 3)
        assert await everything(index, STORE) == set()


# ── indexes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [VectorIndexConfig(), VectorIndexConfig(type="IVFFlat", lists=4, probes=1)])
@pytest.mark.parametrize(("dimension", "as_type"), [(8, "vector_cosine_ops"), (2100, "halfvec_cosine_ops")])
async def test_a_large_store_has_an_index_and_loses_nothing(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, kind: VectorIndexConfig, dimension: int, as_type: str
) -> None:
    monkeypatch.setattr(part, "_WORTH_AN_INDEX", 100)
    database = postgres.database()
    rolled = random.Random(7)
    vectors = {f"e{n}": array("f", [rolled.gauss(0, 1) for _ in range(dimension)]) for n in range(300)}
    async with open_pgvector(pgvector_config(database, vector_index=kind), instance="vectors") as index:
        await index.create(STORE, dimension)
        for start in range(0, 300, 50):
            some = list(vectors.items())[start : start + 50]
            await index.add(STORE, [entry(id, tuple(v), attributes={"n": int(id[1:])}) for id, v in some])
        made = indexes(postgres, database)
        assert (kind.type.lower() in made, as_type in made) == (True, True), made
        hits = await index.near(STORE, vectors["e250"], limit=1, where=None)
        assert [(hit.id, round(hit.score, 5)) for hit in hits] == [("e250", 1.0)]
        # More than an index gives: all that there is, and all that a filter lets through.
        assert len(await index.near(STORE, vectors["e0"], limit=1000, where=None)) == 300
        few = await index.near(STORE, vectors["e0"], limit=5, where=Compare("n", "gte", 297))
        assert {hit.id for hit in few} == {"e297", "e298", "e299"}
        await index.remove(STORE, "e250")
        hits = await index.near(STORE, vectors["e250"], limit=1, where=None)
        assert hits[0].id != "e250"
        assert hits[0].score < 0.99


async def test_small_stores_and_those_that_want_none_have_no_index(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = postgres.database()
    async with open_pgvector(pgvector_config(database), instance="vectors") as index:
        await fill(index, "vs_small", 20)
    monkeypatch.setattr(part, "_WORTH_AN_INDEX", 10)
    none = VectorIndexConfig(type="none")
    async with open_pgvector(pgvector_config(database, vector_index=none), instance="vectors") as index:
        await fill(index, "vs_none", 20)
    assert indexes(postgres, database) == ""


def indexes(postgres: Postgres, database: Database) -> str:
    vectors = "schemaname = 'public' AND indexdef LIKE '%\\_ops%'"
    return sql(postgres, database, f"SELECT indexdef FROM pg_indexes WHERE {vectors}")


async def fill(index: VectorIndex, store: str, count: int) -> None:
    await index.create(store, 3)
    await index.add(store, [entry(f"e{n}", (1, n, 0)) for n in range(count)])


async def test_vectors_that_pgvector_cannot_keep_are_refused(postgres: Postgres) -> None:
    async with open_pgvector(pgvector_config(postgres.database()), instance="vectors") as index:
        with pytest.raises(BadRequest, match="16000"):
            await index.create(STORE, 16_001)


def test_vectors_are_sent_as_they_are() -> None:
    numbers = array("f", [0.1, -2.5, 3e38, 1e-40])
    assert vector_of(vector_bytes(numbers)) == numbers
    assert vector_bytes(array("f", [1.0])) == b"\x00\x01\x00\x00\x3f\x80\x00\x00"


# ── measures ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ("COSINE", {"far": 1.0, "near": math.sqrt(0.5)}),
        ("L2", {"near": 1 / (1 + 0.1), "far": 1 / (1 + 9)}),
        ("L1", {"near": 1 / (1 + 0.1), "far": 1 / (1 + 9)}),
        ("INNER_PRODUCT", {"far": 1.0, "near": 0.01}),
    ],
)
async def test_what_is_near_is_said_by_the_metric(postgres: Postgres, metric: str, wanted: dict[str, float]) -> None:
    async with open_pgvector(pgvector_config(postgres.database(), distance_metric=metric), instance="v") as index:
        await index.create(STORE, 3)
        near = (1, 0.1, 0) if metric != "INNER_PRODUCT" else (0.01, 0, 0)
        near = (0.1, 0.1, 0) if metric == "COSINE" else near
        await index.add(STORE, [entry("near", near), entry("far", (10, 0, 0))])
        hits = await index.near(STORE, vector(1, 0, 0), limit=2, where=None)
        assert [hit.id for hit in hits] == list(wanted)
        for hit in hits:
            assert hit.score == pytest.approx(wanted[hit.id], abs=1e-6)


# ── a database that goes ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_database_that_comes_back_is_used_again(postgres: Postgres) -> None:
    async with open_pgvector(pgvector_config(postgres.database()), instance="vectors") as index:
        await index.create(STORE, 3)
        await index.add(STORE, [entry("a")])
        postgres.stop()
        try:
            for _ in range(2):
                with pytest.raises(Unavailable, match="database of vectors vectors is not available") as error:
                    await everything(index, STORE)
                assert str(postgres.port) not in str(error.value)
            assert (await index.health()).status == "Error"
        finally:
            postgres.start()
        assert await everything(index, STORE) == {"a"}
        assert (await index.health()).status == "OK"


async def test_a_store_that_is_dropped_while_others_add_is_gone(postgres: Postgres) -> None:
    async with open_pgvector(pgvector_config(postgres.database()), instance="vectors") as index:
        await index.create(STORE, 3)

        async def add(number: int) -> None:
            for turn in count():
                await index.add(STORE, [entry(f"{number}-{turn}-{n}") for n in range(30)])

        async def search() -> None:
            while True:
                await everything(index, STORE)

        working = [asyncio.create_task(each) for each in (*(add(number) for number in range(4)), search())]
        await asyncio.sleep(0.2)
        await index.drop(STORE)
        done = await asyncio.wait_for(asyncio.gather(*working, return_exceptions=True), 20)
        assert [getattr(each, "code", each) for each in done] == ["vector_store_not_found"] * 5
