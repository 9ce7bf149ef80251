"""Engines of vectors inside a built server, Qdrant's and Milvus Lite's: they are there once it is started again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from encoder_folders import minilm
from openai import OpenAI
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

SPEC = """\
name: engines
summary: Vector stores over engines inside the server.
apis: [inference, models, files, vector_io, vector_stores, inspect, providers]
providers:
  inference:
    - {id: embeddings, type: inline::onnx-embeddings, config: {model: "${env.EMBEDDING_MODEL}"}}
  files:
    - {id: localfs, type: inline::localfs, config: {storage_dir: "${env.FOLDER}/files"}}
  vector_stores:
    - {id: builtin, type: inline::builtin, config: {poll_seconds: 0.1}}
  vector_io:
    - {id: qdrant, type: inline::qdrant, config: {path: "${env.FOLDER}/qdrant"}}
    - {id: "${env.MILVUS:+milvus}", type: inline::milvus, config: {db_path: "${env.FOLDER}/milvus"}}
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}
"""
TEXTS = {
    "cats.md": "# Cats\n\nCats sleep most of the day and hunt mice at night.",
    "space.txt": "Saturn has rings made of ice and rock. Jupiter is the largest planet.",
}


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("engines")
    (home / "specs" / "distributions").mkdir(parents=True)
    (home / "specs" / "distributions" / "engines.yaml").write_text(SPEC)
    folder = home / "engines"
    done = stackgen("build", "engines", "--specs", home / "specs", "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("engines", folder, environment_for(folder, CACHE / "envs", lambda _: None))


def test_stores_of_both_are_searched_and_stay(engines: Built, tmp_path: Path) -> None:
    settings = {"EMBEDDING_MODEL": str(minilm()), "FOLDER": str(tmp_path), "MILVUS": "yes"}
    with engines.serve(settings) as server:
        stores = {each: _filled(server, each) for each in ("qdrant", "milvus")}
        for store in stores.values():
            _searches(server, store)
        assert server.stop() == 0
    with engines.serve(settings) as server:
        for store in stores.values():
            _searches(server, store)
            OpenAI(base_url=server.url + "/v1", api_key="none").vector_stores.delete(store)
        _until(lambda: not list(tmp_path.glob("qdrant/vs_*")) + list(tmp_path.glob("milvus/collections/vs_*")))


def test_what_is_switched_off_is_not_imported(engines: Built, tmp_path: Path) -> None:
    with engines.serve({"EMBEDDING_MODEL": str(minilm()), "FOLDER": str(tmp_path)}) as server:
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "qdrant_edge" in maps
        assert "pyarrow" not in maps


def _filled(server: Running, provider: str) -> str:
    """A store with both texts."""
    client = OpenAI(base_url=server.url + "/v1", api_key="none")
    store = client.vector_stores.create(name=provider, extra_body={"provider_id": provider})
    for number, (name, text) in enumerate(TEXTS.items()):
        file = client.files.create(file=(name, text.encode()), purpose="assistants")
        client.vector_stores.files.create(store.id, file_id=file.id, attributes={"number": number})
    _until(lambda: client.vector_stores.retrieve(store.id).file_counts.completed == len(TEXTS))
    return store.id


def _until(holds: Callable[[], bool]) -> None:
    """Waits for what the server does in its own time."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it has not come about"
        time.sleep(0.1)


def _searches(server: Running, store: str) -> None:
    client = OpenAI(base_url=server.url + "/v1", api_key="none")

    def found(query: str, mode: str, **more: object) -> list[str]:
        asked = client.vector_stores.search(store, query=query, extra_body={"search_mode": mode, **more})
        return [each.filename for each in asked.data]

    assert found("Which animals like to nap?", "vector")[0] == "cats.md"
    assert found("rings", "keyword") == ["space.txt"]
    assert found("planet of ice", "hybrid")[0] == "space.txt"
    where = {"type": "gt", "key": "number", "value": 0}
    assert found("Which animals like to nap?", "vector", filters=where) == ["space.txt"], json.dumps(where)
