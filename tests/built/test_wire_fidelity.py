"""What travels through a built gateway: requests arrive whole, answers and streams come back as they were sent.

The requests and answers are made from the gateway's own OpenAPI document: every property, every branch, and properties
that no document describes, at every depth.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from upstreams import STORY, answers, event_of, streams, usage_chunk

from .conftest import Built
from .fronts import MODEL, TALK, Front, answer_of, chat_body, datas, stream_text
from .wire_samples import EXTRA, Document

pytestmark = pytest.mark.slow

JSON = {"content-type": "application/json"}
PREFIXES = ["/v1", "/v1/openai/v1"]
# path → (request, answer, chunk), as the document names them
OPERATIONS = {
    "/chat/completions": (
        "CreateChatCompletionRequest",
        "CreateChatCompletionResponse",
        "CreateChatCompletionStreamResponse",
    ),
    "/completions": ("CreateCompletionRequest", "CreateCompletionResponse", "CreateCompletionResponse"),
    "/embeddings": ("CreateEmbeddingRequest", "CreateEmbeddingResponse", ""),
}
STREAMING = [path for path, (_, _, piece) in OPERATIONS.items() if piece]


@pytest.fixture(scope="module")
def document(build: Callable[[str], Built]) -> Document:
    return Document.read(build("gateway").openapi)


def post(gateway: Front, path: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(gateway.url + path, content=content, headers={**JSON, **headers}, timeout=20)


def plays_the_fitting(gateway: Front, path: str, *, stream: object) -> None:
    """Any answer to the operation, as long as it is one."""
    if stream:
        gateway.service.plays(streams(*STORY))
    else:
        gateway.service.plays(answers({"object": "list", "data": []} if path == "/embeddings" else answer_of()))


def least(path: str) -> dict[str, Any]:
    name, value = {"/chat/completions": ("messages", TALK), "/completions": ("prompt", "a")}.get(path, ("input", "a"))
    return {"model": MODEL, name: value}


# ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", OPERATIONS)
def test_a_request_with_everything_arrives_whole(gateway: Front, document: Document, prefix: str, path: str) -> None:
    name = OPERATIONS[path][0]
    for sample in document.samples(name):
        body = {**sample, "model": MODEL}
        assert document.validator(name).is_valid(body)
        assert body.keys() == document.schemas[name]["properties"].keys() | EXTRA.keys()
        stream = body.get("stream")
        plays_the_fitting(gateway, path, stream=stream)
        answer = post(gateway, prefix + path, body)
        assert answer.status_code == 200, answer.text
        expected = {**body, "model": "gpt-test"}
        if stream:
            expected["stream_options"] = {**(body["stream_options"] or {}), "include_usage": True}
        (seen,) = gateway.service.requests
        assert seen.path == f"/v1{path}"
        assert seen.json == expected


def test_the_samples_have_every_role_part_and_tool(document: Document) -> None:
    """So that the test above sends them all: a sample that left one out would go unnoticed."""
    sent = json.dumps(document.samples("CreateChatCompletionRequest"))
    for role in ("developer", "system", "user", "assistant", "tool", "function"):
        assert f'"role": "{role}"' in sent
    for kind in (
        *("text", "image_url", "input_audio", "file", "video_url", "audio_url", "refusal"),
        *("function", "custom", "browser_search", "grammar", "allowed_tools"),
        *("json_schema", "json_object", "content", "approximate"),
    ):
        assert f'"type": "{kind}"' in sent


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_plain_request_arrives_byte_for_byte_but_for_its_model(gateway: Front, path: str) -> None:
    body = json.dumps(least(path), indent=3, ensure_ascii=False).replace('"a"', '"\\u00e9é\\/ 1.0"')
    body = body[:-1] + ', "x": [1.0, 1e2, 0.10, 12345678901234567890123, -0, "\\ud83d\\ude00"] \t\n}  '
    plays_the_fitting(gateway, path, stream=False)
    assert post(gateway, f"/v1{path}", body.encode()).status_code == 200
    assert gateway.service.requests[0].body == body.replace(MODEL, "gpt-test").encode()


def test_a_request_carries_its_own_headers_and_no_others(gateway: Front) -> None:
    gateway.service.plays(answers(answer_of()))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    post(gateway, "/v1/chat/completions", chat_body(), authorization="Bearer mine", cookie="a=b", traceparent=trace)
    (seen,) = gateway.service.requests
    assert "cookie" not in seen.headers
    assert seen.headers["authorization"] != "Bearer mine"
    assert seen.headers["traceparent"] == trace
    assert seen.headers["content-type"] == "application/json"


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", OPERATIONS)
def test_an_answer_with_everything_comes_back_byte_for_byte(
    gateway: Front, document: Document, prefix: str, path: str
) -> None:
    name = OPERATIONS[path][1]
    for sample in document.samples(name):
        sent = json.dumps(sample, indent=2, ensure_ascii=False).encode() + b"\n"
        gateway.service.plays(answers(sent))
        answer = post(gateway, prefix + path, least(path))
        assert answer.content == sent
        assert answer.headers["content-type"] == "application/json"
        document.validator(name).validate(answer.json())


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", STREAMING)
def test_a_stream_with_everything_comes_back_byte_for_byte(
    gateway: Front, document: Document, prefix: str, path: str
) -> None:
    name = OPERATIONS[path][2]
    samples = document.samples(name)
    gateway.service.plays(streams(*samples))
    body = {**least(path), "stream": True, "stream_options": {"include_usage": True}}
    answer = post(gateway, prefix + path, body)
    assert answer.content == b"".join(map(event_of, samples)) + b"data: [DONE]\n\n"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    for data in datas(answer.text)[:-1]:
        document.validator(name).validate(json.loads(data))


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_stream_is_the_same_however_it_was_cut(gateway: Front, size: int) -> None:
    gateway.service.plays(
        streams(*STORY, pieces=lambda whole: [whole[start : start + size] for start in range(0, len(whole), size)])
    )
    _, text = stream_text(gateway, body=chat_body(stream=True, stream_options={"include_usage": True}))
    assert text.encode() == b"".join(map(event_of, STORY)) + b"data: [DONE]\n\n"


def test_the_sdk_reads_what_no_document_describes(gateway: Front) -> None:
    gateway.service.plays(answers(answer_of(timings={"predicted_n": 5})))
    with gateway.client() as client:
        answer = client.chat.completions.create(model=MODEL, messages=TALK)
    assert answer.model_extra == {"timings": {"predicted_n": 5}}


# ── usage at the end of a stream ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, False),
        ({"stream_options": None}, False),
        ({"stream_options": {}}, False),
        ({"stream_options": {"include_usage": False}}, False),
        ({"stream_options": {"include_usage": False, "include_obfuscation": True}}, False),
        ({"stream_options": {"include_usage": True}}, True),
    ],
    ids=["unsaid", "null", "empty", "false", "false-with-more", "true"],
)
@pytest.mark.parametrize("path", STREAMING)
def test_usage_is_asked_of_the_service_and_counted_and_given_to_whom_wants_it(
    gateway: Front, path: str, options: dict[str, Any], wanted: bool
) -> None:
    def counted() -> tuple[float, float]:
        prompt = gateway.total("stack_tokens_total", instance="openai", kind="prompt")
        return prompt, gateway.total("stack_tokens_total", instance="openai", kind="completion")

    before = counted()
    gateway.service.plays(streams(*STORY[:3], usage_chunk(prompt=11, completion=13)))
    _, text = stream_text(gateway, f"/v1{path}", json.dumps({**least(path), "stream": True, **options}).encode())
    expected = [*STORY[:3], *([usage_chunk(prompt=11, completion=13)] if wanted else [])]
    assert [json.loads(data) for data in datas(text)[:-1]] == expected
    asked = gateway.service.requests[0].json["stream_options"]
    assert asked == {**(options.get("stream_options") or {}), "include_usage": True}
    assert counted() == (before[0] + 11, before[1] + 13)


def test_the_usage_of_a_whole_answer_is_counted(gateway: Front) -> None:
    before = gateway.total("stack_tokens_total", instance="openai", model=MODEL, kind="completion")
    gateway.service.plays(answers(answer_of()))
    with gateway.client() as client:
        assert client.chat.completions.create(model=MODEL, messages=TALK).usage is not None
    assert gateway.total("stack_tokens_total", instance="openai", model=MODEL, kind="completion") == before + 7
    assert "stream_options" not in gateway.service.requests[0].json


async def test_the_asynchronous_sdk_gets_usage_where_it_asks(gateway: Front) -> None:
    gateway.service.plays(streams(*STORY))
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=MODEL, messages=TALK, stream=True, stream_options={"include_usage": True}
        )
        usages = [event.usage async for event in stream if event.usage]
    assert [usage.total_tokens for usage in usages] == [5]
