"""A run config of Llama Stack, imported, built and served: the providers that it switches on are there."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from collections.abc import Collection
from pathlib import Path

import pytest
from real_servers import Postgres
from run_configs import gated, run_config, wirings
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, ROOT, clean_environ, free_port, running, stackgen

pytestmark = pytest.mark.slow

STARTER = next(each for each in wirings() if each.title == "starter-V2-run")
VARIABLES = {
    "VLLM_URL": "http://127.0.0.1:9/v1",
    "OLLAMA_URL": "http://127.0.0.1:9",
    "NVIDIA_API_KEY": "nv-not-a-secret",
    "CEREBRAS_API_KEY": "cs-not-a-secret",
}
"""What switches some of its providers on; the services are not there."""

MORE = {
    "TGI_URL": "http://127.0.0.1:9",
    "VERTEX_AI_PROJECT": "not-a-project",
    "AZURE_API_KEY": "az-not-a-secret",
    "AZURE_API_BASE": "http://127.0.0.1:9",
    "MILVUS_URL": "milvus",
    "CHROMADB_URL": "http://127.0.0.1:9",
    "QDRANT_URL": "http://127.0.0.1:9",
    "WEAVIATE_CLUSTER_URL": "127.0.0.1:9",
}
"""What switches on all the others."""


def switched_on(variables: Collection[str]) -> set[str]:
    """API and id of all that the run config has where these are set."""
    found: set[str] = set()
    for api, entries in STARTER.providers.items():
        for entry in entries:
            identity = gated(entry.rpartition("→")[0]) or entry.rpartition("::")[2]
            gate = re.fullmatch(r"\$\{env\.(\w+):\+(.*)}", identity)
            if gate is None or gate[1] in variables:
                found.add(f"{api}/{identity if gate is None else gate[2]}")
    return found


def listed(url: str) -> set[str]:
    with urllib.request.urlopen(url + "/v1/providers", timeout=10) as answer:
        return {f"{each['api']}/{each['provider_id']}" for each in json.load(answer)["data"]}


def test_the_starter_is_served(tmp_path: Path, postgres: Postgres) -> None:
    (tmp_path / "run.yaml").write_text(run_config(STARTER))
    done = stackgen("import", "run.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    notices = json.loads(done.stdout)["notices"]
    assert [each for each in notices if each["code"] in ("SG811", "SG812")] == []
    done = stackgen("build", "starter", "--specs", ".", "--out", "starter", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    built = Built(
        "starter", tmp_path / "starter", environment_for(tmp_path / "starter", CACHE / "envs", lambda _: None)
    )
    with built.serve(VARIABLES) as server:
        assert listed(server.url) == switched_on(VARIABLES)
        with urllib.request.urlopen(server.url + "/v1/inspect/routes", timeout=10) as answer:
            routes = {each["route"] for each in json.load(answer)["data"]}
    # What was a part of `agents` is there beside it; and stores are kept where they were, so that what Llama Stack
    # always serves is there.
    always = ("conversations", "chat/completions/{completion_id}", "files", "batches", "responses")
    assert {f"/v1/{each}" for each in always} <= routes
    # A database has to be there when a server starts.
    database = postgres.database()
    vectors = {"DB": database.name, "HOST": database.host, "PORT": str(database.port)}
    vectors |= {"USER": database.user, "PASSWORD": database.password}
    all_of_them = VARIABLES | MORE | {f"PGVECTOR_{name}": value for name, value in vectors.items()}
    with built.serve(all_of_them) as server:
        assert listed(server.url) == switched_on(all_of_them)
    assert len(switched_on(all_of_them)) == sum(len(entries) for entries in STARTER.providers.values())


def test_run_takes_a_run_config(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(run_config(STARTER))
    port = free_port()
    program = "import sys; from stackgen.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "run", "./run.yaml", "--port", str(port)]
    environ = {**os.environ, **clean_environ(VARIABLES), "PYTHONPATH": str(ROOT / "generator")}
    with running(command, port=port, ready="/v1/health", environ=environ, log=tmp_path / "log") as server:
        assert {"inference/openai", "inference/vllm"} <= listed(server.url)
        assert server.stop() == 0
    said = server.log.read_text()
    assert ": notice SG814: telemetry is left out" in said
    assert "stackgen run: starting starter" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [".stackgen", "log", "run.yaml"]
