"""Responses of the built starter, before the openai SDK."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from .chat_service import ChatService, chat_service
from .conftest import Built
from .servers import Running
from .test_tools import served_mcp

pytestmark = pytest.mark.slow

MODEL = "openai/tiny"
FUNCTION: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


class Number(BaseModel):
    n: int


@pytest.fixture(scope="module")
def upstream() -> Iterator[ChatService]:
    with chat_service() as service:
        yield service


@pytest.fixture(scope="module")
def starter(build: Callable[[str], Built]) -> Built:
    return build("starter")


@contextmanager
def serving(starter: Built, url: str, folder: Path, *arguments: str) -> Iterator[tuple[Running, OpenAI]]:
    environ = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", "SQLITE_STORE_DIR": str(folder)}
    with (
        starter.serve(environ, *arguments) as server,
        OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=60) as client,
    ):
        yield server, client


@pytest.fixture(scope="module")
def client(starter: Built, upstream: ChatService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    with serving(starter, upstream.url, tmp_path_factory.mktemp("responses")) as (_, made):
        yield made


def test_whole_and_in_pieces(client: OpenAI) -> None:
    whole = client.responses.create(model=MODEL, input="Hi", instructions="Be brief.", metadata={"topic": "tea"})
    assert (whole.output_text, whole.status, whole.metadata) == ("2 messages, ü", "completed", {"topic": "tea"})
    assert whole.usage is not None
    assert whole.usage.total_tokens == 12
    with client.responses.stream(model=MODEL, input="And?", previous_response_id=whole.id) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    # The instructions of the response before do not go on.
    assert text == final.output_text == "3 messages, ü"
    assert client.responses.retrieve(final.id).output_text == text
    assert [each.type for each in client.responses.input_items.list(final.id)] == ["message"]
    client.responses.delete(whole.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(whole.id)


def test_a_function_of_the_application(client: OpenAI) -> None:
    asked = 'call weather {"city":"Lisbon"}'
    first = client.responses.create(model=MODEL, input=asked, tools=[FUNCTION])
    (call,) = first.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Lisbon"}
    gave: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    again = client.responses.create(model=MODEL, input=gave, previous_response_id=first.id, tools=[FUNCTION])
    assert again.output_text == "3 messages, ü"
    by_hand: Any = [{"role": "user", "content": asked}, call.model_dump(exclude_none=True), *gave]
    assert client.responses.create(model=MODEL, input=by_hand, store=False).output_text == "3 messages, ü"
    with client.responses.stream(model=MODEL, input=asked, tools=[FUNCTION]) as stream:
        types = [event.type for event in stream]
    assert "response.function_call_arguments.done" in types


def test_an_answer_as_an_object(client: OpenAI, upstream: ChatService) -> None:
    parsed = client.responses.parse(model=MODEL, input="json", text_format=Number)
    assert parsed.output_parsed == Number(n=3)
    assert upstream.asked[-1]["response_format"]["json_schema"]["name"] == "Number"


def test_a_conversation(client: OpenAI) -> None:
    conversation = client.conversations.create(items=[{"role": "user", "content": "First."}])
    client.responses.create(model=MODEL, input="Second.", conversation=conversation.id)
    with client.responses.stream(model=MODEL, input="Third.", conversation={"id": conversation.id}) as stream:
        assert stream.get_final_response().output_text == "4 messages, ü"
    assert len(list(client.conversations.items.list(conversation.id, limit=2))) == 5
    with pytest.raises(openai.BadRequestError, match="conversation"):
        client.responses.create(model=MODEL, input="a", conversation=conversation.id, previous_response_id="resp_1")


def test_tools_of_an_mcp_server(starter: Built, upstream: ChatService, tmp_path: Path) -> None:
    # Servers that clients name must be elsewhere, unless the distribution says otherwise: here it is a tool group.
    with served_mcp("streamable") as server, serving(starter, upstream.url, tmp_path) as (_, client):
        tool: Any = {"type": "mcp", "server_label": "mcp::here", "server_url": server.url}
        with pytest.raises(openai.PermissionDeniedError, match="public"):
            client.responses.create(model=MODEL, input="Hi", tools=[tool])


def test_what_goes_wrong(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="nobody"):
        client.responses.create(model="nobody", input="Hi")
    with pytest.raises(openai.NotFoundError, match="nobody"):
        client.responses.create(model="nobody", input="Hi", stream=True)
    with pytest.raises(openai.BadRequestError, match="input"):
        client.responses.create(model=MODEL)
    with client.responses.stream(model=MODEL, input="break") as stream:
        events = list(stream)
    assert events[-1].type == "response.failed"
    assert events[-1].response.error is not None
    assert events[-1].response.error.code == "server_error"


def test_a_client_that_leaves_leaves_the_service(client: OpenAI, upstream: ChatService) -> None:
    stream = client.responses.create(model=MODEL, input="crawl", stream=True)
    for event in stream:
        if event.type == "response.output_text.delta":
            break
    stream.close()
    deadline = time.monotonic() + 30
    while not upstream.left and time.monotonic() < deadline:
        time.sleep(0.1)
    assert upstream.left == 1


def test_every_event_has_its_type_twice_and_the_last_says_done(client: OpenAI) -> None:
    with client.responses.with_streaming_response.create(model=MODEL, input="Hi", stream=True) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines.pop() == "data: [DONE]"
    for name, data in zip(lines[::2], lines[1::2], strict=True):
        assert name == f"event: {json.loads(data.removeprefix('data: '))['type']}"


def test_what_was_answered_survives_kill_minus_9(starter: Built, upstream: ChatService, tmp_path: Path) -> None:
    with serving(starter, upstream.url, tmp_path, "--workers", "2") as (server, client):
        ids = [client.responses.create(model=MODEL, input="Hi").id for _ in range(10)]
        for event in client.responses.create(model=MODEL, input="Hi", stream=True):
            if event.type == "response.completed":
                ids.append(event.response.id)
                break
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        for pid in (*map(int, children), server.process.pid):
            os.kill(pid, signal.SIGKILL)
        server.process.wait()
    with serving(starter, upstream.url, tmp_path) as (_, client):
        assert [client.responses.retrieve(each).id for each in ids] == ids
        assert client.responses.create(model=MODEL, input="And?", previous_response_id=ids[-1]).output_text


def ended(client: OpenAI, response_id: str) -> Any:
    deadline = time.monotonic() + 120
    while (response := client.responses.retrieve(response_id)).status in ("queued", "in_progress"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return response


def test_a_conversation_made_short(client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="Hi")
    short = client.responses.compact(model=MODEL, previous_response_id=first.id)
    assert [each.type for each in short.output] == ["compaction"]
    items: Any = [*(each.model_dump(exclude_none=True) for each in short.output), {"role": "user", "content": "And?"}]
    assert client.responses.create(model=MODEL, input=items).output_text == "2 messages, ü"


def test_in_the_background(client: OpenAI) -> None:
    queued = client.responses.create(model=MODEL, input="Hi", background=True)
    assert (queued.status, queued.output_text) == ("queued", "")
    made = ended(client, queued.id)
    assert (made.status, made.output_text) == ("completed", "1 messages, ü")
    slow = client.responses.create(model=MODEL, input="nap", background=True)
    assert client.responses.cancel(slow.id).status == "cancelled"
    assert client.responses.retrieve(slow.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="background"):
        client.responses.cancel(client.responses.create(model=MODEL, input="Hi").id)


def test_work_in_the_background_survives_kill_minus_9(starter: Built, upstream: ChatService, tmp_path: Path) -> None:
    with serving(starter, upstream.url, tmp_path) as (server, client):
        response_id = client.responses.create(model=MODEL, input="nap", background=True).id
        while client.responses.retrieve(response_id).status == "queued":
            time.sleep(0.05)
        server.process.kill()
        server.process.wait()
    with serving(starter, upstream.url, tmp_path) as (_, client):
        assert client.responses.retrieve(response_id).status == "in_progress"
        assert ended(client, response_id).output_text == "1 messages, ü"


def test_a_real_model(starter: Built, llama_cpp: str, tmp_path: Path) -> None:
    with serving(starter, f"{llama_cpp}/v1", tmp_path) as (_, client):
        whole = client.responses.create(
            model="openai/gemma", input="What is the capital of France?", max_output_tokens=12
        )
        assert whole.output_text
        assert whole.usage is not None
        assert whole.usage.output_tokens > 0
        events = list(client.responses.create(model="openai/gemma", input="Hi.", max_output_tokens=8, stream=True))
        assert events[-1].type in ("response.completed", "response.incomplete")
        assert events[-1].response.usage is not None
