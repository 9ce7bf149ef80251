"""A run config of Llama Stack, imported, built and served: the providers that it switches on are there."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from pathlib import Path

import pytest
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


APIS = (
    "inference",
    "files",
    "batches",
    "safety",
    "agents",
    "datasetio",
    "scoring",
    "eval",
    "post_training",
    "tool_runtime",
    "vector_io",
)
"""What stackgen has of its APIs."""


LEFT_OUT = re.compile(r"(\S+) is left out: (?:.* of (\w+)$)?")
"""The id, and the API where that has no such provider."""


def switched_on(left_out: set[tuple[str, str]]) -> set[str]:
    """API and id of what the run config has with these variables, less what importing tells of: id, and API or ""."""
    found: set[str] = set()
    for api in APIS:
        for entry in STARTER.providers[api]:
            identity = gated(entry.rpartition("→")[0]) or entry.rpartition("::")[2]
            gate = re.fullmatch(r"\$\{env\.(\w+):\+(.*)}", identity)
            name = identity if gate is None else gate[2]
            if (gate is None or gate[1] in VARIABLES) and not {(name, api), (name, "")} & left_out:
                found.add(f"{api}/{name}")
    return found


def listed(url: str) -> set[str]:
    with urllib.request.urlopen(url + "/v1/providers", timeout=10) as answer:
        return {f"{each['api']}/{each['provider_id']}" for each in json.load(answer)["data"]}


def test_the_starter_is_served(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(run_config(STARTER))
    done = stackgen("import", "run.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    notices = json.loads(done.stdout)["notices"]
    told = (LEFT_OUT.match(each["message"]) for each in notices if each["code"] == "SG812")
    left_out = {(each[1], each[2] or "") for each in told if each is not None}
    done = stackgen("build", "starter", "--specs", ".", "--out", "starter", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    built = Built(
        "starter", tmp_path / "starter", environment_for(tmp_path / "starter", CACHE / "envs", lambda _: None)
    )
    with built.serve(VARIABLES) as server:
        served = listed(server.url)
        with urllib.request.urlopen(server.url + "/v1/inspect/routes", timeout=10) as answer:
            routes = {each["route"] for each in json.load(answer)["data"]}
    # Beside them, what has values that are sections of the run config: which shield, which store, which model.
    assert served == switched_on(left_out) | {"shields/builtin", "vector_stores/builtin"}
    names = ("openai", "anthropic", "vllm", "ollama", "nvidia", "cerebras")
    assert {f"inference/{name}" for name in names} | {"files/meta-reference-files", "batches/reference"} <= served
    assert {"safety/llama-guard", "tool_runtime/model-context-protocol", "vector_io/faiss"} <= served
    assert "inference/azure" not in served
    # Its stores are kept where they were, so that what Llama Stack always serves is there.
    assert {"/v1/conversations", "/v1/chat/completions/{completion_id}", "/v1/files", "/v1/batches"} <= routes


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
