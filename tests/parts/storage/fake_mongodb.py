"""A hand-written stand-in for a MongoDB server, since none comes as a package: it speaks MongoDB's wire protocol to the
real driver, and does what the backend for key-value stores asks of it and nothing else.

It is written after MongoDB's documentation: documents in collections, transactions over a snapshot that fail with
WriteConflict where another has written, or is writing, the same document. What it shows is that the backend works with
such a server; it cannot show that MongoDB is one.
"""

from __future__ import annotations

import copy
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import bson

Doc = dict[str, Any]
Place = tuple[str, bytes]
"""A collection and the `_id` of a document in it, as BSON."""

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013


class Fault(Exception):
    """An error as MongoDB answers it."""

    def __init__(self, code: int, name: str, *labels: str) -> None:
        super().__init__(name)
        self.answer: Doc = {"ok": 0.0, "errmsg": name, "code": code, "codeName": name}
        if labels:
            self.answer["errorLabels"] = list(labels)


@dataclass
class Transaction:
    """snapshot: what it sees. written: what it has changed, None for a document that it has removed."""

    began: int
    snapshot: dict[Place, Doc]
    written: dict[Place, Doc | None] = field(default_factory=dict)


@dataclass
class FakeMongo:
    """documents: all of them. changed: the commit that was the last to write a document. seen: all commands.

    replica_set: whether it says that it is one. password: whether it refuses whoever logs in.
    """

    replica_set: bool = True
    refuses: bool = False
    documents: dict[Place, Doc] = field(default_factory=dict)
    changed: dict[Place, int] = field(default_factory=dict)
    commits: int = 0
    transactions: dict[tuple[bytes, int], Transaction] = field(default_factory=dict)
    seen: list[Doc] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    server: Server | None = None
    port: int = 0
    ahead: timedelta = timedelta()
    """Of the machine's clock."""

    def start(self) -> None:
        """At the port that it had before, if it had one."""
        self.server = Server(("127.0.0.1", self.port), self)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Cuts every connection."""
        if self.server is not None:
            self.server.shutdown()
            self.server.cut()
            self.server.server_close()
            self.server = None
            self.transactions.clear()

    def answer(self, command: Doc) -> Doc:
        name = next(iter(command))
        with self.lock:
            self.seen.append(command)
            try:
                return {"ok": 1.0, **self._commands()[name](command)}
            except Fault as fault:
                return fault.answer

    def _commands(self) -> Mapping[str, Callable[[Doc], Doc]]:
        return {
            "hello": self._hello,
            "ismaster": self._hello,
            "isMaster": self._hello,
            "ping": lambda _: {},
            "endSessions": lambda _: {},
            "saslStart": self._log_in,
            "createIndexes": lambda _: {},
            "find": self._find,
            "findAndModify": self._find_and_modify,
            "update": self._update,
            "delete": self._delete,
            "commitTransaction": self._commit,
            "abortTransaction": self._abort,
        }

    def _hello(self, _: Doc) -> Doc:
        me = f"127.0.0.1:{self.port}"
        said: Doc = {
            "helloOk": True,
            "isWritablePrimary": True,
            "ismaster": True,
            "maxBsonObjectSize": 16777216,
            "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000,
            "localTime": self._now(),
            "logicalSessionTimeoutMinutes": 30,
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "readOnly": False,
        }
        return said | ({"setName": "fake", "hosts": [me], "me": me, "primary": me} if self.replica_set else {})

    def _log_in(self, _: Doc) -> Doc:
        raise Fault(18, "AuthenticationFailed")

    def _now(self) -> datetime:
        now = datetime.now(UTC) + self.ahead
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _find(self, command: Doc) -> Doc:
        collection = command["find"]
        seen, query = self._sees(self._transaction(command)), dict(command["filter"])
        wanted = query.pop("_id")
        found = [
            (place[1], document)
            for place, document in seen.items()
            if place[0] == collection and _within(document["_id"], wanted) and self._lives(document, query)
        ]
        if "sort" in command:
            assert command["sort"] == {"_id": 1}, command
            found.sort(key=lambda each: _order(each[1]["_id"]))
        batch = [document for _, document in found][: command.get("limit") or None]
        return {"cursor": {"id": 0, "ns": f"{command['$db']}.{collection}", "firstBatch": batch}}

    def _lives(self, document: Doc, query: Doc) -> bool:
        if not query:
            return True
        assert query == {"$or": [{"expires": None}, {"$expr": {"$gt": ["$expires", "$$NOW"]}}]}, query
        return document.get("expires") is None or document["expires"] > self._now()

    def _find_and_modify(self, command: Doc) -> Doc:
        transaction = self._transaction(command)
        place = (command["findAndModify"], bson.encode(command["query"]))
        document = self._sees(transaction).get(place)
        if document is None:
            return {"value": None, "lastErrorObject": {"n": 0, "updatedExisting": False}}
        (stage,) = command["update"]
        now = self._now()
        bump = {"$max": [{"$add": ["$revision", 1]}, {"$multiply": [{"$toLong": "$$NOW"}, 1000]}]}
        assert stage == {"$set": {"revision": bump, "at": "$$NOW"}}, stage
        clock = round(now.timestamp() * 1000) * 1000
        changed = {**document, "revision": max(document["revision"] + 1, clock), "at": now}
        self._write(transaction, place, changed)
        assert command["new"] is True
        return {"value": changed, "lastErrorObject": {"n": 1, "updatedExisting": True}}

    def _update(self, command: Doc) -> Doc:
        (update,) = command["updates"]
        assert update["upsert"] is True, update
        transaction = self._transaction(command)
        place = (command["update"], bson.encode(update["q"]))
        there = self._sees(transaction).get(place)
        changes = update["u"]
        if "$setOnInsert" in changes:
            if there is not None:
                return {"n": 1, "nModified": 0}
            document = {**update["q"], **changes["$setOnInsert"]}
        else:
            assert not any(name.startswith("$") for name in changes), changes
            document = dict(changes)
        self._write(transaction, place, document)
        if there is not None:
            return {"n": 1, "nModified": 1}
        return {"n": 1, "nModified": 0, "upserted": [{"index": 0, "_id": document["_id"]}]}

    def _delete(self, command: Doc) -> Doc:
        (delete,) = command["deletes"]
        transaction = self._transaction(command)
        place = (command["delete"], bson.encode(delete["q"]))
        if self._sees(transaction).get(place) is None:
            return {"n": 0}
        self._write(transaction, place, None)
        return {"n": 1}

    def _transaction(self, command: Doc) -> Transaction | None:
        if "autocommit" not in command:
            return None
        key = _session(command)
        if command.get("startTransaction"):
            for other in [each for each in self.transactions if each[0] == key[0]]:
                del self.transactions[other]
            self.transactions[key] = Transaction(self.commits, dict(self.documents))
        if key not in self.transactions:
            raise Fault(251, "NoSuchTransaction", "TransientTransactionError")
        return self.transactions[key]

    def _sees(self, transaction: Transaction | None) -> dict[Place, Doc]:
        if transaction is None:
            return self.documents
        seen = {**transaction.snapshot, **transaction.written}
        return {place: document for place, document in seen.items() if document is not None}

    def _write(self, transaction: Transaction | None, place: Place, document: Doc | None) -> None:
        document = copy.deepcopy(document)
        if transaction is None:
            self._apply({place: document})
            return
        others = (each for each in self.transactions.values() if each is not transaction)
        if self.changed.get(place, 0) > transaction.began or any(place in each.written for each in others):
            self.transactions = {key: each for key, each in self.transactions.items() if each is not transaction}
            raise Fault(112, "WriteConflict", "TransientTransactionError")
        transaction.written[place] = document

    def _apply(self, written: Mapping[Place, Doc | None]) -> None:
        self.commits += 1
        for place, document in written.items():
            self.changed[place] = self.commits
            if document is None:
                self.documents.pop(place, None)
            else:
                self.documents[place] = document

    def _commit(self, command: Doc) -> Doc:
        transaction = self._transaction(command)
        assert transaction is not None
        self._apply(transaction.written)
        del self.transactions[_session(command)]
        return {}

    def _abort(self, command: Doc) -> Doc:
        self._transaction(command)
        del self.transactions[_session(command)]
        return {}


def _session(command: Doc) -> tuple[bytes, int]:
    return bytes(command["lsid"]["id"]), int(command["txnNumber"])


def _order(id: Any) -> tuple[bytes, ...]:
    """Documents compare field by field, texts by their bytes."""
    return tuple(str(part).encode() for part in id.values()) if isinstance(id, dict) else (str(id).encode(),)


def _within(id: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and "$gte" in wanted:
        assert set(wanted) == {"$gte", "$lt"}, wanted
        return isinstance(id, dict) and _order(wanted["$gte"]) <= _order(id) < _order(wanted["$lt"])
    return bool(id == wanted)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], mongo: FakeMongo) -> None:
        super().__init__(address, Connection)
        self.mongo = mongo
        self.open: set[Connection] = set()

    def cut(self) -> None:
        for each in list(self.open):
            with suppress(OSError):
                each.request.shutdown(2)


class Connection(socketserver.StreamRequestHandler):
    """Messages in, answers out."""

    def handle(self) -> None:
        server = cast(Server, self.server)
        server.open.add(self)
        try:
            while head := self.rfile.read(16):
                length, request, _, kind = struct.unpack("<iiii", head)
                body = self.rfile.read(length - 16)
                command = _old_query(body) if kind == OP_QUERY else _message(body)
                said = bson.encode(server.mongo.answer(command))
                if kind == OP_QUERY:
                    self._send(request, OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + said)
                else:
                    self._send(request, OP_MSG, struct.pack("<iB", 0, 0) + said)
        except (OSError, struct.error):
            pass  # The other side has gone.
        finally:
            server.open.discard(self)

    def _send(self, request: int, kind: int, body: bytes) -> None:
        self.wfile.write(struct.pack("<iiii", 16 + len(body), 0, request, kind) + body)


_CODEC = bson.CodecOptions[Doc](tz_aware=True)


def _old_query(body: bytes) -> Doc:
    """The first message of a connection: flags, a collection's name, two numbers, a document."""
    return bson.decode(body[body.index(0, 4) + 9 :], _CODEC)


def _message(body: bytes) -> Doc:
    """Flags, and sections: of kind 0 a document, of kind 1 a list of documents with a name."""
    at, command = 4, Doc()
    while at < len(body):
        kind = body[at]
        (size,) = struct.unpack_from("<i", body, at + 1)
        section = body[at + 1 : at + 1 + size]
        if kind == 0:
            command = {**bson.decode(section, _CODEC), **command}
        else:
            end = section.index(0, 4)
            command[section[4:end].decode()] = bson.decode_all(section[end + 1 :], _CODEC)
        at += 1 + size
    return command
