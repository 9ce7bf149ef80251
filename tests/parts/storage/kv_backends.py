"""The key-value backends, configured for the real servers of the tests."""

from __future__ import annotations

from fake_mongodb import FakeMongo
from parts.providers.storage.kv_mongodb import KvMongodbConfig
from parts.providers.storage.kv_postgres import KvPostgresConfig
from parts.providers.storage.kv_redis import KvRedisConfig
from parts.runtime.secret import Secret
from real_servers import Database, Valkey


def redis_config(valkey: Valkey) -> KvRedisConfig:
    return KvRedisConfig(
        host=valkey.host,
        port=valkey.port,
        password=Secret(valkey.password),
        connect_seconds=5.0,
        timeout_seconds=10.0,
        start_seconds=10.0,
    )


def postgres_config(database: Database) -> KvPostgresConfig:
    return KvPostgresConfig(
        host=database.host,
        port=database.port,
        db=database.name,
        user=database.user,
        password=Secret(database.password),
        start_seconds=10.0,
    )


def mongodb_config(mongo: FakeMongo) -> KvMongodbConfig:
    return KvMongodbConfig(host="127.0.0.1", port=mongo.port, db="stack", start_seconds=10.0)
