"""Namespaces in Redis, or in what speaks its protocol (Valkey)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from typing import Protocol, TypeVar

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, OutOfMemoryError, RedisError
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as TimedOut

from ....runtime.errors import SettingsError
from ..cancelling import cancelled_if_asked
from ..outage import Outage
from .redis_scripts import ADD, DELETE, GET, PUT, REPLACE, SCAN
from .rules import between

log = logging.getLogger(__name__)

T = TypeVar("T")

_REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)


class Script(Protocol):
    """A script that Redis is told of when it does not know it."""

    def __call__(self, keys: list[str], args: Iterable[str | bytes | int]) -> Awaitable[object]: ...


class RedisStore:
    """`Store` in Redis. No call is repeated, as one whose answer was lost may have been carried out."""

    def __init__(self, redis: Redis, *, instance: str) -> None:
        self._redis = redis
        self._instance = instance
        self._outage = Outage(f"the key-value store {instance}")
        self._get: Script = redis.register_script(GET)
        self._put: Script = redis.register_script(PUT)
        self._add: Script = redis.register_script(ADD)
        self._replace: Script = redis.register_script(REPLACE)
        self._delete: Script = redis.register_script(DELETE)
        self._scan: Script = redis.register_script(SCAN)

    async def facts(self) -> dict[str, object]:
        """What Redis says of itself; nothing where it does not let us ask.

        Raises SettingsError where it refuses our credentials, Unavailable where it does not answer.
        """
        try:
            await self._redis.ping()
        except _REFUSED as error:
            # Redis' own words, which repeat no password.
            raise SettingsError([f"storage.{self._instance}: Redis refuses the user or password: {error}"]) from None
        except (RedisError, OSError) as error:
            raise self._outage.met(_why(error), error) from error
        self._outage.over()
        try:
            return dict(await self._redis.info())
        except RedisError:
            log.debug("INFO", exc_info=True)
            return {}

    async def get(self, space: str, key: str) -> bytes | None:
        found = await self._run(self._get, space, key)
        return found if isinstance(found, bytes) else None

    async def put(self, space: str, key: str, value: bytes, seconds: float | None) -> None:
        await self._run(self._put, space, key, value, _milliseconds(seconds))

    async def add(self, space: str, key: str, value: bytes, seconds: float | None) -> bool:
        return await self._run(self._add, space, key, value, _milliseconds(seconds)) == 1

    async def replace(self, space: str, key: str, value: bytes, was: bytes) -> bool:
        return await self._run(self._replace, space, key, value, was) == 1

    async def delete(self, space: str, key: str, was: bytes | None) -> bool:
        return await self._run(self._delete, space, key, int(was is not None), was or b"") == 1

    async def scan(self, space: str, prefix: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        start, end = between(prefix, after)
        found = await self._run(self._scan, space, start, end, limit)
        assert isinstance(found, list)
        return [(key.decode(), value) for key, value in zip(found[::2], found[1::2], strict=True)]

    async def revision(self, space: str) -> int:
        return int(await self._asked(self._redis.get(_keys(space)[-1])) or 0)

    async def _run(self, script: Script, space: str, *args: str | bytes | int) -> object:
        return await self._asked(script(_keys(space), args))

    async def _asked(self, answer: Awaitable[T]) -> T:
        try:
            with cancelled_if_asked():
                found = await answer
        except (RedisError, OSError) as error:
            raise self._outage.met(_why(error), error) from error
        self._outage.over()
        return found


def _keys(space: str) -> list[str]:
    # What is in braces says which slot of a cluster a key lies in.
    return [f"stackgen:{{{space}}}:{what}" for what in ("values", "order", "ends", "revision")]


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else str(max(1, round(seconds * 1000)))


def _why(error: RedisError | OSError) -> str:
    match error:
        case AuthenticationError() | AuthorizationError() | NoPermissionError():
            return "it does not take our credentials"
        case OutOfMemoryError():
            return "it has no memory left"
        case TimeoutError() | TimedOut():
            return "it does not answer in time"
        case NotConnected() | OSError():
            return "it cannot be reached"
        case _:
            return "it refuses what is asked of it"
