"""The rest of what a client sees of a built gateway on the wire: routes, their other names, headers, wrong turns."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from upstreams import STORY, answers, refuses, streams

from .conftest import Built
from .fronts import MODEL, TALK, Front, answer_of, chat_body, connect, stream_text
from .wire_samples import Document

pytestmark = pytest.mark.slow

JSON = {"content-type": "application/json"}
ERROR_KEYS = {"message", "type", "param", "code"}


@pytest.fixture(scope="module")
def document(build: Callable[[str], Built]) -> Document:
    return Document.read(build("gateway").openapi)


def get(gateway: Front, path: str) -> httpx.Response:
    return httpx.get(gateway.url + path, timeout=20)


def send(gateway: Front, verb: str, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Without what a client library adds or mends."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=20)
    connection.request(verb, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def error_of(content: bytes) -> dict[str, Any]:
    document = json.loads(content)
    assert document.keys() == {"error"}
    error: dict[str, Any] = document["error"]
    assert error.keys() == ERROR_KEYS
    return error


# ── the document ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_document_is_served_as_it_was_built(gateway: Front, build: Callable[[str], Built]) -> None:
    answer = get(gateway, "/openapi.json")
    assert answer.content == build("gateway").openapi.read_bytes()
    assert answer.headers["content-type"] == "application/json"


def test_every_get_of_the_document_answers_as_described(gateway: Front, document: Document) -> None:
    filled = {"{model}": MODEL, "{provider_id}": "openai"}
    done = []
    for path, verbs in document.content["paths"].items():
        if "get" in verbs:
            content = verbs["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            answer = get(gateway, re.sub(r"\{\w+\}", lambda name: filled[name[0]], path))
            assert answer.status_code == 200, path
            document.validator(content["$ref"].rpartition("/")[2]).validate(answer.json())
            done.append(path)
    assert len(done) > 12


def test_every_operation_of_the_document_is_a_route_and_the_other_way_round(gateway: Front, document: Document) -> None:
    described = {(path, verb.upper()) for path, verbs in document.content["paths"].items() for verb in verbs}
    listed = {
        (each["route"], each["method"])
        for filter_ in ("", "?api_filter=deprecated")
        for each in get(gateway, f"/v1/inspect/routes{filter_}").json()["data"]
    }
    assert listed == described


def test_every_error_is_as_described(gateway: Front, document: Document) -> None:
    judge = document.validator("ErrorResponse")
    for path in ("/nowhere", "/v1/models/nobody/nothing", "/v1/providers/nobody", "/v1/inspect/routes?api_filter=v9"):
        answer = get(gateway, path)
        assert answer.status_code in {400, 404}
        judge.validate(answer.json())
    gateway.service.plays(refuses(418))
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", content=chat_body(), headers=JSON)
    assert answer.status_code == 400
    judge.validate(answer.json())


# ── other names ─────────────────────────────────────────────────────────────────────────────────────────────────────

TWINS = {
    "/v1/openai/v1/models": "/v1/models",
    f"/v1/openai/v1/models/{MODEL}": f"/v1/models/{MODEL}",
    "/v1/openai/v1/models/nobody/nothing": "/v1/models/nobody/nothing",
    "/v1alpha/admin/health": "/v1/health",
    "/v1alpha/admin/version": "/v1/version",
    "/v1alpha/admin/inspect/routes": "/v1/inspect/routes",
    "/v1alpha/admin/inspect/routes?api_filter=v1alpha": "/v1/inspect/routes?api_filter=v1alpha",
    "/v1alpha/admin/providers": "/v1/providers",
    "/v1alpha/admin/providers/openai": "/v1/providers/openai",
    "/v1alpha/admin/providers/nobody": "/v1/providers/nobody",
}


@pytest.mark.parametrize(("other", "path"), TWINS.items(), ids=TWINS)
def test_another_name_answers_the_same(gateway: Front, other: str, path: str) -> None:
    one, two = get(gateway, other), get(gateway, path)
    assert (one.status_code, one.content) == (two.status_code, two.content)


def test_the_sdk_works_over_the_old_prefix(gateway: Front) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1/openai/v1", api_key="none", max_retries=0) as client:
        gateway.service.plays(answers(answer_of()))
        assert client.chat.completions.create(model=MODEL, messages=TALK).choices[0].message.content == "hello"
        assert client.models.retrieve(MODEL).id == MODEL
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody/nothing")
        gateway.service.plays(streams(*STORY))
        said = [each.choices[0].delta.content for each in client.chat.completions.create(
            model=MODEL, messages=TALK, stream=True
        )]  # fmt: skip
    assert said == ["one", " two", None]


# ── the request's id ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_given_request_id_comes_back_and_goes_on(gateway: Front) -> None:
    gateway.service.plays(answers(answer_of()))
    headers = {**JSON, "x-request-id": "trace-me:1.2_3"}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", content=chat_body(), headers=headers)
    assert answer.headers["x-request-id"] == "trace-me:1.2_3"
    assert gateway.service.requests[0].headers["x-request-id"] == "trace-me:1.2_3"


def test_it_comes_with_streams_and_errors_too(gateway: Front) -> None:
    headers = {**JSON, "x-request-id": "mine"}
    gateway.service.plays(streams(*STORY))
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", content=chat_body(stream=True), headers=headers)
    assert answer.headers["x-request-id"] == "mine"
    for path in ("/nowhere", "/v1/chat/completions"):
        assert httpx.get(gateway.url + path, headers=headers).headers["x-request-id"] == "mine"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "<script>", "a,b"])
def test_an_id_that_could_do_harm_is_replaced(gateway: Front, given: str) -> None:
    answer, _ = send(gateway, "GET", "/v1/health", **{"x-request-id": given})
    assert re.fullmatch(r"req_[0-9a-f]+", str(answer.headers["x-request-id"]))


def test_ids_are_made_and_differ(gateway: Front) -> None:
    with gateway.client() as client:
        gateway.service.plays(answers(answer_of()))
        ids = [client.chat.completions.create(model=MODEL, messages=TALK)._request_id for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(id is not None and id.startswith("req_") for id in ids)


# ── verbs and wrong turns ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/v1/models", f"/v1/models/{MODEL}", "/v1/health", "/openapi.json", "/metrics"])
def test_head_is_get_without_a_body(gateway: Front, path: str) -> None:
    head, content = send(gateway, "HEAD", path)
    assert (head.status, content) == (200, b"")
    assert head.headers["content-type"] == get(gateway, path).headers["content-type"]
    if path != "/metrics":
        assert int(head.headers["content-length"]) == len(get(gateway, path).content)


def test_head_of_nothing_is_not_found_without_a_body(gateway: Front) -> None:
    head, content = send(gateway, "HEAD", "/v1/models/nobody/nothing")
    assert (head.status, content) == (404, b"")


OPTIONS = {
    "/v1/chat/completions": "OPTIONS, POST",
    "/v1/openai/v1/embeddings": "OPTIONS, POST",
    "/v1/models": "GET, HEAD, OPTIONS",
    f"/v1/models/{MODEL}": "GET, HEAD, OPTIONS",
    "/metrics": "GET, HEAD, OPTIONS",
}


@pytest.mark.parametrize("path", OPTIONS)
def test_options_tells_the_verbs(gateway: Front, path: str) -> None:
    answer, content = send(gateway, "OPTIONS", path)
    assert (answer.status, content, answer.headers["allow"]) == (204, b"", OPTIONS[path])


@pytest.mark.parametrize("path", OPTIONS)
@pytest.mark.parametrize("verb", ["DELETE", "PUT", "PATCH", "BREW"])
def test_a_verb_that_a_path_does_not_take_is_not_allowed(gateway: Front, verb: str, path: str) -> None:
    answer, content = send(gateway, verb, path)
    if verb == "BREW":  # no verb that HTTP knows: refused before it is read
        assert answer.status in {400, 405}
        return
    assert answer.status == 405
    assert answer.headers["allow"] == OPTIONS[path]
    assert error_of(content)["code"] == "method_not_supported"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/v1", "/v1/", "/v2/models", "/v1/chat/completions/", "/v1/Models", "/v1/models/", "//v1/models"),
        *("/v1/responses", "/docs", "/redoc", "/v1/../metrics", "/v1alpha/chat/completions", "/v1/openai/v1/health"),
        "/" + "x" * 5000,
    ],
)
@pytest.mark.parametrize("verb", ["GET", "POST", "OPTIONS"])
def test_what_is_not_here_is_not_found(gateway: Front, verb: str, path: str) -> None:
    answer, content = send(gateway, verb, path)
    assert answer.status == 404
    error = error_of(content)
    assert (error["type"], error["param"]) == ("invalid_request_error", None)
    assert len(content) < 1000
    assert "x-request-id" in answer.headers


def test_not_found_is_the_sdks_not_found(gateway: Front) -> None:
    with gateway.client() as client, pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model=MODEL, input="hi")
    assert caught.value.code == "unknown_url"


def test_a_stream_is_not_to_be_kept_or_gathered_on_its_way(gateway: Front) -> None:
    gateway.service.plays(streams(*STORY))
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", content=chat_body(stream=True), headers=JSON)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"


def test_a_connection_serves_many_requests_whatever_becomes_of_them(gateway: Front) -> None:
    with httpx.Client(base_url=gateway.url, headers=JSON) as client, connect(gateway):
        for script, body, status in (
            (answers(answer_of()), chat_body(), 200),
            (answers(answer_of()), b"{", 400),
            (streams(*STORY), chat_body(stream=True), 200),
            (refuses(401), chat_body(), 401),
            (streams(*STORY[:1], done=False, ending="break"), chat_body(stream=True), 200),
            (answers(answer_of()), chat_body(), 200),
        ):
            gateway.service.plays(script)
            answer = client.post("/v1/chat/completions", content=body)
            assert answer.status_code == status
            assert answer.headers.get("connection", "keep-alive") == "keep-alive"


def test_metrics_are_prometheus_text(gateway: Front) -> None:
    stream_text(gateway)
    answer = get(gateway, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    for line in answer.text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [0-9.e+-]+", line), line
