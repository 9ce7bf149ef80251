"""What a built gateway accepts and refuses, with its own OpenAPI document as the judge.

Every property of every request, at every depth, is replaced by what may or may not stand there; the server must accept
what the document allows and refuse what it forbids, naming the property. A request for a model that nobody serves is
refused as such (404) only once it is valid, so that no service is needed.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import Built
from .fronts import TALK, Front
from .wire_samples import Document, mutations

pytestmark = pytest.mark.slow

# Where a request goes, and the least that one holds.
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "CreateChatCompletionRequest": ("/v1/chat/completions", {"messages": TALK}),
    "CreateCompletionRequest": ("/v1/completions", {"prompt": "hi"}),
    "CreateEmbeddingRequest": ("/v1/embeddings", {"input": "hi"}),
    "RerankRequest": ("/v1alpha/inference/rerank", {"query": "hi", "items": ["hi"]}),
}
NOBODYS = "nobody/nothing"

Ask = Callable[[str, object], tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def document(build: Callable[[str], Built]) -> Document:
    return Document.read(build("gateway").openapi)


@pytest.fixture(scope="module")
def ask(gateway: Front) -> Iterator[Ask]:
    """POSTs JSON over one kept connection; the status and the error object."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=20)

    def send(path: str, body: object) -> tuple[int, dict[str, Any]]:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["error"]

    yield send
    connection.close()


def bodies_of(document: Document, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(the property that is changed, the whole request)."""
    _, least = REQUESTS[name]
    for key, values in document.properties(name).items():
        if key == "model":
            continue
        for value in values:
            # A list holds one of everything: taken apart, its items are changed in small company.
            for one in [[item] for item in value] if isinstance(value, list) else [value]:
                yield key, {"model": NOBODYS, **least, key: one}
                for _, other in mutations(one):
                    yield key, {"model": NOBODYS, **least, key: other}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_the_document_allows_is_accepted_and_nothing_else(document: Document, ask: Ask, name: str) -> None:
    path, _ = REQUESTS[name]
    judge = document.with_optional_nulls().validator(name)
    accepted = refused = 0
    for key, body in bodies_of(document, name):
        allowed = judge.is_valid(body)
        status, error = ask(path, body)
        assert (status, allowed) in {(404, True), (400, False)}, f"{key}: {body[key]!r} → {error}"
        if allowed:
            accepted += 1
            assert error["code"] == "model_not_found"
        else:
            refused += 1
            assert str(error["param"]).partition(".")[0] == key, f"{key}: {body[key]!r} → {error}"
            assert error["type"] == "invalid_request_error"
    # Both happen, and often: a judge that is always of one mind judges nothing.
    assert min(accepted, refused) > 50


@pytest.mark.parametrize("name", REQUESTS)
def test_what_the_document_requires_is_required(document: Document, ask: Ask, name: str) -> None:
    path, least = REQUESTS[name]
    whole = {"model": NOBODYS, **least}
    required = set(document.schemas[name]["required"])
    assert required == set(whole)
    for missing in required:
        status, error = ask(path, {key: value for key, value in whole.items() if key != missing})
        assert (status, error["param"], error["code"]) == (400, missing, "missing_required_parameter")


# The limits, by hand: should the document lose one, the judge above would not miss it.
LIMITS: list[tuple[str, str, list[object], list[object]]] = [
    ("chat", "temperature", [0, 0.7, 2], [-0.1, 2.1, "1", True, [1]]),
    ("chat", "top_p", [0, 1], [-0.01, 1.01]),
    ("chat", "n", [1, 128], [0, 129, 1.5]),
    ("chat", "top_logprobs", [0, 20], [-1, 21]),
    ("chat", "frequency_penalty", [-2, 2], [-2.1, 2.1]),
    ("chat", "presence_penalty", [-2, 2], [-2.1, 2.1]),
    ("chat", "seed", [-(2**63), 2**63 - 1], [-(2**63) - 1, 2**63]),
    ("chat", "stop", ["a", ["a"] * 4, None], [[], ["a"] * 5, 5]),
    ("chat", "reasoning_effort", ["minimal", None], ["utmost"]),
    ("chat", "safety_identifier", ["x" * 64], ["x" * 65]),
    ("chat", "response_format", [{"type": "text"}], [{"type": "json_schema"}, {"type": "xml"}, "text"]),
    ("chat", "tool_choice", ["auto", "none", "required"], ["any", {"type": "function"}]),
    ("chat", "tools", [[], [{"type": "browser_search"}]], [[{"type": "function"}], [{}], ["weather"]]),
    ("chat", "metadata", [{}, {"a": "b"}], [{"a": 1}, []]),
    ("chat", "logit_bias", [{"50256": -100}], [{"50256": "low"}]),
    ("chat", "messages", [TALK], [[], TALK[0], [{"role": "user"}], [{"content": "hi"}]]),
    ("completions", "logprobs", [0, 5], [-1, 6]),
    ("completions", "best_of", [0, 20], [-1, 21]),
    ("completions", "max_tokens", [0, 16], [-1, "16"]),
    ("completions", "prompt", ["", ["a"], [1, 2], [[1], [2]], None], [5, [None], [[]], {}]),
    ("embeddings", "dimensions", [1, 4096], [0, -1, "256"]),
    ("embeddings", "encoding_format", ["float", "base64"], ["hex"]),
    ("embeddings", "input", ["a", ["a"] * 2048, [1], [[1]]], [[], ["a"] * 2049, 5, [[]]]),
]
SHORT = {"chat": "CreateChatCompletionRequest", "completions": "CreateCompletionRequest"}


@pytest.mark.parametrize(("api", "key", "good", "bad"), LIMITS, ids=[f"{api}-{key}" for api, key, *_ in LIMITS])
def test_limits(ask: Ask, api: str, key: str, good: list[object], bad: list[object]) -> None:
    path, least = REQUESTS[SHORT.get(api, "CreateEmbeddingRequest")]
    for value in good:
        assert ask(path, {"model": NOBODYS, **least, key: value})[0] == 404, value
    for value in bad:
        status, error = ask(path, {"model": NOBODYS, **least, key: value})
        assert status == 400, value
        assert str(error["param"]).startswith(key)
