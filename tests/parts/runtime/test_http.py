"""What the HTTP layer answers to good and bad requests."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from http_calls import MAX_BODY, Got, Image, Provider, Text, call, make_app
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest
from parts.runtime.http import Http
from parts.runtime.http_request import Message, validate
from parts.runtime.metrics import Accounts
from parts.runtime.reply import Answer
from parts.runtime.secret import Secret
from pydantic import BaseModel, Field

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
GOOD = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def provider() -> Provider:
    return Provider()


async def chat(provider: Provider, body: object, **headers: str) -> Got:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await call(make_app(provider), "POST", CHAT, raw, {**JSON, **named})


# ── good requests ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_whole_answer_goes_out_as_the_provider_gave_it(provider: Provider) -> None:
    raw = b'{ "model":"m","messages":[{"role":"user","content":"hi"}], "new_field": 1.50 }'
    got = await chat(provider, raw)
    assert (got.status, got.body) == (200, raw)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["content-length"] == str(len(raw))
    assert provider.seen[0][1].body == raw


async def test_a_stream_ends_with_done(provider: Provider) -> None:
    got = await chat(provider, {**GOOD, "stream": True})
    assert got.headers["content-type"].startswith("text/event-stream")
    assert got.body == b"data: 0\n\ndata: 1\n\ndata: [DONE]\n\n"
    assert provider.closed == 1


async def test_a_stream_whose_clients_know_no_done_ends_without(provider: Provider) -> None:
    got = await chat(provider, {**GOOD, "model": "plain-m", "stream": True})
    assert got.body == b"data: 0\n\ndata: 1\n\n"
    got = await chat(provider, {**GOOD, "model": "plain-half", "stream": True})
    *first, error = got.body.removesuffix(b"\n\n").split(b"\n\n")
    assert first == [b"data: 0", b"data: 1"]
    assert json.loads(error.removeprefix(b"data: "))["error"]["type"] == "upstream_error"


class Choice(BaseModel):
    labels: dict[str, str] | None = None
    order: str | None = None


async def test_an_object_in_the_query_and_an_answer_as_bytes() -> None:
    async def chosen(request: Choice, ctx: Context) -> Answer[Choice]:
        return Answer(json.dumps([request.labels, request.order]).encode())

    http = Http(Accounts(), max_body_bytes=MAX_BODY)
    app = http.app([http.relay("/v1/chosen", Choice, chosen, verb=verb) for verb in ("GET", "DELETE")])
    query = "labels%5Ba%5D=1&labels[b]=&labels[a]=2&labels[c[d]]=3&labels[=4&order=x"
    for verb in ("GET", "DELETE"):
        got = await call(app, verb, f"/v1/chosen?{query}")
        assert json.loads(got.body) == [{"a": "1", "b": "", "c[d]": "3"}, "x"]
    assert json.loads((await call(app, "GET", "/v1/chosen")).body) == [None, None]
    assert (await call(app, "GET", "/v1/chosen?labels=a")).error["param"] == "labels"


async def test_a_request_id_is_kept_if_sane_and_made_otherwise(provider: Provider) -> None:
    assert (await chat(provider, GOOD, x_request_id="abc-1")).headers["x-request-id"] == "abc-1"
    made = [(await chat(provider, GOOD, x_request_id=bad)).headers["x-request-id"] for bad in ("a b", "", "x" * 200)]
    assert len(set(made)) == 3
    assert all(each.startswith("req_") for each in made)
    assert provider.seen[-1][1].request_id == made[-1]


async def test_a_typed_answer_leaves_out_what_was_not_set(provider: Provider) -> None:
    got = await call(make_app(provider), "GET", "/v1/items/a/b?limit=3&unknown=1&limit=4")
    assert json.loads(got.body) == {"item": "a/b", "limit": 3}


async def test_a_list_in_the_query(provider: Provider) -> None:
    got = await call(make_app(provider), "GET", "/v1/items/a?include=x&include=y%20z")
    assert json.loads(got.body)["include"] == ["x", "y z"]


@pytest.mark.parametrize("query", ["include=x,y%20z", "include[]=x&include[]=y%20z", "include%5B%5D=x&include=y%20z"])
async def test_a_list_as_each_client_writes_it(provider: Provider, query: str) -> None:
    got = await call(make_app(provider), "GET", f"/v1/items/a?{query}")
    assert sorted(json.loads(got.body)["include"]) == ["x", "y z"]


async def test_nothing_to_say(provider: Provider) -> None:
    got = await call(make_app(provider), "DELETE", "/v1/box/a")
    assert (got.status, got.body, provider.removed) == (204, b"", ["a"])
    assert not got.headers.keys() & {"content-type", "content-length"}


async def test_bytes_of_a_get(provider: Provider) -> None:
    app = make_app(provider)
    assert json.loads((await call(app, "GET", "/v1/bytes/a?limit=3")).body) == {"item": "a", "limit": 3}
    assert (await call(app, "GET", "/v1/bytes/a?limit=x")).error["param"] == "limit"


async def test_a_query_beside_a_body_that_is_relayed(provider: Provider) -> None:
    app, body = make_app(provider), b'{"limit": 2}'
    got = await call(app, "POST", "/v1/bytes/a?include[]=x", body, JSON)
    assert json.loads(got.body) == {"item": "a", "limit": 2, "include": ["x"]}
    got = await call(app, "POST", "/v1/plain/a?limit=3", body, JSON)
    assert json.loads(got.body) == {"item": "a", "limit": 2}, "a route without a query does not read one"


async def test_a_body_beside_a_parameter(provider: Provider) -> None:
    app = make_app(provider)
    assert json.loads((await call(app, "POST", "/v1/box/a", b'{"limit": 2}', JSON)).body) == {"item": "a", "limit": 2}
    assert json.loads((await call(app, "POST", "/v1/box/a")).body) == {"item": "a", "limit": 10}
    assert (await call(app, "POST", "/v1/box")).error["param"] == "item"


async def test_head_and_options(provider: Provider) -> None:
    app = make_app(provider)
    assert (await call(app, "HEAD", "/v1/items/a")).status == 200
    got = await call(app, "OPTIONS", "/v1/items/a")
    assert (got.status, got.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")


async def test_documents_and_metrics(provider: Provider) -> None:
    app = make_app(provider)
    await call(app, "POST", CHAT, json.dumps(GOOD).encode(), JSON)
    assert (await call(app, "GET", "/openapi.json")).body == b'{"openapi": "3.1.0"}'
    metrics = (await call(app, "GET", "/metrics")).body.decode()
    labels = 'instance="up",model="m",operation="POST /v1/chat/completions",status="200"'
    assert f"stack_requests_total{{{labels}}} 1.0" in metrics
    assert 'stack_tokens_total{instance="up",kind="prompt",model="m"} 3.0' in metrics
    assert 'stack_tokens_total{instance="up",kind="completion",model="m"} 4.0' in metrics
    assert "stack_requests_in_flight 0.0" in metrics


# ── bad requests ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [b"{", b'{"model": "m",}', b"not json", b'{"a": "\xff"}', b"{} {}", b"\xef\xbb\xbf{}"])
async def test_malformed_json(provider: Provider, body: bytes) -> None:
    got = await chat(provider, body)
    assert got.status == 400
    assert (got.error["type"], got.error["code"]) == ("invalid_request_error", "invalid_json")
    assert "not valid JSON" in got.error["message"]


@pytest.mark.parametrize("body", [b"", b"  \n"])
async def test_empty_body(provider: Provider, body: bytes) -> None:
    got = await chat(provider, body)
    assert (got.status, "no body" in got.error["message"]) == (400, True)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
async def test_numbers_that_are_no_json(provider: Provider, number: bytes) -> None:
    raw = json.dumps({**GOOD, "x": 0}).encode().replace(b'"x": 0', b'"x": ' + number)
    assert (await chat(provider, raw)).error["code"] == "invalid_json"
    assert (await chat(provider, {**GOOD, "user": "NaN Infinity"})).status == 200


async def test_deep_nesting(provider: Provider) -> None:
    got = await chat(provider, b'{"model": "m", "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}")
    assert (got.status, got.error["code"]) == (400, "invalid_json")


async def test_duplicate_keys_count_as_the_last(provider: Provider) -> None:
    got = await chat(provider, b'{"model": "a", "model": "b", "messages": [{"role": "user", "content": ""}]}')
    assert got.status == 200
    assert provider.seen[0][0].model == "b"


async def test_huge_body_by_its_declared_length(provider: Provider) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("read though too long")
        yield b""

    app = make_app(provider)
    got = await call(app, "POST", CHAT, headers={**JSON, "content-length": str(MAX_BODY + 1)}, chunks=never())
    assert (got.status, got.error["code"]) == (413, "request_too_large")


async def test_huge_body_that_does_not_say_so(provider: Provider) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 10_000

    got = await call(make_app(provider), "POST", CHAT, headers=JSON, chunks=endless())
    assert got.status == 413
    assert read == MAX_BODY // 10_000 + 1


@pytest.mark.parametrize(
    ("headers", "said"),
    [({"content-type": "text/plain"}, "must be JSON"), ({"content-encoding": "gzip", **JSON}, "compressed")],
)
async def test_a_body_that_says_it_is_something_else(provider: Provider, headers: dict[str, str], said: str) -> None:
    got = await call(make_app(provider), "POST", CHAT, json.dumps(GOOD).encode(), headers)
    assert (got.status, said in got.error["message"]) == (400, True)


@pytest.mark.parametrize(
    ("change", "param", "said"),
    [
        ({"model": 5}, "model", "expected a valid string"),
        ({"model": None}, "model", "expected a valid string"),
        ({"messages": {}}, "messages", "expected a valid array"),
        ({"temperature": "warm"}, "temperature", "expected a valid number"),
        ({"temperature": 3}, "temperature", "less than or equal to 2"),
        (
            {"messages": [{"role": "user", "content": 5}]},
            "messages.0.content",
            "a valid string, or a valid array",
        ),
        ({"messages": [{"role": "usr", "content": "a"}]}, "messages.0.role", "'user', or 'tool'"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages.0.tool_call_id", "is required"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "url": 1}]}]},
            "messages.0.content.0.url",
            "expected a valid string",
        ),
        ({"messages": []}, "messages", "at least 1 item"),
    ],
)
async def test_wrong_types(provider: Provider, change: dict[str, object], param: str, said: str) -> None:
    got = await chat(provider, {**GOOD, **change})
    assert (got.status, got.error["param"]) == (400, param)
    assert said in got.error["message"]


class Tagged(BaseModel):
    content: Annotated[Text | Image, Field(discriminator="type")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"type": "txt"}, "content.type: expected 'text' or 'image'"),
        ({}, "content.type: is required"),
        ({"type": "text"}, "content.text: is required"),
        (5, "content: expected an object"),
    ],
)
def test_a_union_told_apart_by_a_member(content: object, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        validate(Tagged, json.dumps({"content": content}).encode())
    assert caught.value.message.startswith(said)
    assert caught.value.param == said.partition(":")[0]


async def test_a_missing_member_and_a_body_that_is_no_object(provider: Provider) -> None:
    assert (await chat(provider, {"model": "m"})).error["param"] == "messages"
    got = await chat(provider, [])
    assert (got.status, got.error["param"]) == (400, None)


async def test_a_wrong_parameter(provider: Provider) -> None:
    got = await call(make_app(provider), "GET", "/v1/items/a?limit=many")
    assert (got.status, got.error["param"]) == (400, "limit")


async def test_unknown_path_and_wrong_verb(provider: Provider) -> None:
    app = make_app(provider)
    for path in ("/", "/v2", "/v1/chat/completions/", "/v1/items/"):
        assert (await call(app, "GET", path)).error["code"] == "unknown_url"
    got = await call(app, "GET", CHAT)
    assert (got.status, got.headers["allow"]) == (405, "OPTIONS, POST")
    assert got.error["type"] == "invalid_request_error"


# ── what providers do wrong ─────────────────────────────────────────────────────────────────────────────────────────


async def test_an_error_with_its_status_and_patience(provider: Provider) -> None:
    for request in ({**GOOD, "model": "limited"}, {**GOOD, "model": "limited", "stream": True}):
        got = await chat(provider, request)
        assert (got.status, got.headers["retry-after"], got.error["type"]) == (429, "2", "rate_limit_error")


async def test_a_fault_of_ours_is_logged_and_bare(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        got = await chat(provider, {**GOOD, "model": "broken"}, x_request_id="here")
    assert (got.status, got.error["type"]) == (500, "server_error")
    assert b"secret" not in got.body
    assert "request here failed" in caplog.text


@pytest.mark.parametrize(("model", "kind"), [("half", "upstream_error"), ("crash", "server_error")])
async def test_a_stream_that_breaks_says_so_and_ends(provider: Provider, model: str, kind: str) -> None:
    got = await chat(provider, {**GOOD, "model": model, "stream": True})
    *first, error, done = got.body.removesuffix(b"\n\n").split(b"\n\n")
    assert (got.status, first, done) == (200, [b"data: 0", b"data: 1"], b"data: [DONE]")
    assert json.loads(error.removeprefix(b"data: "))["error"]["type"] == kind
    assert b"secret" not in got.body
    assert provider.closed == 1


async def test_nothing_is_left_running(provider: Provider) -> None:
    app = make_app(provider)
    for model in ("m", "half", "crash", "limited", "broken"):
        for stream in (True, False):
            await call(app, "POST", CHAT, json.dumps({**GOOD, "model": model, "stream": stream}).encode(), JSON)
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not app._watches


async def test_leaving_is_noticed_of_messages_alone(provider: Provider) -> None:
    """Under a server that offers nothing beside them."""
    leaving = asyncio.Event()
    messages: list[Message] = [{"type": "http.request", "body": json.dumps({**GOOD, "model": "slow"}).encode()}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await leaving.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError("nobody is there")

    app = make_app(provider)
    scope = {"type": "http", "method": "POST", "path": CHAT, "query_string": b"", "headers": []}
    asking = asyncio.ensure_future(app(scope, receive, send))
    while not (provider.seen or asking.done()):
        await asyncio.sleep(0)
    leaving.set()
    await asking
    assert provider.cancelled == 1


async def test_what_a_first_request_would_wait_for_can_be_done_before() -> None:
    class Late(BaseModel, defer_build=True):
        model: str

    async def method(request: Late, ctx: Context) -> Answer[Late]:
        return Answer(b"{}")

    http = Http(Accounts(), max_body_bytes=9)
    app = http.app([http.relay("/x", Late, method)])
    assert not Late.__pydantic_complete__
    app.prepare()
    assert Late.__pydantic_complete__


# ── provider data ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["X-LlamaStack-Provider-Data", "X-OGX-Provider-Data"])
async def test_provider_data_is_reduced_to_what_is_declared(provider: Provider, name: str) -> None:
    said = json.dumps(
        {"openai_api_key": "sk-1", "url": "https://h/v1", "other": {"x": 1}, "__authenticated_user": "me"}
    )
    await chat(provider, GOOD, **{name: said})
    assert provider.seen[0][1].provider_data == {"openai_api_key": Secret("sk-1"), "url": Secret("https://h/v1")}


async def test_provider_data_is_read_only_where_it_is_used(provider: Provider) -> None:
    headers = {**JSON, "X-OGX-Provider-Data": "nonsense"}
    got = await call(make_app(provider), "POST", "/v1/other", json.dumps(GOOD).encode(), headers)
    assert got.status == 200
    assert provider.seen[0][1].provider_data == {}


@pytest.mark.parametrize(
    "said",
    [
        "sk-secret",
        '["sk-secret"]',
        '{"openai_api_key": ["sk-secret"]}',
        '{"openai_api_key": "sk-secret\\r\\nx: y"}',
        '{"url": "file:///sk-secret"}',
        '{"url": 5, "x": "sk-secret"}',
    ],
)
async def test_provider_data_that_is_no_json_or_of_the_wrong_type(provider: Provider, said: str) -> None:
    got = await chat(provider, GOOD, **{"X-LlamaStack-Provider-Data": said})
    assert (got.status, got.error["type"]) == (400, "invalid_request_error")
    assert "X-LlamaStack-Provider-Data" in got.error["message"]
    assert b"secret" not in got.body
    assert not provider.seen
