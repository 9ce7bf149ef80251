"""What documents say, looked up by Llama Stack's client in a built server with a real model of embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from encoder_folders import minilm
from llama_stack_client import BadRequestError, LlamaStackClient
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, stackgen

pytestmark = pytest.mark.slow

SPEC = """\
name: knowledge
summary: Documents in vector stores over SQLite, embeddings inside the server.
apis: [inference, models, files, vector_io, vector_stores, tool_runtime, tool_groups, inspect, providers]
providers:
  inference:
    - {id: embeddings, type: inline::onnx-embeddings, config: {model: "${env.EMBEDDING_MODEL}"}}
  files:
    - {id: localfs, type: inline::localfs, config: {storage_dir: "${env.FOLDER}/files"}}
  vector_io:
    - {id: sqlite-vec, type: inline::sqlite-vec, config: {db_path: "${env.FOLDER}/vectors.db"}}
  tool_runtime:
    - {id: rag-runtime, type: inline::rag-runtime}
resources:
  tool_groups:
    - {toolgroup_id: "builtin::rag", provider_id: rag-runtime}
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}
"""
TEXTS = {
    "cats.md": "Cats sleep most of the day and hunt mice at night.",
    "space.txt": "Saturn has rings made of ice and rock. Jupiter is the largest planet.",
    "pasta.txt": "Boil water and cook the noodles in it.",
    "money.txt": "The central bank raised its rates to slow inflation.",
}


def test_llama_stacks_client_puts_documents_in_and_looks_things_up(tmp_path: Path) -> None:
    (tmp_path / "specs/distributions").mkdir(parents=True)
    (tmp_path / "specs/distributions/knowledge.yaml").write_text(SPEC)
    done = stackgen("build", "knowledge", "--specs", "specs", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    built = Built("knowledge", tmp_path / "out", environment_for(tmp_path / "out", CACHE / "envs", lambda _: None))
    documents = [
        {"document_id": name, "content": text, "mime_type": "text/plain", "metadata": {"name": name}}
        for name, text in TEXTS.items()
    ]
    environ = {"FOLDER": str(tmp_path), "EMBEDDING_MODEL": str(minilm())}
    with built.serve(environ) as server, LlamaStackClient(base_url=server.url, max_retries=0) as client:
        assert [each.identifier for each in client.tools.list(toolgroup_id="builtin::rag")] == ["knowledge_search"]
        store = str(client.post("/v1/vector_stores", body={"name": "facts"}, cast_to=object)["id"])  # type: ignore[index]
        client.tool_runtime.rag_tool.insert(documents=documents, vector_db_id=store, chunk_size_in_tokens=100)  # type: ignore[arg-type]

        config = {
            "query_generator_config": {"type": "default", "separator": " "},
            "max_chunks": 1,
            "max_tokens_in_context": 1000,
            "chunk_template": "{index}. {chunk.content} {metadata}",
        }
        found = client.tool_runtime.rag_tool.query(
            content="Which world is the biggest around the sun?",
            vector_db_ids=[store],
            query_config=config,  # type: ignore[arg-type]
        )
        assert found.metadata["document_ids"] == ["space.txt"]
        assert "1. Saturn has rings" in json.dumps([each.to_dict() for each in found.content])  # type: ignore[union-attr]

        asked = {"query": "monetary policy", "vector_db_ids": [store]}
        answer = client.tool_runtime.invoke_tool(tool_name="knowledge_search", kwargs=asked)
        texts = [each.text for each in answer.content]  # type: ignore[union-attr]
        assert texts[0].startswith("knowledge_search tool found 4 chunks")
        assert "central bank" in texts[1]
        with pytest.raises(BadRequestError, match="vector_store_ids"):
            client.tool_runtime.invoke_tool(tool_name="builtin::rag/knowledge_search", kwargs={"query": "x"})
