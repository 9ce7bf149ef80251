"""Collections in folders of this machine, kept by Qdrant's engine inside the process (Qdrant Edge).

A folder is one process's at a time. The engine releases the interpreter while it works, and takes calls of several
threads.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import qdrant_edge as edge

from ....runtime.errors import NotFound, SettingsError, Unavailable
from ....runtime.undisturbed import undisturbed
from ....runtime.vector_index import Hit
from ..marks import Found
from ..services import gone
from .edge_objects import filter_of, made, of_group, sparse
from .index import INDEXED, TEXT, WORDS
from .words import Weights

if TYPE_CHECKING:
    from ..marks import Condition
    from .index import Payload, Point

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOCK = ".lock"
_NEW, _GONE = ".new-", ".gone-"


class Folders:
    """The folders of collections below one folder, of which some are open.

    threads: calls at once. open_stores: collections that are kept open; each has a thread and files of its own.
    """

    def __init__(self, path: Path, threads: int, open_stores: int, instance: str) -> None:
        self._path = path
        self._instance = instance
        self._open_stores = open_stores
        self._threads = ThreadPoolExecutor(threads, instance)
        self._lock = threading.Lock()
        self._shards: OrderedDict[str, _Held] = OrderedDict()

    async def create(self, store: str, dimension: int) -> None:
        await self._do(self._create, store, dimension)

    async def drop(self, store: str) -> None:
        await self._do(self._drop, store)

    async def put(self, store: str, points: Sequence[Point]) -> None:
        def work(shard: edge.EdgeShard) -> None:
            _change(shard, edge.UpdateOperation.upsert_points([made(each) for each in points]))

        await self._within(store, work)

    async def remove(self, store: str, group: str) -> None:
        def work(shard: edge.EdgeShard) -> None:
            _change(shard, edge.UpdateOperation.delete_points_by_filter(of_group(group)))

        try:
            await self._within(store, work)
        except NotFound:
            return

    async def change(self, store: str, group: str, payload: Payload) -> None:
        def work(shard: edge.EdgeShard) -> None:
            _change(shard, edge.UpdateOperation.set_payload_by_filter(of_group(group), payload))

        await self._within(store, work)

    async def best(
        self, store: str, query: Sequence[float] | Weights, limit: int, among: Condition | None
    ) -> list[Found]:
        if isinstance(query, Weights):
            wanted = edge.Query.Nearest(sparse(query), using=WORDS)
        else:
            wanted = edge.Query.Nearest(list(query), using=TEXT)
        request = edge.QueryRequest(
            limit=limit,
            query=wanted,
            filter=None if among is None else filter_of(among),
            with_payload=["id", "attributes"],
        )

        def work(shard: edge.EdgeShard) -> list[Found]:
            found = [(each.payload or {}, each.score) for each in shard.query(request)]
            return [Found(Hit(str(payload["id"]), score), str(payload["attributes"])) for payload, score in found]

        return await self._within(store, work)

    async def check(self) -> None:
        await self._do(self._look)

    def close(self) -> None:
        self._threads.shutdown()
        for each in self._shards.values():
            each.shard.close()
        self._shards.clear()

    # ── in a thread ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _create(self, store: str, dimension: int) -> None:
        folder = self._path / store
        if folder.exists():
            return
        # Made aside and renamed: a folder that is only half made could not be opened.
        new = self._path / f"{_NEW}{uuid4().hex}"
        make(new, dimension).close()
        with self._lock:
            if not folder.exists():
                new.rename(folder)
        shutil.rmtree(new, ignore_errors=True)

    def _drop(self, store: str) -> None:
        folder, away = self._path / store, self._path / f"{_GONE}{uuid4().hex}"
        with self._lock:
            held = self._shards.pop(store, None)
            if folder.exists():
                folder.rename(away)
            if held is not None:
                held.dropped = True
                held.close_if_idle()
        shutil.rmtree(away, ignore_errors=True)

    def _look(self) -> None:
        os.listdir(self._path)

    @contextmanager
    def _held(self, store: str) -> Iterator[edge.EdgeShard]:
        """The shard of a store, which stays open as long as somebody has it. Raises NotFound."""
        with self._lock:
            held = self._shards.get(store)
            if held is None:
                if not (self._path / store).exists():
                    raise gone(store)
                held = self._shards[store] = _Held(edge.EdgeShard.load(str(self._path / store)))
            self._shards.move_to_end(store)
            held.users += 1
            for name in [name for name, each in self._shards.items() if not each.users]:
                if len(self._shards) > self._open_stores:
                    self._shards.pop(name).shard.close()
        try:
            yield held.shard
        finally:
            with self._lock:
                held.users -= 1
                if held.dropped:
                    held.close_if_idle()

    async def _within(self, store: str, work: Callable[[edge.EdgeShard], T]) -> T:
        def held() -> T:
            with self._held(store) as shard:
                return work(shard)

        return await self._do(held)

    async def _do(self, work: Callable[..., T], *given: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        except NotFound:
            raise
        except Exception as error:  # The engine's errors have no type of their own.
            log.exception("%s has failed", self._instance)
            raise Unavailable(
                f"{self._instance} cannot be used at present: {_brief(error)}", code="storage_unavailable"
            ) from error


class _Held:
    """An open shard, and how many calls are at work with it."""

    def __init__(self, shard: edge.EdgeShard) -> None:
        self.shard = shard
        self.users = 0
        self.dropped = False

    def close_if_idle(self) -> None:
        if not self.users:
            self.shard.close()


def make(folder: Path, dimension: int) -> edge.EdgeShard:
    """A new collection, on the disk."""
    folder.mkdir(mode=0o700)
    vectors = {TEXT: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)}
    words = {WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}
    # One thread for searches: a server has many stores, and many calls at once.
    config = edge.EdgeConfig(vectors=vectors, sparse_vectors=words, max_search_threads=1)
    shard = edge.EdgeShard.create(str(folder), config)
    kinds = {"keyword": edge.PayloadSchemaType.Keyword, "float": edge.PayloadSchemaType.Float}
    for name, kind in INDEXED.items():
        shard.update(edge.UpdateOperation.create_field_index(name, kinds[kind]))
    shard.flush()
    return shard


@asynccontextmanager
async def open_folders(path: str, threads: int, open_stores: int, instance: str) -> AsyncIterator[Folders]:
    """Makes the folder where there is none. Raises SettingsError, also where another process has it."""
    root = Path(path)
    try:
        lock = await asyncio.to_thread(_take, root / _LOCK)
    except Exception as error:  # The engine's errors have no type of their own.
        log.debug("%s cannot be opened", path, exc_info=True)
        why = "another process has it open" if "WouldBlock" in str(error) else _brief(error)
        raise SettingsError([f"{instance}.path: {path} cannot be a folder of vectors: {why}"]) from None
    for each in (*root.glob(f"{_NEW}*"), *root.glob(f"{_GONE}*")):
        # Of a process that has ended in the middle of something.
        await asyncio.to_thread(shutil.rmtree, each, True)
    folders = Folders(root, threads, open_stores, instance)
    try:
        yield folders
    finally:
        await undisturbed(asyncio.to_thread(folders.close))
        lock.close()


def _take(lock: Path) -> edge.EdgeShard:
    """An empty collection, kept open: the engine's own lock on it goes with the process, whatever ends that."""
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not lock.exists():
        new = lock.with_name(f"{_NEW}{uuid4().hex}")
        make(new, 1).close()
        with suppress(OSError):
            new.rename(lock)
        shutil.rmtree(new, ignore_errors=True)
    return edge.EdgeShard.load(str(lock))


def _change(shard: edge.EdgeShard, operation: edge.UpdateOperation) -> None:
    shard.update(operation)
    shard.flush()
    # Nobody else does: it makes an index of what has become much, and takes out what was removed.
    shard.optimize()


def _brief(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said.splitlines()[0][:200] if said else type(error).__name__
