"""A built server that judges, by a guard model behind its inference, for OpenAI's and Llama Stack's clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import openai
import pytest
from guards import completion, guard_model
from llama_stack_client import LlamaStackClient, NotFoundError
from openai import OpenAI
from stackgen.environment import environment_for
from upstreams import answers, refuses

from .conftest import Built
from .fronts import Service
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

SPEC = """\
name: judging
summary: Llama Guard behind a service, and the code scanner.
apis: [inference, models, safety, shields, inspect, providers]
providers:
  inference:
    - id: service
      type: remote::openai
      config: {base_url: "${env.SERVICE_URL}", api_key: sk-not-a-secret, network: {backoff: 0.01}}
  safety:
    - {id: llama-guard, type: inline::llama-guard}
    - {id: code-scanner, type: inline::code-scanner}
resources:
  shields:
    - shield_id: llama-guard
      provider_id: ${env.SAFETY_MODEL:+llama-guard}
      provider_shield_id: ${env.SAFETY_MODEL:=}
    - {shield_id: code-scanner, provider_id: code-scanner}
storage:
  backends:
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.STORE}"}}
"""
GUARD = "service/gpt-test"

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("judging")
    (folder / "specs/distributions").mkdir(parents=True)
    (folder / "specs/distributions/judging.yaml").write_text(SPEC)
    done = stackgen("build", "judging", "--specs", "specs", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built("judging", folder / "out", environment_for(folder / "out", CACHE / "envs", lambda _: None))


@pytest.fixture
def serve(judging: Built, service: Service, tmp_path: Path) -> Serve:
    """Starts the server, over one store for all of a test."""
    service.plays(guard_model)
    environ = {"SERVICE_URL": service.url, "STORE": str(tmp_path / "kv.db"), "SAFETY_MODEL": GUARD}
    return lambda *arguments, **more: judging.serve({**environ, **more}, *arguments)


@pytest.fixture
def server(serve: Serve) -> Iterator[Running]:
    with serve() as running:
        yield running


def moderate(server: Running, **said: object) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/moderations", json=said, timeout=20)


def test_openais_client_moderates(server: Running) -> None:
    with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        for model in ("llama-guard", GUARD):
            answer = client.moderations.create(model=model, input=["a cake", "a bomb"])
            assert answer.model == model
            assert [each.flagged for each in answer.results] == [False, True]
            bomb = answer.results[1]
            assert (bomb.categories.illicit_violent, bomb.category_scores.illicit_violent) == (True, 1.0)
            assert bomb.category_applied_input_types.illicit_violent == ["text"]
            assert bomb.categories.harassment is False
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
        parts = client.moderations.create(model="llama-guard", input=[{"type": "text", "text": "a bomb"}, image])
        assert [each.flagged for each in parts.results] == [True]
        seen = parts.results[0].category_applied_input_types
        assert (seen.illicit_violent, seen.violence) == (["text"], ["text", "image"])
        with pytest.raises(openai.BadRequestError, match="model is missing"):
            client.moderations.create(input="a cake")
        with pytest.raises(openai.NotFoundError, match="llama-gaurd"):
            client.moderations.create(model="llama-gaurd", input="a cake")
    old = httpx.post(
        f"{server.url}/v1/openai/v1/moderations", json={"model": "llama-guard", "input": "a bomb"}, timeout=20
    )
    assert old.json()["results"][0]["flagged"] is True


def test_llama_stacks_client_runs_and_registers_shields(serve: Serve) -> None:
    with serve() as server, LlamaStackClient(base_url=server.url, max_retries=0) as client:
        assert [each.identifier for each in client.shields.list()] == ["llama-guard", "code-scanner"]
        bomb = client.safety.run_shield(
            shield_id="llama-guard", messages=[{"role": "user", "content": "a bomb"}], params={}
        ).violation
        assert bomb is not None
        assert (bomb.violation_level, bomb.metadata) == ("error", {"violation_type": "S9"})
        talk = [
            {"role": "user", "content": {"type": "text", "text": "a bomb"}},
            {"role": "assistant", "content": "No.", "stop_reason": "end_of_turn"},
        ]
        assert client.safety.run_shield(shield_id="llama-guard", messages=talk, params={}).violation is None
        code = [{"role": "assistant", "content": "os.system(x)", "stop_reason": "end_of_turn"}]
        found = client.safety.run_shield(shield_id="code-scanner", messages=code, params={}).violation
        assert found is not None
        assert found.metadata["violation_type"] == "shell-from-python"
        made = client.shields.register(shield_id="mine", provider_id="llama-guard", provider_shield_id=GUARD)
        assert (made.identifier, made.provider_resource_id) == ("mine", GUARD)
        with pytest.raises(NotFoundError):
            client.safety.run_shield(shield_id="nobody", messages=talk, params={})
    with serve("--workers", "2") as server, LlamaStackClient(base_url=server.url, max_retries=0) as client:
        for _ in range(6):
            assert client.shields.retrieve("mine").provider_id == "llama-guard"
            said = [{"role": "user", "content": "a bomb"}]
            assert client.safety.run_shield(shield_id="mine", messages=said, params={}).violation is not None
        assert httpx.delete(f"{server.url}/v1/shields/mine", timeout=20).status_code == 204
        assert httpx.delete(f"{server.url}/v1/shields/code-scanner", timeout=20).status_code == 409


@pytest.mark.parametrize("script", [refuses(500), refuses(401), answers(completion("Sure!")), answers({"choices": []})])
def test_nothing_passes_where_the_guard_does_not_answer(server: Running, service: Service, script: object) -> None:
    service.plays(script)  # type: ignore[arg-type]
    body = {"shield_id": "llama-guard", "messages": [{"role": "user", "content": "a cake"}]}
    for answer in (
        httpx.post(f"{server.url}/v1/safety/run-shield", json=body, timeout=20),
        moderate(server, model="llama-guard", input="a cake"),
    ):
        assert answer.status_code >= 400
        assert "violation" not in answer.json()
        assert "results" not in answer.json()
        assert "sk-not-a-secret" not in answer.text


def test_bad_input_is_told(server: Running) -> None:
    for said, status in (
        ({"model": "llama-guard"}, 400),
        ({"model": "llama-guard", "input": []}, 400),
        ({"model": "llama-guard", "input": [{"type": "audio", "audio": {}}]}, 400),
        ({"model": "llama-guard", "input": "x" * 1_500_000}, 400),
        ({"model": "code-scanner", "input": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}, 400),
        ({"model": "nobody", "input": "x"}, 404),
        ({"model": "", "input": "x"}, 400),
    ):
        answer = moderate(server, **said)
        assert answer.status_code == status, (str(said)[:100], answer.text[:300])
        assert answer.json()["error"]["message"]
    shield = {"shield_id": "llama-guard", "messages": [{"role": "user", "content": [{"type": "video", "video": 1}]}]}
    assert httpx.post(f"{server.url}/v1/safety/run-shield", json=shield, timeout=20).status_code == 400


def test_a_guard_model_that_is_not_served_is_no_fault_of_the_client(serve: Serve) -> None:
    with serve(SAFETY_MODEL="service/nobody") as server:
        answer = moderate(server, model="llama-guard", input="a cake")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "guard_unavailable")


def test_without_its_variable_there_is_no_shield(serve: Serve) -> None:
    with serve(SAFETY_MODEL="") as server:
        listed = httpx.get(f"{server.url}/v1/shields", timeout=20).json()["data"]
        assert [each["identifier"] for each in listed] == ["code-scanner"]
        assert moderate(server, model="llama-guard", input="x").status_code == 404
        types = {each["provider_type"] for each in httpx.get(f"{server.url}/v1/providers", timeout=20).json()["data"]}
        assert {"inline::llama-guard", "inline::code-scanner"} <= types


def test_a_server_without_safety_has_no_trace_of_it(tmp_path: Path) -> None:
    done = stackgen("build", "gateway", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out").rglob("*"):
        assert "shield" not in path.name
        assert "safety" not in path.name
    served = json.loads((tmp_path / "out/src/gateway_stack/openapi.json").read_text())["paths"]
    assert not [path for path in served if "moderation" in path or "shield" in path]
