"""A service that fails: what its failures become for a client of the server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import openai
import pytest
from upstreams import (
    Script,
    answers,
    breaks_off,
    chunk,
    drops,
    hangs,
    in_seconds,
    refuses,
    shows_html,
    streams,
    talks_nonsense,
    waits,
)

from .fronts import (
    HEADER_KEY,
    MODEL,
    PATIENT_MODEL,
    READ_SECONDS,
    SETTINGS_KEY,
    TALK,
    Front,
    answer_of,
    becomes_true,
)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _goes_on(gateway: Front) -> Iterator[None]:
    yield
    assert gateway.is_well()


def fails(gateway: Front, *scripts: Script, model: str = MODEL, **more: object) -> openai.APIStatusError:
    """What the SDK raises where the service does this."""
    gateway.service.plays(*scripts)
    with gateway.client() as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=model, messages=TALK, extra_body=more)
    error = caught.value
    assert isinstance(error.body, dict)
    assert error.body.keys() == {"message", "type", "param", "code"}
    assert "Traceback" not in error.response.text
    assert SETTINGS_KEY not in error.response.text
    return error


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Until its first event has come, a stream fails as a whole answer does."""
    return bool(request.param)


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────

# status of the service → status here, the SDK's exception, the error's type
REFUSALS = {
    400: (400, openai.BadRequestError, "invalid_request_error"),
    401: (401, openai.AuthenticationError, "authentication_error"),
    403: (403, openai.PermissionDeniedError, "permission_error"),
    404: (404, openai.NotFoundError, "invalid_request_error"),
    409: (409, openai.ConflictError, "invalid_request_error"),
    418: (400, openai.BadRequestError, "invalid_request_error"),
    422: (422, openai.UnprocessableEntityError, "invalid_request_error"),
    429: (429, openai.RateLimitError, "rate_limit_error"),
    500: (502, openai.InternalServerError, "upstream_error"),
    501: (502, openai.InternalServerError, "upstream_error"),
    503: (503, openai.InternalServerError, "service_unavailable"),
    302: (502, openai.InternalServerError, "upstream_error"),
}


@pytest.mark.parametrize("said", REFUSALS)
def test_a_refusal_keeps_its_meaning_and_its_words(gateway: Front, stream: bool, said: int) -> None:
    error = fails(gateway, refuses(said, "because I say so"), stream=stream)
    status, kind, type_ = REFUSALS[said]
    assert (error.status_code, type(error), error.type) == (status, kind, type_)
    if said >= 400:
        assert "because I say so" in error.message
        assert error.code == "some_code"


def test_a_key_in_a_refusal_is_masked(gateway: Front) -> None:
    error = fails(gateway, refuses(401, f"Incorrect API key provided: {SETTINGS_KEY}."))
    assert type(error) is openai.AuthenticationError
    assert "Incorrect API key provided: ********" in error.message


def test_a_clients_own_key_in_a_refusal_is_masked(gateway: Front) -> None:
    gateway.service.plays(refuses(401, f"Incorrect API key provided: {HEADER_KEY}."))
    headers = {"X-LlamaStack-Provider-Data": json.dumps({"openai_api_key": HEADER_KEY})}
    with gateway.client(default_headers=headers) as client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model=MODEL, messages=TALK)
    assert HEADER_KEY not in caught.value.response.text
    assert gateway.service.requests[0].headers["authorization"] == f"Bearer {HEADER_KEY}"


def test_too_many_requests_are_tried_again_after_the_wait_that_was_asked_for(gateway: Front, stream: bool) -> None:
    started = time.monotonic()
    error = fails(gateway, refuses(429, headers={"Retry-After": "1"}), stream=stream)
    assert type(error) is openai.RateLimitError
    assert error.response.headers["retry-after"] == "1"
    assert len(gateway.service.requests) == 2
    assert time.monotonic() - started > 0.9


@pytest.mark.parametrize("wait", [str, in_seconds], ids=["seconds", "a-date"])
def test_a_long_wait_is_the_clients(gateway: Front, wait: Callable[[int], str]) -> None:
    error = fails(gateway, refuses(429, headers={"Retry-After": wait(3600)}))
    assert type(error) is openai.RateLimitError
    assert 3500 < int(error.response.headers["retry-after"]) <= 3601
    assert len(gateway.service.requests) == 1


@pytest.mark.parametrize("said", [429, 500, 503])
def test_what_goes_well_the_second_time_went_well(gateway: Front, said: int) -> None:
    gateway.service.plays(refuses(said), answers(answer_of("at last")))
    with gateway.client() as client:
        answer = client.chat.completions.create(model=MODEL, messages=TALK)
    assert answer.choices[0].message.content == "at last"
    first, second = gateway.service.requests
    assert first.body == second.body
    assert first.headers["x-request-id"] == second.headers["x-request-id"]


# ── no answer, or none that is one ──────────────────────────────────────────────────────────────────────────────────

NO_ANSWERS: dict[str, Script] = {
    "a-closed-connection": drops,
    "no-http": talks_nonsense,
    "half-an-answer": breaks_off,
    "a-page": shows_html(200),
    "a-page-of-502": shows_html(502),
    "an-answer-of-another-shape": answers({"hello": 1}),
    "a-list": answers([1]),
    "null": answers(None),
    "no-json": answers(b"{", content_type="application/json"),
    "nothing": answers(b""),
    "an-error-with-status-200": answers({"error": {"message": "not quite"}}),
}


@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_a_bad_gateway(gateway: Front, stream: bool, script: Script) -> None:
    error = fails(gateway, script, stream=stream)
    assert (error.status_code, type(error)) == (502, openai.InternalServerError)
    assert error.type == "upstream_error"
    assert "<html>" not in error.message


def test_half_a_choice_for_a_stream_is_a_bad_gateway(gateway: Front) -> None:
    """A whole answer where a stream was asked for, and the other way round."""
    assert fails(gateway, answers(answer_of()), stream=True).status_code == 502
    assert fails(gateway, streams(chunk("one")), stream=False).status_code == 502


def test_a_service_that_refuses_connections_is_a_bad_gateway(gateway: Front) -> None:
    """The one thing that the fake cannot play: an instance whose service is not there."""
    with gateway.client() as client, pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="ollama/anything", messages=TALK)
    assert caught.value.status_code == 502
    assert "refuses connections" in caught.value.message


def test_a_silent_service_is_a_gateway_timeout_within_the_configured_time(gateway: Front, stream: bool) -> None:
    started = time.monotonic()
    error = fails(gateway, hangs, stream=stream)
    took = time.monotonic() - started
    assert (error.status_code, type(error), error.type) == (504, openai.InternalServerError, "timeout_error")
    # Once, since a service that is silent for so long is probably at work.
    assert READ_SECONDS * 0.9 < took < READ_SECONDS * 1.8
    assert becomes_true(lambda: gateway.service.was_cut)


def test_a_slow_service_is_waited_for(gateway: Front) -> None:
    gateway.service.plays(waits(READ_SECONDS * 1.2, answers(answer_of("slowly"))))
    with gateway.client() as client:
        answer = client.chat.completions.create(model=PATIENT_MODEL, messages=TALK)
    assert answer.choices[0].message.content == "slowly"


# ── a client that gives up ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_that_leaves_ends_the_work_of_its_call(gateway: Front) -> None:
    gateway.service.plays(hangs)
    with gateway.client(timeout=0.3) as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model=PATIENT_MODEL, messages=TALK)
    assert becomes_true(lambda: gateway.service.was_cut)
    assert gateway.total("stack_requests_total", instance="vllm", status="499") >= 1
