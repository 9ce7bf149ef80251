"""A built server that keeps conversations and prompts in SQLite, before OpenAI's and Llama Stack's own clients."""

from __future__ import annotations

import json
import signal
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from llama_stack_client import LlamaStackClient
from ogx_client import BadRequestError, ConflictError, NotFoundError, OgxClient
from openai import OpenAI
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

DISTRIBUTION = """\
name: keeper
summary: Inference, conversations and prompts.
apis: [inference, models, conversations, prompts, inspect, providers]
providers:
  inference:
    - {id: llama-cpp-server, type: remote::llama-cpp-server, config: {base_url: "${env.LLAMA_CPP_SERVER_URL}"}}
storage:
  backends:
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.SQLITE_STORE_DIR}/kvstore.db"}}
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.SQLITE_STORE_DIR}/sql_store.db"}}
"""
MESSAGE: Any = {"type": "message", "role": "user", "content": "hello"}
ACKNOWLEDGED = 60


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("keeper")
    (folder / "distributions").mkdir()
    (folder / "distributions/keeper.yaml").write_text(DISTRIBUTION)
    done = stackgen("build", "keeper", "--specs", ".", "--out", "keeper", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built("keeper", folder / "keeper", environment_for(folder / "keeper", CACHE / "envs", lambda _: None))


def environ(store: Path) -> dict[str, str]:
    # Nothing here asks a model.
    return {"SQLITE_STORE_DIR": str(store), "LLAMA_CPP_SERVER_URL": "http://127.0.0.1:9/v1"}


@pytest.fixture(scope="module")
def server(keeper: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with keeper.serve(environ(tmp_path_factory.mktemp("store")), "--workers", "2") as running:
        yield running


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def ogx(server: Running) -> Iterator[OgxClient]:
    with OgxClient(base_url=server.url, max_retries=0) as client:
        yield client


# ── conversations ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_lives(client: OpenAI) -> None:
    made = client.conversations.create(metadata={"topic": "tea"}, items=[{"role": "user", "content": "hello"}])
    assert client.conversations.retrieve(made.id) == made
    assert client.conversations.update(made.id, metadata={"topic": "coffee"}).metadata == {"topic": "coffee"}
    gone = client.conversations.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "conversation.deleted")
    with pytest.raises(openai.NotFoundError, match="there is no conversation"):
        client.conversations.retrieve(made.id)


def test_a_conversation_needs_nothing(client: OpenAI) -> None:
    assert client.conversations.create().metadata == {}


def test_items_live(client: OpenAI) -> None:
    conversation = client.conversations.create().id
    output: Any = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "hi", "annotations": []}],
    }
    call: Any = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    result: Any = {"type": "function_call_output", "call_id": "call_1", "output": "4"}
    made = client.conversations.items.create(conversation, items=[MESSAGE, output, call, result])
    assert [item.type for item in made.data] == ["message", "message", "function_call", "function_call_output"]
    assert [item.id for item in made.data] == [
        item.id for item in client.conversations.items.list(conversation, order="asc", limit=1)
    ]
    item = client.conversations.items.retrieve(made.data[2].id or "", conversation_id=conversation)
    assert item == made.data[2]
    assert client.conversations.items.delete(made.data[2].id or "", conversation_id=conversation).id == conversation
    assert len(client.conversations.items.list(conversation).data) == 3


def test_pages_follow_one_another(client: OpenAI) -> None:
    conversation = client.conversations.create().id
    for number in range(3):
        client.conversations.items.create(
            conversation, items=[{"role": "user", "content": f"{number}.{part}"} for part in range(20)]
        )
    texts = [
        item.content[0].text  # type: ignore[union-attr]
        for item in client.conversations.items.list(conversation, order="asc", limit=7)
    ]
    assert texts == [f"{number}.{part}" for number in range(3) for part in range(20)]


def test_what_is_long_is_asked_for(client: OpenAI) -> None:
    image: Any = {"role": "user", "content": [{"type": "input_image", "image_url": "https://example.org/a.png"}]}
    conversation = client.conversations.create(items=[image]).id
    (plain,) = client.conversations.items.list(conversation).data
    assert plain.content[0].image_url is None  # type: ignore[union-attr]
    include: Any = ["message.input_image.image_url", "message.output_text.logprobs"]
    (whole,) = client.conversations.items.list(conversation, include=include).data
    assert whole.content[0].image_url == "https://example.org/a.png"  # type: ignore[union-attr]
    item = client.conversations.items.retrieve(whole.id or "", conversation_id=conversation, include=include)
    assert item == whole
    answered = client.conversations.items.create(conversation, items=[image], include=include)
    assert answered.data[0].content[0].image_url  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": [{"role": "user", "content": 5}]}, "items.0.content"),
        ({"items": [{"role": "nobody", "content": "x"}]}, "items.0.role"),
        ({"items": [{"type": "nothing"}]}, "items.0.type"),
        ({"items": [MESSAGE, {"type": "function_call", "call_id": "c", "name": "f"}]}, "items.1.arguments"),
        ({"items": [MESSAGE] * 21}, "items"),
        ({"items": [{**MESSAGE, "id": "a b"}]}, "items.0.id"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {"k": 1}}, "metadata.k"),
    ],
)
def test_what_is_wrong_is_said(client: OpenAI, body: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.conversations.create(extra_body=body)
    assert caught.value.param == param


@pytest.mark.parametrize("path", ["conv_%00", "%27%3B%20DROP", "conv_1/items?after=%27", "conv_1/items/%2e%2e"])
def test_strange_ids_are_not_found(server: Running, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/v1/conversations/{path}", timeout=10)
    assert caught.value.code == 404


def test_the_successor_of_llama_stacks_client(ogx: OgxClient) -> None:
    item: Any = MESSAGE
    made = ogx.conversations.create(items=[item], metadata={"a": "b"})
    assert ogx.conversations.retrieve(made.id).metadata == {"a": "b"}
    ogx.conversations.items.create(made.id, items=[item])
    include: Any = ["message.input_image.image_url", "file_search_call.results"]
    assert len(ogx.conversations.items.list(made.id, include=include, order="asc").data) == 2
    assert ogx.conversations.delete(made.id).deleted


# ── prompts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_prompt_lives(ogx: OgxClient) -> None:
    first = ogx.prompts.create(prompt="Dear {{ name }}", variables=["name"])
    second = ogx.prompts.update(first.prompt_id, prompt="Hello {{ name }}", version=1, variables=["name"])
    assert (second.version, second.is_default) == (2, True)
    assert ogx.prompts.retrieve(first.prompt_id) == second
    assert ogx.prompts.retrieve(first.prompt_id, version=1).prompt == "Dear {{ name }}"
    assert [each.version for each in ogx.prompts.versions.list(first.prompt_id)] == [1, 2]
    assert ogx.prompts.set_default_version(first.prompt_id, version=1).is_default
    assert first.prompt_id in [each.prompt_id for each in ogx.prompts.list()]
    ogx.prompts.delete(first.prompt_id)
    with pytest.raises(NotFoundError):
        ogx.prompts.retrieve(first.prompt_id)


def test_a_prompt_with_an_undeclared_variable(ogx: OgxClient) -> None:
    with pytest.raises(BadRequestError, match=r"\{\{ day \}\}"):
        ogx.prompts.create(prompt="{{ name }} {{ day }}", variables=["name"])


def test_an_update_quotes_the_latest_version(ogx: OgxClient) -> None:
    made = ogx.prompts.create(prompt="one")
    ogx.prompts.update(made.prompt_id, prompt="two", version=1)
    with pytest.raises(ConflictError):
        ogx.prompts.update(made.prompt_id, prompt="two as well", version=1)


def test_the_verbs_of_llama_stack_0_3(server: Running) -> None:
    """Its client has no prompts for Python 3.11; this is what it sends."""
    with LlamaStackClient(base_url=server.url, max_retries=0) as old:
        made = old.post("/v1/prompts", body={"prompt": "one"}, cast_to=httpx.Response).json()
        path = f"/v1/prompts/{made['prompt_id']}"
        update = {"prompt": "two", "version": 1, "variables": [], "set_as_default": False}
        assert old.post(path, body=update, cast_to=httpx.Response).json()["version"] == 2
        default = old.post(f"{path}/set-default-version", body={"version": 2}, cast_to=httpx.Response).json()
        assert (default["version"], default["is_default"]) == (2, True)
        assert old.delete(path, cast_to=httpx.Response).status_code == 204


def test_prompts_alone_bring_no_sql(tmp_path: Path) -> None:
    (tmp_path / "distributions").mkdir()
    lines = [line for line in DISTRIBUTION.splitlines() if "sql_default" not in line]
    (tmp_path / "distributions/keeper.yaml").write_text("\n".join(lines).replace(" conversations,", ""))
    done = stackgen("build", "keeper", "--specs", ".", "--out", "keeper", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sqlalchemy" not in (tmp_path / "keeper/requirements.txt").read_text()


# ── bad luck ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_answered_survives_a_kill(keeper: Built, tmp_path: Path) -> None:
    kept: list[tuple[str, list[str]]] = []
    prompts: list[tuple[str, int]] = []
    enough = threading.Event()

    def ask(url: str) -> None:
        with OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            try:
                conversation = client.conversations.create().id
                while True:
                    made = client.conversations.items.create(conversation, items=[MESSAGE] * 3)
                    kept.append((conversation, [item.id or "" for item in made.data]))
                    body = {"prompt": f"of {conversation}"}
                    prompt = client.post("/prompts", body=body, cast_to=httpx.Response).json()["prompt_id"]
                    prompts.append((prompt, 1))
                    body |= {"version": 1}
                    client.put(f"/prompts/{prompt}", body=body, cast_to=httpx.Response)
                    prompts.append((prompt, 2))
                    if len(kept) >= ACKNOWLEDGED:
                        enough.set()
            except openai.APIConnectionError:
                return

    with keeper.serve(environ(tmp_path)) as server:
        threads = [threading.Thread(target=ask, args=(server.url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(120), server.log.read_text()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)
        for thread in threads:
            thread.join(60)
    with keeper.serve(environ(tmp_path)) as server, OpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
        for conversation in {conversation for conversation, _ in kept}:
            found = [item.id for item in client.conversations.items.list(conversation, order="asc", limit=100)]
            said = [item for where, items in kept if where == conversation for item in items]
            assert found[: len(said)] == said, "what was answered is there, in its order"
            assert len(found) % 3 == 0, "what was not answered is there whole, or not at all"
        for prompt, version in prompts:
            answer = client.get(f"/prompts/{prompt}?version={version}", cast_to=httpx.Response)
            assert json.loads(answer.content)["version"] == version
