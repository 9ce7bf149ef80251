"""Stores that are away, refuse, or come back; what clients and the log are told of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from fake_mongodb import FakeMongo
from kv_backends import mongodb_config, postgres_config, redis_config
from parts.providers.storage.kv_mongodb import open_kv_mongodb
from parts.providers.storage.kv_postgres import open_kv_postgres
from parts.providers.storage.kv_redis import open_kv_redis
from parts.runtime.errors import SettingsError, Unavailable
from parts.runtime.kv import Kv, KvBackend
from parts.runtime.secret import Secret
from real_servers import PASSWORD, Postgres, Valkey

WRONG = "wr0ng-and-secret"


@dataclass(frozen=True)
class Remote:
    """A store in a server that tests may stop. opens: with patience for the start, and maybe another password."""

    start: Callable[[], None]
    stop: Callable[[], None]
    opens: Callable[[float, str], AbstractAsyncContextManager[KvBackend]]


@pytest.fixture(params=["redis", "postgres", "fake mongodb"])
def remote(request: pytest.FixtureRequest) -> Iterator[Remote]:
    new: dict[str, Callable[[], Remote]] = {
        "redis": lambda: _redis(request.getfixturevalue("valkey")),
        "postgres": lambda: _postgres(request.getfixturevalue("postgres")),
        "fake mongodb": _mongodb,
    }
    made = new[request.param]()
    yield made
    # Others come after.
    made.stop()
    if request.param != "fake mongodb":
        made.start()


def _redis(valkey: Valkey) -> Remote:
    config = replace(redis_config(valkey), timeout_seconds=5.0, connect_seconds=2.0)

    def opens(seconds: float, password: str) -> AbstractAsyncContextManager[KvBackend]:
        return open_kv_redis(replace(config, start_seconds=seconds, password=Secret(password)), instance="kv_default")

    return Remote(valkey.start, valkey.stop, opens)


def _postgres(postgres: Postgres) -> Remote:
    config = replace(postgres_config(postgres.database()), connect_seconds=5.0)

    def opens(seconds: float, password: str) -> AbstractAsyncContextManager[KvBackend]:
        changed = replace(config, start_seconds=seconds, password=Secret(password))
        return open_kv_postgres(changed, instance="kv_default")

    return Remote(postgres.start, postgres.stop, opens)


def _mongodb() -> Remote:
    mongo = FakeMongo()
    mongo.start()
    config = replace(mongodb_config(mongo), connect_seconds=0.2, timeout_seconds=1.0)

    def opens(seconds: float, password: str) -> AbstractAsyncContextManager[KvBackend]:
        # The fake knows nobody, and refuses whoever logs in.
        user, secret = (None, None) if password == PASSWORD else ("tester", Secret(password))
        changed = replace(config, start_seconds=seconds, user=user, password=secret)
        return open_kv_mongodb(changed, instance="kv_default")

    return Remote(mongo.start, mongo.stop, opens)


def calls(kv: Kv) -> tuple[Callable[[], object], ...]:
    return (
        lambda: kv.get("a"),
        lambda: kv.put("a", b"2"),
        lambda: kv.add("b", b"2"),
        lambda: kv.replace("a", b"2", was=b"1"),
        lambda: kv.delete("a"),
        lambda: kv.scan(),
        lambda: kv.revision(),
    )


async def test_a_store_that_is_away_is_503_until_it_is_back(remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    async with remote.opens(10.0, PASSWORD) as backend:
        kv = backend.namespace("outage")
        await kv.put("a", b"1")
        caplog.clear()
        remote.stop()
        for call in calls(kv):
            with pytest.raises(Unavailable) as refused:
                await call()
            assert (refused.value.status, refused.value.code) == (503, "storage_unavailable")
            assert refused.value.retry_after is not None
            assert "127.0.0.1" not in refused.value.message
            assert PASSWORD not in refused.value.message
        remote.start()
        # A driver may find out about the connections that it has left, one for each call.
        assert await eventually(kv) == b"1"
        assert await kv.add("b", b"2") is True
        told = [record.getMessage() for record in caplog.records if record.name.endswith("storage.outage")]
        assert len([line for line in told if "is not available" in line]) <= 2, "once for each reason"
        assert told[-1] == "the key-value store kv_default is available again"
        assert PASSWORD not in caplog.text


async def eventually(kv: Kv) -> bytes | None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await kv.get("a")
            except Unavailable:
                await asyncio.sleep(0.05)


async def test_a_start_waits_for_its_store(remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    remote.stop()

    async def comes_later() -> None:
        while not any("waited for" in record.getMessage() for record in caplog.records):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(remote.start)

    coming = asyncio.create_task(comes_later())
    async with remote.opens(30.0, PASSWORD) as backend:
        assert await backend.namespace("later").add("a", b"1") is True
    await coming
    assert PASSWORD not in caplog.text


async def test_a_start_does_not_wait_for_ever(remote: Remote) -> None:
    remote.stop()
    with pytest.raises(Unavailable, match=r"storage\.kv_default: .* 127\.0\.0\.1 .* waited for 0\.1 s"):
        async with remote.opens(0.1, PASSWORD):
            pass
    remote.start()


async def test_a_wrong_password_ends_the_start_at_once(remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SettingsError, match=r"storage\.kv_default: .* refuses the") as refused:
        async with remote.opens(1000.0, WRONG):
            pass
    assert WRONG not in str(refused.value) + caplog.text


async def test_calls_that_are_given_up_leave_the_answers_of_others_alone(remote: Remote) -> None:
    async with remote.opens(10.0, PASSWORD) as backend:
        kv = backend.namespace("given-up")
        for number in range(20):
            await kv.put(f"{number}", b"%d" % number)
        for turn in range(20):
            asking = [asyncio.ensure_future(kv.get(f"{number}")) for number in range(20)]
            for _ in range(turn % 5):
                await asyncio.sleep(0)
            for each in asking[::2]:
                each.cancel()
            found = await asyncio.gather(*asking, return_exceptions=True)
            assert found[1::2] == [b"%d" % number for number in range(1, 20, 2)]
        assert await kv.get("7") == b"7"


async def test_a_call_that_is_cancelled_ends_so_at_whatever_moment(remote: Remote) -> None:
    """Whoever follows a store is ended by that, and would go on for ever if a driver answered all the same."""
    async with remote.opens(10.0, PASSWORD) as backend:
        kv = backend.namespace("cancelled")
        for turn in range(200):
            asking = asyncio.ensure_future(kv.get("a"))
            for _ in range(turn % 40):
                await asyncio.sleep(0 if turn % 3 else 0.0001)
            wanted = asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled() == wanted


async def test_redis_over_tls(valkey: Valkey, tmp_path, caplog: pytest.LogCaptureFixture) -> None:
    import ssl

    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    async with before(valkey, context) as port:
        config = replace(redis_config(valkey), host="localhost", port=port, tls=True, start_seconds=0.0)
        trusting = replace(config, ca_cert_path=str(tmp_path / "ca.pem"))
        async with open_kv_redis(trusting, instance="kv_default") as backend:
            assert await backend.namespace("tls").get("a") is None
        with pytest.raises(Unavailable):
            async with open_kv_redis(config, instance="kv_default"):
                pass
        assert "certificate" in caplog.text.lower()
        with pytest.raises(Unavailable):
            async with open_kv_redis(replace(trusting, host="127.0.0.1"), instance="kv_default"):
                pass
    (tmp_path / "not.pem").write_text("no certificate")
    for file in ("not.pem", "not-there.pem"):
        with pytest.raises(SettingsError, match=r"storage\.kv_default\.ca_cert_path"):
            async with open_kv_redis(replace(config, ca_cert_path=str(tmp_path / file)), instance="kv_default"):
                pass


@asynccontextmanager
async def before(valkey: Valkey, context) -> AsyncIterator[int]:
    """TLS in front of the server, whose build has none."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(valkey.host, valkey.port)
        await asyncio.gather(pipe(reader, behind[1]), pipe(behind[0], writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_redis_that_forgets_is_told_of_in_the_log(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    config = redis_config(valkey)
    from redis.asyncio import Redis

    async with Redis(host=valkey.host, port=valkey.port, password=valkey.password) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        await redis.config_set("appendonly", "no")
        try:
            async with open_kv_redis(config, instance="kv_default"):
                pass
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")
            await redis.config_set("appendonly", "yes")
    assert "allkeys-lru" in caplog.text
    assert "appendonly is off" in caplog.text


async def test_a_full_redis_is_503_and_leaves_nothing_half_done(valkey: Valkey) -> None:
    from redis.asyncio import Redis

    async with (
        Redis(host=valkey.host, port=valkey.port, password=valkey.password) as redis,
        open_kv_redis(redis_config(valkey), instance="kv_default") as backend,
    ):
        kv = backend.namespace("full")
        await kv.put("a", b"1")
        before = await kv.revision()
        await redis.config_set("maxmemory", "1")
        try:
            with pytest.raises(Unavailable, match="no memory left"):
                await kv.put("b", b"2")
            assert await kv.get("a") == b"1"
        finally:
            await redis.config_set("maxmemory", "0")
        assert (await kv.scan(), await kv.revision()) == ([("a", b"1")], before)


async def test_a_mongodb_without_transactions_is_refused() -> None:
    mongo = FakeMongo(replica_set=False)
    mongo.start()
    try:
        with pytest.raises(SettingsError, match=r"replSet"):
            async with open_kv_mongodb(mongodb_config(mongo), instance="kv_default"):
                pass
    finally:
        mongo.stop()
