"""Vector stores over real databases, files and real indexes; the model alone is a stand-in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts.contracts.files.requests import CreateFileRequest
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.contracts.inference.responses import CreateEmbeddingResponse, Embedding, EmbeddingUsage
from parts.contracts.models.requests import ListModelsRequest
from parts.contracts.models.responses import ListModelsResponse, Model, ModelMetadata
from parts.contracts.vector_stores import requests as ask
from parts.contracts.vector_stores.responses import VectorStoreFileObject
from parts.providers.files.keeping import KeptFiles
from parts.providers.files.localfs import LocalFsConfig, open_localfs
from parts.providers.vector_io.pgvector import open_pgvector
from parts.providers.vector_io.sqlite_vec import SqliteVecConfig, open_sqlite_vec
from parts.providers.vector_stores.builtin import VectorStoresConfig, open_vector_stores
from parts.providers.vector_stores.kept.service import VectorStoresService
from parts.runtime.context import Context
from parts.runtime.reply import Answer
from parts.runtime.sql import Sql
from parts.runtime.upload import Upload
from parts.runtime.vector_index import VectorIndex
from pgvector_configs import pgvector_config
from real_servers import Database
from sql_backends import postgres_at, sqlite_at
from sqlalchemy import select

TEXT = b"The cat sat on the mat. Dogs bark at night."
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}}
LONG = " ".join(f"word{number}" for number in range(400)).encode()
DIMENSION = 16
ME = Context(request_id="test")


def caller(principal: str) -> Context:
    return Context(request_id="test", principal=principal)


@dataclass
class WordModel:
    """Stands for a model of embeddings: the words of a text, hashed into numbers. fails: raised once for each call."""

    dimension: int = DIMENSION
    fails: list[Exception] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    gate: Callable[[], Awaitable[None]] | None = None

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        texts = [str(each) for each in request.input]
        self.asked.append(texts)
        if self.gate is not None:
            await self.gate()
        if self.fails:
            raise self.fails.pop(0)
        data = [Embedding(object="embedding", index=n, embedding=self.vector(each)) for n, each in enumerate(texts)]
        usage = EmbeddingUsage(prompt_tokens=1, total_tokens=1)
        return Answer.of(CreateEmbeddingResponse(object="list", data=data, model=request.model, usage=usage))

    def vector(self, text: str) -> list[float]:
        numbers = [0.0] * self.dimension
        for word in text.lower().split():
            numbers[hashlib.md5(word.strip(".,?").encode()).digest()[0] % self.dimension] += 1.0
        return numbers


@dataclass
class OneModel:
    """A list of models with one in it."""

    names: tuple[str, ...] = ("words",)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        return ListModelsResponse(object="list", data=[self._model(name) for name in self.names])

    def _model(self, name: str) -> Model:
        said = ModelMetadata(model_type="embedding", provider_id="p", provider_resource_id=name)
        return Model(
            id=name,
            object="model",
            created=0,
            owned_by="",
            custom_metadata=said,
            identifier=name,
            provider_id="p",
            provider_resource_id=name,
            type="model",
            model_type="embedding",
            metadata=dict(self.metadata),
        )


@dataclass(frozen=True)
class Place:
    """Where stores are: in files of a folder, or with what they keep, and their vectors, in a PostgreSQL database."""

    folder: Path
    database: Database | None = None

    @property
    def provider(self) -> str:
        return "sqlite-vec" if self.database is None else "pgvector"

    def sql(self) -> AbstractAsyncContextManager[Sql]:
        return sqlite_at(self.folder / "sql.db") if self.database is None else postgres_at(self.database)

    def index(self) -> AbstractAsyncContextManager[VectorIndex]:
        if self.database is None:
            config = SqliteVecConfig(db_path=str(self.folder / "vectors.db"))
            return open_sqlite_vec(config, instance=self.provider)
        return open_pgvector(pgvector_config(self.database), instance=self.provider)


@dataclass
class Opened:
    provider: str
    stores: VectorStoresService
    files: KeptFiles
    model: WordModel
    index: VectorIndex
    sql: Sql

    async def store(self, ctx: Context = ME, **said: Any) -> str:
        return (await self.stores.create_vector_store(ask.CreateVectorStoreRequest.model_validate(said), ctx)).id

    async def upload(self, content: bytes, name: str = "a.txt", ctx: Context = ME) -> str:
        with self.files.spool.open() as file:
            file.write(content)
            upload = Upload(file=file, size=len(content), filename=name, content_type="text/plain")
            request = CreateFileRequest.model_validate({"file": upload, "purpose": "assistants"})
            return (await self.files.create_file(request, ctx)).id

    async def attach(self, store: str, file: str, ctx: Context = ME, **said: Any) -> VectorStoreFileObject:
        request = ask.CreateVectorStoreFileRequest.model_validate({"vector_store_id": store, "file_id": file, **said})
        return await self.stores.create_vector_store_file(request, ctx)

    async def file(self, store: str, file: str, ctx: Context = ME) -> VectorStoreFileObject:
        return await self.stores.retrieve_vector_store_file(
            ask.RetrieveVectorStoreFileRequest(vector_store_id=store, file_id=file), ctx
        )

    async def taken_in(self, store: str, content: bytes, name: str = "a.txt", ctx: Context = ME, **said: Any) -> str:
        """The id of a file that was uploaded, attached, and is done with."""
        file = await self.upload(content, name, ctx)
        await self.attach(store, file, ctx, **said)
        await self.settled(store, file, ctx)
        return file

    async def settled(self, store: str, file: str, ctx: Context = ME) -> VectorStoreFileObject:
        async with asyncio.timeout(20):
            while (told := await self.file(store, file, ctx)).status == "in_progress":
                await asyncio.sleep(0.02)
        return told

    async def found(self, store: str, query: str, ctx: Context = ME, **said: Any) -> list[str]:
        """The texts that a search finds."""
        request = ask.SearchVectorStoreRequest.model_validate({"vector_store_id": store, "query": query, **said})
        page = await self.stores.search_vector_store(request, ctx)
        return [each.content[0].text for each in page.data]


@asynccontextmanager
async def opened(
    place: Place | Path,
    model: WordModel | None = None,
    *,
    models: OneModel | None = None,
    wrap: Callable[[VectorIndex], VectorIndex] = lambda index: index,
    **config: Any,
) -> AsyncIterator[Opened]:
    """wrap: what stands before the index."""
    model = model or WordModel()
    at = Place(place) if isinstance(place, Path) else place
    settings = VectorStoresConfig(**{"lease_seconds": 1.0, "poll_seconds": 0.1, **config})
    async with (
        at.sql() as store,
        open_localfs(LocalFsConfig(storage_dir=str(at.folder / "files")), metadata_store=store) as files,
        at.index() as index,
        open_vector_stores(
            settings,
            store=store,
            indexes={at.provider: wrap(index)},
            inference=model,  # type: ignore[arg-type]  # nothing else of it is asked for
            models=models or OneModel(),  # type: ignore[arg-type]
            files=files,
        ) as stores,
    ):
        yield Opened(at.provider, stores, files, model, index, store)


async def gone(it: Opened, table: Any, what: Any) -> None:
    """Waits until nothing of a table is left."""
    async with asyncio.timeout(10):
        while True:
            async with it.sql.reading() as connection:
                if (await connection.execute(select(table).where(what))).first() is None:
                    return
            await asyncio.sleep(0.05)
