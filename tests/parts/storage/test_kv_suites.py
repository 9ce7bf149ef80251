"""The key-value backends before the suite that third parties prove theirs with (`stackgen_api.testing.storage`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from fake_mongodb import FakeMongo
from kv_backends import mongodb_config, postgres_config, redis_config
from parts.providers.storage.kv_mongodb import open_kv_mongodb
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.kv import KvBackend
from parts.testing.storage import KvSuite
from real_servers import Database, Postgres, Valkey


class TestSqlite(KvSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "folder" / "kv store?#%.db"

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_sqlite(KvSqliteConfig(db_path=str(self.path)), instance="kv_default")


class TestRedis(KvSuite):
    @pytest.fixture(autouse=True)
    def _server(self, valkey: Valkey) -> None:
        self.config = redis_config(valkey)

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_redis(self.config, instance="kv_default")


class TestRedisWithAPrefix(KvSuite):
    """As many servers share one Redis."""

    @pytest.fixture(autouse=True)
    def _server(self, valkey: Valkey) -> None:
        self.config = replace(redis_config(valkey), namespace="My.Stack", db=3)

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_redis(self.config, instance="kv_default")


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


class TestPostgres(KvSuite):
    @pytest.fixture(autouse=True)
    def _server(self, database: Database) -> None:
        self.config = postgres_config(database)

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_postgres(self.config, instance="kv_default")


class TestPostgresWithAPrefix(KvSuite):
    """As many servers share one table."""

    @pytest.fixture(autouse=True)
    def _server(self, database: Database) -> None:
        self.config = replace(postgres_config(database), namespace="My.Stack", table_name="other_kv")

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_postgres(self.config, instance="kv_default")


@pytest.fixture(scope="module")
def fake_mongo() -> Iterator[FakeMongo]:
    mongo = FakeMongo()
    mongo.start()
    yield mongo
    mongo.stop()


class TestFakeMongodb(KvSuite):
    """The real driver, before a server that is hand-written (`fake_mongodb.py`)."""

    @pytest.fixture(autouse=True)
    def _server(self, fake_mongo: FakeMongo) -> None:
        self.config = mongodb_config(fake_mongo)

    def opens(self) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_mongodb(self.config, instance="kv_default")
