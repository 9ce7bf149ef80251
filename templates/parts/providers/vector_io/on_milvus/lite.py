"""Collections in a folder of this machine, kept by Milvus Lite inside the process: its engine, without its server.

A folder is one process's at a time, which the engine sees to. It is not made for several threads, so it has one.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from milvus_lite import (
    CollectionNotFoundError,
    CollectionSchema,
    DataDirLockedError,
    DataType,
    FieldSchema,
    Function,
    FunctionType,
    MilvusLite,
)

from ....runtime.errors import SettingsError, StackError, Unavailable
from ....runtime.undisturbed import undisturbed
from ....runtime.vector_index import Hit
from ..marks import Found
from ..services import gone
from .index import KEPT, LONGEST_TEXT, Row

log = logging.getLogger(__name__)

T = TypeVar("T")

_INDEXES = {
    # Each vector is compared, so that what is found is exact.
    "vector": {"index_type": "FLAT", "metric_type": "IP", "params": {}},
    "words": {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "BM25", "params": {}},
}


class Folder:
    def __init__(self, database: Any, path: Path, thread: ThreadPoolExecutor, instance: str) -> None:
        self._database = database
        self._path = path
        self._thread = thread
        self._instance = instance

    async def create(self, store: str, dimension: int) -> None:
        def work() -> None:
            if not self._database.has_collection(store):
                self._database.create_collection(store, _schema(dimension))
            collection = self._database.get_collection(store)
            for field, index in _INDEXES.items():
                if not collection.has_index(field):
                    collection.create_index(field, index)
            collection.load()

        await self._do(work)

    async def drop(self, store: str) -> None:
        await self._do(lambda: self._database.drop_collection(store))

    async def upsert(self, store: str, rows: Sequence[Row]) -> None:
        def work() -> None:
            self._loaded(store).upsert(list(rows))
            self._sync(store)

        await self._do(work)

    async def delete(self, store: str, where: str) -> None:
        def work() -> None:
            with suppress(CollectionNotFoundError):
                collection = self._loaded(store)
                if keys := [row["id"] for row in collection.query(where, output_fields=["id"])]:
                    collection.delete(keys)
                    self._sync(store)

        await self._do(work)

    async def rows(self, store: str, where: str, limit: int) -> list[Row]:
        def work() -> list[Row]:
            return list(self._loaded(store).query(where, output_fields=list(KEPT), limit=limit))

        return await self._do(work)

    async def search(self, store: str, asked: Sequence[float] | str, limit: int, where: str | None) -> list[Found]:
        # The engine has the greater fit of words as the lesser distance.
        field, metric, sign = ("words", "BM25", -1.0) if isinstance(asked, str) else ("vector", "IP", 1.0)

        def work() -> list[Found]:
            query: list[Any] = [asked]
            (found,) = self._loaded(store).search(
                query, top_k=limit, metric_type=metric, anns_field=field, expr=where, output_fields=["attributes"]
            )
            return [Found(Hit(each["id"], sign * each["distance"]), each["entity"]["attributes"]) for each in found]

        return await self._do(work)

    async def check(self) -> None:
        await self._do(lambda: self._database.list_collections())

    # ── in the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _loaded(self, store: str) -> Any:
        collection = self._database.get_collection(store)
        collection.load()
        return collection

    def _sync(self, store: str) -> None:
        """Has on the disk what the engine has left to the system."""
        for each in (self._path / "collections" / store / "wal").iterdir():
            file = os.open(each, os.O_RDWR)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except CollectionNotFoundError as error:
            raise gone(str(error).split("'")[1] if "'" in str(error) else "a store") from None
        except StackError:
            raise
        except Exception as error:  # Engines fail in many ways, and most of them have no type of their own.
            log.exception("%s has failed", self._instance)
            said = (str(error) or type(error).__name__).splitlines()[0][:200]
            raise Unavailable(
                f"{self._instance} cannot be used at present: {said}", code="storage_unavailable"
            ) from error


@asynccontextmanager
async def open_folder(path: str, instance: str) -> AsyncIterator[Folder]:
    """Makes the folder where there is none. Raises SettingsError, also where another process has it."""
    thread = ThreadPoolExecutor(1, instance)
    loop = asyncio.get_running_loop()
    try:
        database = await loop.run_in_executor(thread, _open, Path(path))
    except (OSError, ValueError, DataDirLockedError) as error:
        thread.shutdown()
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        if isinstance(error, DataDirLockedError):
            why = "another process has it open"
        if isinstance(error, FileExistsError):
            why = "it is a file, as Milvus Lite before 3 had them, which this one cannot read; name another"
        raise SettingsError([f"{instance}.db_path: {path} cannot be a folder of vectors: {why}"]) from None
    try:
        yield Folder(database, Path(path), thread, instance)
    finally:
        await undisturbed(asyncio.to_thread(_close, database, thread))


def _open(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_dir():
        raise FileExistsError(str(path))
    # What clients say is the server's to read alone.
    path.mkdir(mode=0o700, exist_ok=True)
    return MilvusLite(str(path))


def _close(database: Any, thread: ThreadPoolExecutor) -> None:
    thread.submit(database.close).result()
    thread.shutdown()


def _schema(dimension: int) -> CollectionSchema:
    text = DataType.VARCHAR
    fields = [
        FieldSchema("id", text, is_primary=True, max_length=512),
        FieldSchema("grp", text, max_length=32),
        FieldSchema("text", text, max_length=LONGEST_TEXT, enable_analyzer=True),
        FieldSchema("vector", DataType.FLOAT_VECTOR, dim=dimension),
        FieldSchema("words", DataType.SPARSE_FLOAT_VECTOR, is_function_output=True),
        FieldSchema("marks", DataType.ARRAY, element_type=text, max_capacity=4096, max_length=32),
        FieldSchema("numbers", DataType.JSON),
        FieldSchema("attributes", text, max_length=LONGEST_TEXT),
        FieldSchema("labels", text, max_length=32),
    ]
    return CollectionSchema(fields, functions=[Function("words", FunctionType.BM25, ["text"], ["words"])])
