"""Requests that cannot be answered: each gets the right status, the SDK's right exception and an error object, and
the server goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import openai
import pytest
from upstreams import answers

from .fronts import (
    HEADER_KEY,
    MAX_BODY,
    MODEL,
    TALK,
    Front,
    answer_of,
    chat_body,
    connect,
    holdings,
    request_of,
)

pytestmark = pytest.mark.slow

MEBIBYTE = 1024 * 1024
AS_JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def _goes_on(gateway: Front) -> Iterator[None]:
    gateway.service.plays(answers(answer_of()))
    yield
    assert gateway.is_well()


def refused(gateway: Front, body: bytes, path: str = "/chat/completions", **headers: str) -> openai.APIStatusError:
    """What the SDK raises for these bytes, of which the service must not have heard."""
    with gateway.client() as client, pytest.raises(openai.APIStatusError) as caught:
        client.post(path, content=body, cast_to=object, options={"headers": {**AS_JSON, **headers}})
    error = caught.value
    assert isinstance(error.body, dict)
    assert error.body.keys() == {"message", "type", "param", "code"}
    assert error.body["message"]
    assert error.request_id == error.response.headers["x-request-id"]
    assert gateway.service.requests == []
    return error


def changed(**members: object) -> bytes:
    return json.dumps({"model": MODEL, "messages": TALK, **members}).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in json.loads(changed()).items() if key != name}).encode()


NO_JSON = {
    "malformed": b'{"model": "openai/gpt-test", "messages": [',
    "trailing-comma": b'{"model": "openai/gpt-test",}',
    "single-quotes": b"{'model': 'openai/gpt-test'}",
    "empty": b"",
    "blank": b" \n ",
    "not-utf-8": b'{"model": "\xff\xfe"}',
    "a-nul-byte": b"\x00",
    "nan": b'{"model": "openai/gpt-test", "messages": [{"role": "user", "content": "a"}], "temperature": NaN}',
    "two-documents": changed() + changed(),
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_a_body_that_is_no_json_is_a_bad_request(gateway: Front, body: bytes) -> None:
    error = refused(gateway, body)
    assert type(error) is openai.BadRequestError
    assert (error.type, error.code, error.param) == ("invalid_request_error", "invalid_json", None)


WRONG_TYPES = {
    "number-for-text": (changed(model=5), "model"),
    "text-for-number": (changed(temperature="hot"), "temperature"),
    "text-for-boolean": (changed(stream="yes"), "stream"),
    "number-for-boolean": (changed(stream=1), "stream"),
    "object-for-list": (changed(messages={}), "messages"),
    "text-for-list": (changed(messages="hi"), "messages"),
    "nothing-in-list": (changed(messages=[]), "messages"),
    "unknown-role": (changed(messages=[{"role": "king", "content": "hi"}]), "messages.0.role"),
    "number-for-content": (changed(messages=[{"role": "user", "content": 5}]), "messages.0.content"),
    "unknown-part": (
        changed(messages=[{"role": "user", "content": [{"type": "smell"}]}]),
        "messages.0.content.0.type",
    ),
    "a-list": (b"[]", None),
    "a-text": (b'"hello"', None),
    "null": (b"null", None),
}


@pytest.mark.parametrize(("body", "param"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a_wrong_type_is_a_bad_request_that_names_the_place(gateway: Front, body: bytes, param: str | None) -> None:
    error = refused(gateway, body)
    assert type(error) is openai.BadRequestError
    assert (error.type, error.param) == ("invalid_request_error", param)


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_missing_property_is_a_bad_request_that_names_it(gateway: Front, name: str) -> None:
    error = refused(gateway, without(name))
    assert type(error) is openai.BadRequestError
    assert (error.param, error.code) == (name, "missing_required_parameter")


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
@pytest.mark.parametrize("model", ["openai/no-such", "no-such", "nobody/gpt-test", "", "../../etc/passwd", "x" * 5000])
def test_an_unknown_model_is_not_found(gateway: Front, path: str, model: str) -> None:
    more = {"messages": TALK, "prompt": "a", "input": "a"}
    error = refused(gateway, json.dumps({"model": model, **more}).encode(), path)
    assert type(error) is openai.NotFoundError
    assert (error.code, error.param) == ("model_not_found", "model")
    assert len(error.message) < 1000


@pytest.mark.parametrize(
    "body",
    [b'{"x":' * 100_000, b"[" * 400_000, changed()[:-1] + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"],
    ids=["objects", "lists", "balanced"],
)
def test_deep_nesting_is_a_bad_request(gateway: Front, body: bytes) -> None:
    error = refused(gateway, body)
    assert type(error) is openai.BadRequestError
    assert error.code == "invalid_json"


def test_of_duplicate_keys_the_last_counts_here_and_there(gateway: Front) -> None:
    body = (
        b'{"model": "openai/nobody", "temperature": "hot", "stream": true, "messages": [],'
        b' "m\\u006fdel": "openai/gpt-test", "temperature": 1, "stream": false,'
        b' "messages": [{"role": "user", "content": "first", "content": "last"}]}'
    )
    with gateway.client() as client:
        answer = client.post("/chat/completions", content=body, cast_to=httpx.Response, options={"headers": AS_JSON})
    assert answer.json() == answer_of()
    assert [seen.json for seen in gateway.service.requests] == [
        {"model": "gpt-test", "temperature": 1, "stream": False, "messages": [{"role": "user", "content": "last"}]}
    ]


# ── too much ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chunked", [False, True], ids=["with-content-length", "chunked"])
def test_a_huge_body_is_too_large_and_takes_no_memory(gateway: Front, chunked: bool) -> None:
    before = holdings(gateway.pid).resident
    piece = b" " * MEBIBYTE
    count = 96

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    headers = AS_JSON | ({} if chunked else {"content-length": str(count * MEBIBYTE)})
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", content=pieces(), headers=headers, timeout=20)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"
    assert holdings(gateway.pid).resident - before < 8 * MEBIBYTE


def test_a_huge_body_is_the_sdks_status_error(gateway: Front) -> None:
    error = refused(gateway, changed(user="x" * MAX_BODY))
    assert error.status_code == 413
    assert (error.type, error.code) == ("invalid_request_error", "request_too_large")


def test_a_huge_declared_length_is_answered_before_the_body(gateway: Front) -> None:
    with connect(gateway) as connection:
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_just_the_limit_is_read(gateway: Front) -> None:
    body = chat_body()
    answer = httpx.post(
        f"{gateway.url}/v1/chat/completions", content=body + b" " * (MAX_BODY - len(body)), headers=AS_JSON
    )
    assert answer.status_code == 200


def test_a_client_that_leaves_in_its_body_leaves_no_trace(gateway: Front) -> None:
    with connect(gateway) as connection:
        connection.sendall(request_of("/v1/chat/completions", chat_body())[:-10])
    assert gateway.is_well()
    assert gateway.total("stack_requests_in_flight") == 0


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BAD_DATA = {
    "no-json": f"openai_api_key={HEADER_KEY}",
    "half-a-json": f'{{"openai_api_key": "{HEADER_KEY}"',
    "a-list": f'["{HEADER_KEY}"]',
    "a-text": f'"{HEADER_KEY}"',
    "a-number-for-a-key": '{"openai_api_key": 5}',
    "an-object-for-a-key": f'{{"openai_api_key": {{"key": "{HEADER_KEY}"}}}}',
    "a-key-with-a-line-break": f'{{"openai_api_key": "{HEADER_KEY}\\r\\nX-Evil: 1"}}',
    "no-url-for-a-url": f'{{"passthrough_url": "file:///{HEADER_KEY}"}}',
}


@pytest.mark.parametrize("header", ["X-LlamaStack-Provider-Data", "X-OGX-Provider-Data"])
@pytest.mark.parametrize("data", BAD_DATA.values(), ids=BAD_DATA)
def test_bad_provider_data_is_a_bad_request_that_does_not_repeat_it(gateway: Front, header: str, data: str) -> None:
    error = refused(gateway, chat_body(), **{header: data})
    assert type(error) is openai.BadRequestError
    assert (error.type, error.code) == ("invalid_request_error", "invalid_provider_data")
    assert header in error.message
    assert HEADER_KEY not in error.response.text


def test_provider_data_that_no_provider_declares_is_ignored(gateway: Front) -> None:
    with gateway.client(default_headers={"X-LlamaStack-Provider-Data": '{"what": 5}'}) as client:
        assert client.chat.completions.create(model=MODEL, messages=TALK).choices


def test_a_form_is_a_bad_request(gateway: Front) -> None:
    error = refused(gateway, b"model=a", **{"content-type": "application/x-www-form-urlencoded"})
    assert type(error) is openai.BadRequestError
    assert "application/json" in error.message


def test_what_is_no_http_ends_its_own_connection_only(gateway: Front) -> None:
    with connect(gateway) as connection:
        connection.sendall(b"\x16\x03\x01 this is TLS, or so\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 400 |$", connection.recv(1000))
