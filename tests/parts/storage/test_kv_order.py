"""Scans of whatever keys there may be, as a sorted list of Python has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import count

import pytest
from fake_mongodb import FakeMongo
from hypothesis import given
from hypothesis import strategies as st
from kv_backends import mongodb_config, postgres_config, redis_config
from parts.providers.storage.kv.rules import between
from parts.providers.storage.kv_mongodb import open_kv_mongodb
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.kv import KvBackend

# Where an order goes wrong: the ends of planes, of the surrogates' gap, of what SQL and Redis know as patterns.
EDGES = "\x01a\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff%_*[\\"
TEXTS = st.text(st.sampled_from(EDGES) | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@dataclass(frozen=True)
class Running:
    """A backend, and the loop that it lives in."""

    runner: asyncio.Runner
    backend: KvBackend
    numbers: Iterator[int]


@pytest.fixture(scope="module", params=["sqlite", "redis", "postgres", "fake mongodb"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    new: dict[str, Callable[[], AbstractAsyncContextManager[KvBackend]]] = {
        "sqlite": lambda: open_kv_sqlite(
            KvSqliteConfig(db_path=str(tmp_path_factory.mktemp("order") / "kv.db")), instance="kv_default"
        ),
        "redis": lambda: open_kv_redis(redis_config(request.getfixturevalue("valkey")), instance="kv_default"),
        "postgres": lambda: open_kv_postgres(
            postgres_config(request.getfixturevalue("postgres").database()), instance="kv_default"
        ),
        "fake mongodb": lambda: open_kv_mongodb(
            mongodb_config(request.getfixturevalue("started_mongo")), instance="kv_default"
        ),
    }
    with asyncio.Runner() as runner:
        opened = new[request.param]()
        yield Running(runner, runner.run(opened.__aenter__()), count())
        runner.run(opened.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def started_mongo() -> Iterator[FakeMongo]:
    mongo = FakeMongo()
    mongo.start()
    yield mongo
    mongo.stop()


@given(keys=st.sets(TEXTS.filter(bool), max_size=12), prefix=TEXTS, after=TEXTS, limit=st.integers(1, 13))
def test_a_scan_is_what_a_sorted_list_would_be(
    running: Running, keys: set[str], prefix: str, after: str, limit: int
) -> None:
    async def scans() -> None:
        kv = running.backend.namespace(f"order-{next(running.numbers)}")
        for key in keys:
            assert await kv.add(key, key.encode())
        for start in {prefix, *(key[:1] for key in keys)}:
            wanted = sorted(key for key in keys if key.startswith(start) and key > after)[:limit]
            assert await kv.scan(start, after=after, limit=limit) == [(key, key.encode()) for key in wanted]

    running.runner.run(scans())


@given(key=TEXTS.filter(bool), prefix=TEXTS, after=TEXTS)
def test_the_bounds_of_a_scan_hold_what_it_is_for_and_nothing_else(key: str, prefix: str, after: str) -> None:
    start, end = between(prefix, after)
    assert (start <= key < end) == (key.startswith(prefix) and key > after)
    assert (start.encode() <= key.encode() < end.encode()) == (key.startswith(prefix) and key > after)


LAST = "\U0010ffff"


@pytest.mark.parametrize("prefix", ["", LAST, "a" + LAST, "\ud7ff", LAST * 128])
@pytest.mark.parametrize("key", ["a", "b", LAST, LAST * 128, "a" + LAST, "a" + LAST * 2, "\ue000", "\ud7ff" + LAST])
def test_the_bounds_hold_at_the_last_character(prefix: str, key: str) -> None:
    start, end = between(prefix, "")
    assert (start <= key < end) == key.startswith(prefix)
