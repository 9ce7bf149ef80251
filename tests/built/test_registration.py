"""Models that clients register with a built server: used by all workers, and kept whatever comes."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import openai
import pytest
from llama_stack_client import LlamaStackClient, NotFoundError
from openai import OpenAI
from stackgen.environment import environment_for
from upstreams import answers

from .conftest import Built
from .fronts import TALK, Service, answer_of, becomes_true
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

SPEC = """\
name: registering
summary: Models that clients register, kept in a SQLite file.
apis: [inference, models, inspect, providers]
providers:
  inference:
    - {id: service, type: remote::openai, config: {base_url: "${env.SERVICE_URL}", api_key: sk-not-a-secret}}
resources:
  models:
    - {model_id: "${env.DECLARED:=}", provider_id: service, provider_model_id: gpt-test}
storage:
  backends:
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.STORE}"}}
"""
HOSTILE = (
    "'; DROP TABLE stackgen_kv; --",
    'x" OR "1"="1',
    "{{7*7}}",
    "${env.HOME}",
    "a/b c?d=e#f%2Fg",
    "%s%n%00",
    "模型/😀",
    "<script>alert(1)</script>",
)

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="module")
def registering(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("registering")
    (folder / "specs/distributions").mkdir(parents=True)
    (folder / "specs/distributions/registering.yaml").write_text(SPEC)
    done = stackgen("build", "registering", "--specs", "specs", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built("registering", folder / "out", environment_for(folder / "out", CACHE / "envs", lambda _: None))


@pytest.fixture
def serve(registering: Built, service: Service, tmp_path: Path) -> Serve:
    """Starts the server, over one store for all of a test."""
    service.plays(answers(answer_of("hello")))
    store = {"SERVICE_URL": service.url, "STORE": str(tmp_path / "kv.db")}
    return lambda *arguments, **environ: registering.serve({**store, **environ}, *arguments)


@pytest.fixture
def two_workers(serve: Serve) -> Iterator[Running]:
    with serve("--workers", "2") as server:
        yield server


def register(server: Running, model: str, **said: object) -> httpx.Response:
    body = {"model_id": model, "provider_id": "service", "provider_model_id": "gpt-test", **said}
    return httpx.post(f"{server.url}/v1/models", json=body, timeout=20)


def statuses(server: Running, model: str, count: int = 12) -> set[int]:
    """Of as many requests for a model, each on a connection of its own, so that every worker gets some."""
    url = f"{server.url}/v1/models/{quote(model, safe='/')}"
    return {httpx.get(url, timeout=20).status_code for _ in range(count)}


def listed(server: Running) -> list[str]:
    return [model["id"] for model in httpx.get(f"{server.url}/v1/models", timeout=20).json()["data"]]


def test_llama_stacks_client_registers_what_openais_uses_on_every_worker(two_workers: Running) -> None:
    with LlamaStackClient(base_url=two_workers.url, max_retries=0) as client:
        made = client.models.register(
            model_id="fast", provider_id="service", provider_model_id="gpt-test", metadata={"colour": "red", "n": 1}
        )
        assert (made.identifier, made.provider_id, made.provider_resource_id) == ("fast", "service", "gpt-test")
        assert (made.api_model_type, made.metadata) == ("llm", {"colour": "red", "n": 1})
        assert becomes_true(lambda: statuses(two_workers, "fast") == {200})
        assert client.models.retrieve("fast").identifier == "fast"
        assert {"fast", "service/gpt-test"} <= {model.to_dict()["id"] for model in client.models.list()}
        for _ in range(6):
            with OpenAI(base_url=f"{two_workers.url}/v1", api_key="none", max_retries=0) as user:
                answer = user.chat.completions.create(model="fast", messages=TALK)
                assert answer.choices[0].message.content == "hello"
                assert user.models.retrieve("fast").id == "fast"

        client.models.unregister("fast")
        assert becomes_true(lambda: statuses(two_workers, "fast") == {404})
        with pytest.raises(NotFoundError):
            client.models.retrieve("fast")
        with (
            OpenAI(base_url=f"{two_workers.url}/v1", api_key="none", max_retries=0) as user,
            pytest.raises(openai.NotFoundError),
        ):
            user.chat.completions.create(model="fast", messages=TALK)


def test_openais_client_deletes_what_is_registered(two_workers: Running) -> None:
    assert register(two_workers, "team/fast").status_code == 200
    with OpenAI(base_url=f"{two_workers.url}/v1", api_key="none", max_retries=0) as user:
        gone = user.models.delete("team/fast")
        assert (gone.id, gone.object, gone.deleted) == ("team/fast", "model", True)
        with pytest.raises(openai.NotFoundError):
            user.models.delete("team/fast")


def test_of_two_workers_one_registers_an_id(two_workers: Running) -> None:
    with ExitStack() as stack:
        found: list[int] = []
        clients = [stack.enter_context(httpx.Client(timeout=20)) for _ in range(8)]
        for number, client in enumerate(clients):
            body = {"model_id": "one", "provider_id": "service", "provider_model_id": "gpt-test"}
            answer = client.post(f"{two_workers.url}/v1/models", json={**body, "metadata": {"n": number}})
            found.append(answer.status_code)
    assert sorted(found) == [200] + [409] * 7
    assert register(two_workers, "one", metadata={"n": 0}).status_code == 200


def test_what_was_answered_200_is_there_after_a_kill(serve: Serve) -> None:
    for number in range(3):
        with serve() as server:
            assert set(listed(server)) == {"service/gpt-test", *(f"kept-{each}" for each in range(number))}
            assert register(server, f"kept-{number}").status_code == 200
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(10)


def test_a_restart_with_another_distribution_has_its_models_and_the_registered_ones(serve: Serve) -> None:
    with serve(DECLARED="fast") as server:
        assert register(server, "mine").status_code == 200
        assert register(server, "next").status_code == 200
        refused = register(server, "fast")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "model_declared")
        assert set(listed(server)) == {"service/gpt-test", "fast", "mine", "next"}
    with serve(DECLARED="next") as server:
        assert set(listed(server)) == {"service/gpt-test", "mine", "next"}
        assert httpx.delete(f"{server.url}/v1/models/next").status_code == 409
        assert "as the distribution declares them: models 'next'" in server.log.read_text()
    with serve() as server:
        assert set(listed(server)) == {"service/gpt-test", "mine", "next"}
        assert httpx.delete(f"{server.url}/v1/models/next").status_code == 200


def test_while_the_store_is_gone_models_are_served_and_none_registered(serve: Serve, tmp_path: Path) -> None:
    with serve() as server:
        assert register(server, "fast").status_code == 200
        for file in tmp_path.glob("kv.db*"):
            file.rename(tmp_path / f"away-{file.name}")
        refused = register(server, "other")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_unavailable")
        assert str(tmp_path) not in refused.text
        assert statuses(server, "fast") == {200}
        assert "fast" in listed(server)


def test_an_id_is_text_and_nothing_else(serve: Serve) -> None:
    with serve() as server, OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as user:
        assert register(server, "kept").status_code == 200
        for model in HOSTILE:
            made = register(server, model, metadata={model: model})
            assert (made.status_code, made.json().get("id")) == (200, model)
            assert made.json()["metadata"] == {model: model}
            assert sorted(listed(server)) == sorted(["service/gpt-test", "kept", model])
            assert statuses(server, model, 1) == {200}
            assert user.chat.completions.create(model=model, messages=TALK).choices[0].message.content == "hello"
            gone = httpx.delete(f"{server.url}/v1/models/{quote(model, safe='/')}")
            assert (gone.status_code, gone.json()) == (200, {"id": model, "object": "model", "deleted": True})
        assert sorted(listed(server)) == sorted(["service/gpt-test", "kept"])


def test_what_is_wrong_is_said(serve: Serve) -> None:
    wrong = [
        (b"{}", "model_id"),
        (b'{"model_id": ""}', "model_id"),
        (b'{"model_id": 7}', "model_id"),
        (b'{"model_id": "a\\u0000b"}', "model_id"),
        (json.dumps({"model_id": "x" * 513}).encode(), "model_id"),
        (b'{"model_id": "x", "provider_id": "servise"}', "provider_id"),
        (b'{"model_id": "x", "provider_model_id": "gpt-tset"}', "provider_model_id"),
        (b'{"model_id": "x", "provider_model_id": "gpt-test", "model_type": "oracle"}', "model_type"),
        (b'{"model_id": "x", "provider_model_id": "gpt-test", "metadata": [1]}', "metadata"),
    ]
    with serve() as server:
        for body, param in wrong:
            answer = httpx.post(
                f"{server.url}/v1/models", content=body, headers={"content-type": "application/json"}, timeout=20
            )
            assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert listed(server) == ["service/gpt-test"]
