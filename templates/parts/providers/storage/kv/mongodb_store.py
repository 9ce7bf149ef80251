"""Namespaces in a MongoDB database.

A key is a document; `_id` is its namespace and itself, and so unique and in the order of its bytes. Each namespace has
a document with its revision. A write is a transaction that raises the revision first: of two in one namespace MongoDB
lets one go on, and the other begins anew and sees what the first has written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pymongo
from pymongo import AsyncMongoClient, ReadPreference, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from ....runtime.errors import SettingsError, Unavailable
from ..cancelling import cancelled_if_asked
from ..outage import Outage
from .rules import between

log = logging.getLogger(__name__)

Document = Mapping[str, object]

SCHEMA_VERSION = 1
_SCHEMA = ":schema"
"""Beside the revisions; no namespace is called so."""

_CREDENTIALS = (13, 18)
"""MongoDB's codes for Unauthorized and AuthenticationFailed."""

# On the disks of most members before a call returns; and nothing is read that could be taken back.
_DURABLE = WriteConcern(w="majority", j=True)
_MAJORITY = ReadConcern("majority")
_SNAPSHOT = ReadConcern("snapshot")

_LIVES: Document = {"$or": [{"expires": None}, {"$expr": {"$gt": ["$expires", "$$NOW"]}}]}

# Not below the clock: a database that a backup has been put back into does not come to a number again that stood for
# something else. Only MongoDB's own clock says what has expired.
_BUMP = [
    {
        "$set": {
            "revision": {"$max": [{"$add": ["$revision", 1]}, {"$multiply": [{"$toLong": "$$NOW"}, 1000]}]},
            "at": "$$NOW",
        }
    }
]


@dataclass(frozen=True, slots=True)
class _Write:
    """A change of one key. wanted: whether to make it, given what is there (None for nothing).

    value: None to remove it. seconds: that it lives from now on; keep: as long as before.
    """

    key: str
    value: bytes | None
    seconds: float | None = None
    keep: bool = False
    fresh: bool = False
    must: bool = False
    was: bytes | None = None

    def wanted(self, there: bytes | None) -> bool:
        if self.fresh:
            return there is None
        if self.must:
            return there is not None and self.was in (None, there)
        return True


class MongoStore:
    """`Store` in two collections of a MongoDB database."""

    def __init__(
        self, client: AsyncMongoClient[Document], *, db: str, collection: str, seconds: float, instance: str
    ) -> None:
        self._client = client
        self._seconds = seconds
        self._instance = instance
        self._outage = Outage(f"the key-value store {instance}")
        database = client.get_database(
            db, write_concern=_DURABLE, read_concern=_MAJORITY, read_preference=ReadPreference.PRIMARY
        )
        self._values: AsyncCollection[Document] = database[collection]
        self._revisions: AsyncCollection[Document] = database[f"{collection}_revisions"]
        self._known: set[str] = set()
        # Those of one process wait here, in order, in place of beginning anew.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def prepare(self) -> None:
        """Makes what is not there. Raises SettingsError where MongoDB refuses us, has no transactions, or a newer
        server has been there; Unavailable where it cannot be reached.
        """
        try:
            async with self._asked():
                hello = await self._client.admin.command("hello")
                if "setName" not in hello and hello.get("msg") != "isdbgrid":
                    raise SettingsError([f"storage.{self._instance}: {_NO_TRANSACTIONS}"])
                await self._values.create_index("expires", expireAfterSeconds=0)
                first = {"$setOnInsert": {"version": SCHEMA_VERSION}}
                await self._revisions.update_one({"_id": _SCHEMA}, first, upsert=True)
                found = await self._revisions.find_one({"_id": _SCHEMA}) or {}
        except Unavailable as error:
            cause = error.__cause__
            if isinstance(cause, OperationFailure) and cause.code in _CREDENTIALS:
                why = f"MongoDB refuses the user or password, or what the user may do: {_said(cause)}"
                raise SettingsError([f"storage.{self._instance}: {why}"]) from None
            raise
        if (version := int(str(found.get("version")))) > SCHEMA_VERSION:
            why = (
                f"what is kept there is of version {version}, made by a newer server; this one knows versions up to "
                f"{SCHEMA_VERSION}. Start the newer server, or name another database or collection_name"
            )
            raise SettingsError([f"storage.{self._instance}: {why}"])

    async def get(self, space: str, key: str) -> bytes | None:
        async with self._asked():
            return _value(await self._values.find_one({"_id": _id(space, key), **_LIVES}))

    async def put(self, space: str, key: str, value: bytes, seconds: float | None) -> None:
        await self._write(space, _Write(key, value, seconds))

    async def add(self, space: str, key: str, value: bytes, seconds: float | None) -> bool:
        return await self._write(space, _Write(key, value, seconds, fresh=True))

    async def replace(self, space: str, key: str, value: bytes, was: bytes) -> bool:
        return await self._write(space, _Write(key, value, keep=True, must=True, was=was))

    async def delete(self, space: str, key: str, was: bytes | None) -> bool:
        return await self._write(space, _Write(key, None, must=True, was=was))

    async def scan(self, space: str, prefix: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        start, end = between(prefix, after)
        keys = {"$gte": _id(space, start), "$lt": _id(space, end)}
        async with self._asked():
            found = self._values.find({"_id": keys, **_LIVES}).sort("_id", pymongo.ASCENDING).limit(limit)
            return [(_key(each), _value(each) or b"") async for each in found]

    async def revision(self, space: str) -> int:
        async with self._asked():
            found = await self._revisions.find_one({"_id": space})
        return int(str(found["revision"])) if found is not None else 0

    async def _write(self, space: str, write: _Write) -> bool:
        async def change(session: AsyncClientSession) -> bool:
            return await self._change(session, space, write)

        async with self._asked(), self._turns[space]:
            if space not in self._known:
                # Outside of transactions, in which two that make one document fail.
                await self._revisions.update_one({"_id": space}, {"$setOnInsert": {"revision": 0}}, upsert=True)
                self._known.add(space)
            async with self._client.start_session() as session:
                return await session.with_transaction(change, read_concern=_SNAPSHOT, write_concern=_DURABLE)

    async def _change(self, session: AsyncClientSession, space: str, write: _Write) -> bool:
        bumped = await self._revisions.find_one_and_update(
            {"_id": space}, _BUMP, return_document=ReturnDocument.AFTER, session=session
        )
        if bumped is None:
            self._known.discard(space)
            raise ConnectionFailure("somebody has removed the revision of this namespace")
        now = bumped["at"]
        assert isinstance(now, datetime)
        id = _id(space, write.key)
        found = await self._values.find_one({"_id": id}, session=session)
        expires = found.get("expires") if found is not None else None
        there = _value(found) if not isinstance(expires, datetime) or expires > now else None
        if not write.wanted(there):
            await session.abort_transaction()
            return False
        if write.value is None:
            await self._values.delete_one({"_id": id}, session=session)
            return True
        if not write.keep:
            expires = None if write.seconds is None else now + timedelta(seconds=write.seconds)
        document = {"_id": id, "value": write.value, "expires": expires}
        await self._values.replace_one({"_id": id}, document, upsert=True, session=session)
        return True

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """Raises Unavailable for what is MongoDB's fault, after `seconds` at the latest.

        The driver's own limit would count for the search of a server too, so that each call took all of it where there
        is none.
        """
        try:
            with cancelled_if_asked():
                async with asyncio.timeout(self._seconds):
                    yield
        except TimeoutError:
            raise self._outage.met("it does not answer in time") from None
        except OperationFailure as error:
            raise self._outage.met("it refuses what is asked of it", _said(error)) from error
        except PyMongoError as error:
            why = "it does not answer in time" if error.timeout else "it cannot be reached"
            raise self._outage.met(why, type(error).__name__) from error
        self._outage.over()


_NO_TRANSACTIONS = (
    "this MongoDB is a single server, which has no transactions; make it a replica set, which may be of one member "
    "(mongod --replSet NAME, then rs.initiate())"
)


def _id(space: str, key: str) -> dict[str, str]:
    return {"namespace": space, "key": key}


def _key(found: Document) -> str:
    id = found["_id"]
    assert isinstance(id, Mapping)
    return str(id["key"])


def _value(found: Document | None) -> bytes | None:
    value = found["value"] if found is not None else None
    return bytes(value) if isinstance(value, bytes) else None


def _said(error: OperationFailure) -> str:
    """Its name for the fault, as against its text, which may repeat what was asked."""
    details = error.details or {}
    return str(details.get("codeName") or f"error {error.code}")
