"""Vector stores of a built server, through the OpenAI SDK and with a real model; its two workers are killed."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from encoder_folders import minilm
from openai import BadRequestError, ConflictError, NotFoundError, OpenAI
from real_servers import Postgres
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, Running, stackgen
from .test_batches import kill_all

pytestmark = pytest.mark.slow

SPEC = """\
name: vectors
summary: Vector stores, embeddings inside the server.
apis: [inference, models, files, vector_io, vector_stores, inspect, providers]
providers:
  inference:
    - {id: embeddings, type: inline::onnx-embeddings, config: {model: "${env.EMBEDDING_MODEL}"}}
  files:
    - {id: localfs, type: inline::localfs, config: {storage_dir: "${env.FOLDER}/files"}}
  vector_stores:
    - {id: builtin, type: inline::builtin, config: {lease_seconds: 1, poll_seconds: 0.1}}
  vector_io:
    - %s
storage:
  backends:
    sql_default: %s
server: {workers: 2}
"""
IN_FILES = (
    '{id: sqlite-vec, type: inline::sqlite-vec, config: {db_path: "${env.FOLDER}/vectors.db"}}',
    '{type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}',
)
DATABASE = ", ".join(f'{key}: "${{env.DB_{key.upper()}}}"' for key in ("host", "port", "db", "user", "password"))
IN_POSTGRES = (
    f"{{id: pgvector, type: remote::pgvector, config: {{{DATABASE}}}}}",
    f"{{type: remote::sql-postgres, config: {{{DATABASE}}}}}",
)
TEXTS = {
    "cats.md": "# Cats\n\nCats sleep most of the day and hunt mice at night.",
    "space.txt": "Saturn has rings made of ice and rock. Jupiter is the largest planet.",
    "pasta.html": "<html><style>p {}</style><h1>Pasta</h1><p>Boil water and cook the noodles in it.</p></html>",
    "money.json": '{"title": "Interest rates", "text": "The central bank raised its rates to slow inflation."}',
}
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 10}}


@dataclass(frozen=True)
class Place:
    """A built server, and where what it keeps is. environ: its variables. kept: what a query says of it. vectors: the
    ids of those in the index.
    """

    built: Built
    environ: Mapping[str, str]
    kept: Callable[[str], list[str]]
    vectors: Callable[[], list[str]]


@pytest.fixture(scope="module", params=[IN_FILES, IN_POSTGRES], ids=["files", "postgres"])
def vectors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("vectors")
    (home / "specs" / "distributions").mkdir(parents=True)
    (home / "specs" / "distributions" / "vectors.yaml").write_text(SPEC % request.param)
    folder = home / "vectors"
    done = stackgen("build", "vectors", "--specs", home / "specs", "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("vectors", folder, environment_for(folder, CACHE / "envs", lambda _: None))


@pytest.fixture
def place(vectors: Built, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    environ = {"FOLDER": str(tmp_path), "EMBEDDING_MODEL": str(minilm())}
    if "remote::pgvector" not in (vectors.folder / "MANIFEST.json").read_text():
        return Place(
            vectors,
            environ,
            lambda query: in_file(tmp_path / "sql.db", query),
            lambda: in_file(tmp_path / "vectors.db", "SELECT id FROM entries"),
        )
    postgres: Postgres = request.getfixturevalue("postgres")
    database = postgres.database()
    there = {"host": database.host, "port": str(database.port), "db": database.name}
    there |= {"user": database.user, "password": database.password}

    def asked(query: str) -> list[str]:
        said = ("--dbname", database.name, "--tuples-only", "--no-align", "--command", query)
        return postgres.run("psql", *said).split()

    def entries() -> list[str]:
        (number,) = asked("SELECT number FROM stackgen_vectors")
        return asked(f"SELECT id FROM stackgen_vectors_{number}")

    environ |= {f"DB_{key.upper()}": value for key, value in there.items()}
    return Place(vectors, environ, asked, entries)


def client_of(server: Running) -> OpenAI:
    return OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=60)


def found(client: OpenAI, store: str, query: str, **more: object) -> list[str]:
    page = client.vector_stores.search(store, query=query, extra_body=more)
    assert all(0 <= each.score <= 1 for each in page.data)
    assert [each.score for each in page.data] == sorted((each.score for each in page.data), reverse=True)
    return [each.filename for each in page.data]


def test_files_are_found_by_what_they_mean(place: Place) -> None:
    with place.built.serve(place.environ) as server, client_of(server) as client:
        store = client.vector_stores.create(name="facts", metadata={"for": "tests"})
        assert (store.object, store.status, store.name, store.metadata) == (
            "vector_store",
            "completed",
            "facts",
            {"for": "tests"},
        )
        files = {
            name: client.vector_stores.files.upload_and_poll(
                vector_store_id=store.id, file=(name, text.encode()), attributes={"words": len(text.split())}
            )
            for name, text in TEXTS.items()
        }
        assert {each.status for each in files.values()} == {"completed"}
        for query, wanted in (
            ("Which world is the biggest around the sun?", "space.txt"),
            ("What do kittens like to do?", "cats.md"),
            ("a recipe for spaghetti", "pasta.html"),
            ("monetary policy", "money.json"),
        ):
            assert found(client, store.id, query)[0] == wanted
        assert found(client, store.id, "Jupiter rings", search_mode="keyword") == ["space.txt"]
        assert found(client, store.id, "planet Jupiter", search_mode="hybrid")[0] == "space.txt"
        assert found(client, store.id, "unheard", search_mode="keyword") == []
        assert found(client, store.id, "animals", ranking_options={"score_threshold": 0.9}) == []
        few = {"type": "lte", "key": "words", "value": 12}
        short = {name for name, text in TEXTS.items() if len(text.split()) <= 12}
        assert set(found(client, store.id, "space", filters=few)) == short != set(TEXTS)
        content = list(client.vector_stores.files.content(files["pasta.html"].id, vector_store_id=store.id))
        assert [each.text for each in content] == ["Pasta\nBoil water and cook the noodles in it."]
        broken = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.docx", b"PK\x03\x04..."))
        assert broken.status == "failed"
        assert broken.last_error is not None
        assert (broken.last_error.code, "ZIP" in broken.last_error.message) == ("unsupported_file", True)
        client.vector_stores.files.delete(files["cats.md"].id, vector_store_id=store.id)
        assert "cats.md" not in found(client, store.id, "What do kittens like to do?")
        with pytest.raises(NotFoundError):
            client.vector_stores.files.retrieve(files["cats.md"].id, vector_store_id=store.id)
        with pytest.raises(NotFoundError):
            client.vector_stores.search("vs_1", query="a")
        with pytest.raises(BadRequestError):
            client.vector_stores.search(store.id, query="a", filters={"type": "in", "key": "words", "value": 1})
        batch = client.vector_stores.file_batches.upload_and_poll(
            store.id, files=[(f"{number}.txt", f"train number {number}".encode()) for number in range(5)]
        )
        assert (batch.status, batch.file_counts.completed) == ("completed", 5)
        seen = [each.id for each in client.vector_stores.files.list(store.id, limit=2)]
        assert len(seen) == len(set(seen)) == 9
        url = f"{server.url}/v1/vector-io"
        chunk = {"content": "The Rhine flows into the North Sea.", "metadata": {"document_id": "rivers"}}
        inserted = httpx.post(f"{url}/insert", json={"vector_store_id": store.id, "chunks": [chunk]}, timeout=30)
        assert inserted.status_code == 204
        asked = {"vector_db_id": store.id, "query": "Which river is it?", "params": {"max_chunks": 1}}
        answer = httpx.post(f"{url}/query", json=asked, timeout=30).json()
        assert [each["content"] for each in answer["chunks"]] == [chunk["content"]]
        assert len(answer["scores"]) == 1
        client.vector_stores.delete(store.id)
        with pytest.raises(NotFoundError):
            client.vector_stores.search(store.id, query="a")


def test_a_server_that_is_killed_goes_on_taking_files_in(place: Place) -> None:
    words = [f"word{number} is about number {number} of many. " for number in range(1500)]
    with place.built.serve(place.environ) as server, client_of(server) as client:
        store = client.vector_stores.create(chunking_strategy=SMALL)  # type: ignore[arg-type]
        ids = [
            client.files.create(file=(f"{n}.txt", "".join(words).encode()), purpose="assistants").id for n in range(3)
        ]
        for id in ids:
            client.vector_stores.files.create(store.id, file_id=id)
        # Some of its chunks are kept, and nobody sees them.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            files = [client.vector_stores.files.retrieve(id, vector_store_id=store.id) for id in ids]
            if any(each.status == "in_progress" and each.usage_bytes for each in files):
                break
        half = [each for each in files if each.status == "in_progress"]
        assert half
        done = {each.id for each in files if each.status == "completed"}
        page = client.vector_stores.search(store.id, query="number 3", max_num_results=50)
        assert {each.file_id for each in page.data} <= done
        with pytest.raises(ConflictError):
            client.vector_stores.files.content(half[0].id, vector_store_id=store.id)
        (kept,) = place.kept("SELECT count(*) FROM stackgen_vector_chunks")
        kill_all(server.process)
    assert int(kept)
    with place.built.serve(place.environ) as server, client_of(server) as client:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and client.vector_stores.retrieve(store.id).status == "in_progress":
            time.sleep(0.1)
        counts = client.vector_stores.retrieve(store.id).file_counts
        assert (counts.completed, counts.total) == (3, 3)
        texts = {
            id: [each.text for each in client.vector_stores.files.content(id, vector_store_id=store.id)] for id in ids
        }
        assert texts[ids[0]] == texts[ids[1]] == texts[ids[2]]
        whole = " ".join(texts[ids[0]])
        assert all(f"word{number} " in whole for number in range(1500))
        page = client.vector_stores.search(
            store.id, query="word77 is about number 77", extra_body={"search_mode": "keyword"}
        )
        assert Counter(each.file_id for each in page.data if "word77 " in each.content[0].text).keys() == set(ids)
    # Each chunk has its vector, once.
    chunks = place.kept("SELECT id FROM stackgen_vector_chunks")
    assert sorted(place.vectors()) == sorted(chunks)
    assert len(chunks) == sum(map(len, texts.values()))


def in_file(path: Path, query: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [str(row[0]) for row in connection.execute(query)]
