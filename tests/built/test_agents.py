"""Agents of a built server, driven by Llama Stack's client, over a fake model, real tools and a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from encoder_folders import minilm
from llama_stack_client import Agent, APIStatusError, LlamaStackClient, NotFoundError
from mcp_servers import McpTestServer
from parts.testing.agents.server import spoken
from stackgen.environment import environment_for
from upstreams import Seen, streams

from .conftest import Built
from .fronts import Service
from .servers import CACHE, Running, stackgen
from .test_tools import served_mcp

pytestmark = pytest.mark.slow

SPEC = """\
name: agency
summary: Agents over a model and tools elsewhere.
apis: [inference, models, agents, tool_runtime, tool_groups, safety, shields, inspect, providers]
providers:
  inference:
    - {id: openai, type: remote::openai, config: {base_url: "${env.MODEL_URL}", api_key: a-key-of-the-server}}
  safety:
    - {id: code-scanner, type: inline::code-scanner}
  tool_runtime:
    - {id: mcp, type: remote::model-context-protocol, config: {client_endpoints: any}}
  agents:
    - {id: meta-reference, type: inline::meta-reference}
resources:
  shields:
    - {shield_id: scanner, provider_id: code-scanner, provider_shield_id: any}
  tool_groups:
    - {toolgroup_id: "mcp::sums", provider_id: mcp, mcp_endpoint: {uri: "${env.MCP_URL}"}}
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.STORE}"}}
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.STORE}.kv"}}
"""
RESEARCH = """\
name: research
summary: An agent that looks things up.
apis: [inference, models, files, vector_io, vector_stores, tool_runtime, tool_groups, agents, inspect, providers]
providers:
  inference:
    - {id: openai, type: remote::openai, config: {base_url: "${env.MODEL_URL}", api_key: a-key-of-the-server}}
    - {id: embeddings, type: inline::onnx-embeddings, config: {model: "${env.EMBEDDING_MODEL}"}}
  files:
    - {id: localfs, type: inline::localfs, config: {storage_dir: "${env.FOLDER}/files"}}
  vector_io:
    - {id: sqlite-vec, type: inline::sqlite-vec, config: {db_path: "${env.FOLDER}/vectors.db"}}
  tool_runtime:
    - {id: rag-runtime, type: inline::rag-runtime}
  agents:
    - {id: meta-reference, type: inline::meta-reference}
resources:
  tool_groups:
    - {toolgroup_id: "builtin::rag", provider_id: rag-runtime}
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}
"""
MODEL = "openai/gpt-test"
USER = "user"

Serve = Callable[..., AbstractContextManager[Running]]


async def model(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of a service with the model that the agents' suite describes."""
    messages: Any = seen.json["messages"]
    if messages[-1]["content"] in ("hang", "break"):
        blocks = spoken([{"role": USER, "content": "slowly"}])
        first = [await anext(blocks), await anext(blocks)]
        return await streams(*first, done=False, ending=messages[-1]["content"])(seen, writer)
    return await streams(*[block async for block in spoken(messages)])(seen, writer)


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built_of("agency", SPEC, tmp_path_factory.mktemp("agency"))


def built_of(name: str, spec: str, folder: Path) -> Built:
    (folder / "specs/distributions").mkdir(parents=True)
    (folder / f"specs/distributions/{name}.yaml").write_text(spec)
    done = stackgen("build", name, "--specs", "specs", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built(name, folder / "out", environment_for(folder / "out", CACHE / "envs", lambda _: None))


@pytest.fixture(scope="module")
def sums() -> Iterator[McpTestServer]:
    with served_mcp("streamable") as server:
        yield server


@pytest.fixture
def serve(agency: Built, service: Service, sums: McpTestServer, tmp_path: Path) -> Serve:
    service.plays(model)
    environ = {"MODEL_URL": f"{service.url}/v1", "MCP_URL": sums.url, "STORE": str(tmp_path / "sql.db")}
    return lambda *arguments, **more: agency.serve({**environ, **more}, *arguments)


def client_of(server: Running) -> LlamaStackClient:
    return LlamaStackClient(base_url=server.url, max_retries=0)


def said(text: str) -> list[Any]:
    return [{"role": USER, "content": text}]


def agent_of(client: LlamaStackClient, **more: Any) -> Agent:
    return Agent(client, model=MODEL, instructions="Be brief.", **more)


def where(city: str) -> str:
    """
    Where a city is.

    :param city: the city
    :returns: its country
    """
    return f"{city} is in France"


def test_the_clients_agent_uses_tools_of_the_server_and_its_own(serve: Serve, service: Service) -> None:
    with serve("--workers", "2") as server, client_of(server) as client:
        agent = agent_of(client, tools=["mcp::sums", where])
        session = agent.create_session("a session")
        turn = agent.create_turn(said('call add {"a": 1, "b": 2}'), session_id=session, stream=False)
        assert turn.output_message.content == "the tool said: 3"  # type: ignore[union-attr]
        assert [each.step_type for each in turn.steps] == ["inference", "tool_execution", "inference"]  # type: ignore[union-attr]

        chunks = list(agent.create_turn(said('call where {"city": "Paris"}'), session_id=session))
        kinds = [chunk.event.payload.event_type for chunk in chunks]  # type: ignore[union-attr]
        assert (kinds[0], kinds[-1]) == ("turn_start", "turn_complete")
        assert "turn_awaiting_input" in kinds
        texts = [chunk.event.payload.delta.text for chunk in chunks if _is_text(chunk)]  # type: ignore[union-attr]
        assert "".join(texts) == 'the tool said: "Paris is in France"'

        shown = client.agents.session.retrieve(session_id=session, agent_id=agent.agent_id)
        assert len(shown.turns) == 2
        turns = client.agents.turn
        found = turns.retrieve(shown.turns[1].turn_id, agent_id=agent.agent_id, session_id=session)
        assert found.output_message == shown.turns[1].output_message
        roles = [each["role"] for each in service.requests[-1].json["messages"]]  # type: ignore[attr-defined]
        assert roles == ["system", USER, "assistant", "tool", "assistant", USER, "assistant", "tool"]


def _is_text(chunk: Any) -> bool:
    payload = chunk.event.payload
    return payload.event_type == "step_progress" and payload.delta.type == "text"


def test_both_prefixes_and_pages(serve: Serve) -> None:
    config = {"model": MODEL, "instructions": "Be brief."}
    with serve() as server, httpx.Client(base_url=server.url, timeout=30) as http:
        made = [http.post("/v1alpha/agents", json={"agent_config": config}).json()["agent_id"] for _ in range(3)]
        page = http.get("/v1/agents", params={"limit": 2}).json()
        assert [each["agent_id"] for each in page["data"]] == made[:2]
        assert page["has_more"] is True
        assert http.delete(f"/v1alpha/agents/{made[0]}").status_code == 204
        assert http.get(f"/v1/agents/{made[0]}").status_code == 404


def test_a_shield_ends_a_turn(serve: Serve) -> None:
    with serve() as server, client_of(server) as client:
        agent = agent_of(client, input_shields=["scanner"])
        code = "```python\nimport os\nos.system(input())\n```"
        turn = agent.create_turn(said(code), session_id=agent.create_session("s"), stream=False)
        assert [each.step_type for each in turn.steps] == ["shield_call"]  # type: ignore[union-attr]
        assert turn.steps[0].violation.violation_level == "error"  # type: ignore[union-attr]


def test_a_model_that_is_not_there_and_one_that_breaks_off(serve: Serve) -> None:
    with serve() as server, client_of(server) as client:
        agent = Agent(client, model="openai/nothing", instructions="")
        session = agent.create_session("s")
        with pytest.raises(NotFoundError):
            agent.create_turn(said("hello"), session_id=session, stream=False)
        agent = agent_of(client)
        session = agent.create_session("s")
        with pytest.raises(RuntimeError, match="before its answer was whole"):
            agent.create_turn(said("break"), session_id=session, stream=False)
        url = f"{server.url}/v1/agents/{agent.agent_id}/session/{session}/turn"
        body = {"messages": said("break"), "stream": True}
        got = httpx.post(url, json=body, timeout=30)
        *_, last = got.text.removesuffix("\n\n").split("\n\n")
        assert got.status_code == 200
        assert json.loads(last.removeprefix("data: "))["error"]["type"] == "upstream_error"
        with pytest.raises(APIStatusError) as caught:
            client.post(url.removeprefix(server.url), body={"messages": said("break")}, cast_to=object)
        assert caught.value.status_code == 502


def test_a_client_that_leaves_cancels_the_model(serve: Serve, service: Service) -> None:
    with serve() as server, client_of(server) as client:
        agent = agent_of(client)
        session = agent.create_session("s")
        for chunk in agent.create_turn(said("hang"), session_id=session):
            if _is_text(chunk):
                break
        client.close()
        for _ in range(200):
            if service.was_cut:
                break
            httpx.get(f"{server.url}/v1/health", timeout=30)
        assert service.was_cut


def test_what_was_answered_survives_a_kill(serve: Serve) -> None:
    with serve() as server, client_of(server) as client:
        agent = agent_of(client, tools=[where])
        agent_id, session = agent.agent_id, agent.create_session("s")
        done = agent.create_turn(said("hello"), session_id=session, stream=False)
        body = {"messages": said('call where {"city": "Paris"}')}
        url = f"/v1/agents/{agent_id}/session/{session}/turn"
        waiting = httpx.post(server.url + url, json=body, timeout=30).json()
        for chunk in agent.create_turn(said("hang"), session_id=session):
            if _is_text(chunk):
                server.process.kill()
                break
    with serve() as server, client_of(server) as client:
        shown = client.agents.session.retrieve(session_id=session, agent_id=agent_id)
        kept, waits, broken = shown.turns
        assert kept.turn_id == done.turn_id  # type: ignore[union-attr]
        assert kept.completed_at is not None
        assert (waits.turn_id, waits.completed_at) == (waiting["turn_id"], None)
        assert broken.completed_at is None, "a turn that ran is not complete"
        call = waiting["output_message"]["tool_calls"][0]
        answer = {"call_id": call["call_id"], "tool_name": "where", "content": "in France"}
        resumed = httpx.post(
            f"{server.url}{url}/{waiting['turn_id']}/resume", json={"tool_responses": [answer]}, timeout=30
        ).json()
        assert resumed["output_message"]["content"] == "the tool said: in France"


def test_an_agent_looks_things_up(service: Service, tmp_path: Path) -> None:
    built = built_of("research", RESEARCH, tmp_path)
    service.plays(model)
    environ = {"FOLDER": str(tmp_path), "EMBEDDING_MODEL": str(minilm()), "MODEL_URL": f"{service.url}/v1"}
    with built.serve(environ) as server, client_of(server) as client:
        store = str(client.post("/v1/vector_stores", body={"name": "facts"}, cast_to=object)["id"])  # type: ignore[index]
        documents: Any = [
            {"document_id": "a", "content": "Saturn has rings.", "mime_type": "text/plain", "metadata": {}}
        ]
        client.tool_runtime.rag_tool.insert(documents=documents, vector_db_id=store, chunk_size_in_tokens=100)
        tools: Any = [{"name": "builtin::rag", "args": {"vector_db_ids": [store]}}]
        agent = agent_of(client, tools=tools)
        turn: Any = agent.create_turn(
            said('call knowledge_search {"query": "planets"}'), session_id=agent.create_session("s"), stream=False
        )
        assert [each.step_type for each in turn.steps] == [
            "inference",
            "tool_execution",
            "memory_retrieval",
            "inference",
        ]
        assert turn.steps[2].vector_db_ids == store
        assert "Saturn has rings." in str(turn.steps[2].inserted_context)
        assert "Saturn has rings." in str(service.requests[-1].json["messages"])


def test_a_real_model_answers(agency: Built, llama_cpp: str, sums: McpTestServer, tmp_path: Path) -> None:
    environ = {"MODEL_URL": f"{llama_cpp}/v1", "MCP_URL": sums.url, "STORE": str(tmp_path / "sql.db")}
    with agency.serve(environ) as server, client_of(server) as client:
        params: Any = {"strategy": {"type": "greedy"}, "max_tokens": 8}
        agent = Agent(
            client, model="openai/gemma", instructions="Count on.", sampling_params=params, tools=["mcp::sums"]
        )
        session = agent.create_session("s")
        for text in ("one two three", "four five"):
            turn = agent.create_turn(said(text), session_id=session, stream=False)
            message = turn.output_message  # type: ignore[union-attr]
            assert message.content or message.tool_calls is not None
            assert message.stop_reason in ("end_of_turn", "out_of_tokens")
