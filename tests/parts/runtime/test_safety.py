"""What a client sends to harm the server or those who read its accounts does neither."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from http_calls import Provider, call, make_app
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.contracts.wire import WireModel
from parts.runtime.context import Context, Usage
from parts.runtime.errors import BadRequest
from parts.runtime.http_request import validate
from parts.runtime.metrics import LONGEST_MODEL, MAX_MODELS, OTHER_MODELS, Accounts

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
GOOD: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Bias(WireModel):
    logit_bias: dict[str, int]


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_body_of_a_million_faults_is_told_the_first_and_costs_little() -> None:
    body = b'{"model":"m","messages":[' + b"1," * 500_000 + b"1]}"
    started = time.process_time()
    with pytest.raises(BadRequest, match=r"messages\.0: expected an object") as caught:
        validate(CreateChatCompletionRequest, body)
    assert caught.value.param == "messages.0"
    # Taken apart one by one they take seconds.
    assert time.process_time() - started < 0.5


def test_an_object_of_many_faults_is_not_taken_apart() -> None:
    body = json.dumps({"logit_bias": {str(number): "x" for number in range(2000)}}).encode()
    with pytest.raises(BadRequest, match="2000 values of a wrong type"):
        validate(Bias, body)


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("bad", ["", "x", TRACE + "\x00", TRACE + "-é", TRACE.upper(), TRACE + "-" + "x" * 5000])
async def test_a_trace_that_is_none_is_not_sent_on(bad: str) -> None:
    provider = Provider()
    await call(make_app(provider), "POST", CHAT, json.dumps(GOOD).encode(), {**JSON, "traceparent": bad})
    await call(make_app(provider), "POST", CHAT, json.dumps(GOOD).encode(), {**JSON, "traceparent": TRACE})
    assert [ctx.trace for _, ctx in provider.seen] == [None, TRACE]


# ── the accounts ────────────────────────────────────────────────────────────────────────────────────────────────────


def models_of(accounts: Accounts) -> set[str]:
    lines = accounts.exposition()[0].decode().splitlines()
    return {line.split('model="')[1].split('"')[0] for line in lines if line.startswith("stack_requests_total")}


def count(accounts: Accounts, model: str, status: int) -> None:
    accounts.begin()
    accounts.end("POST /chat", Context("r", usage=Usage("up", model)), status, 0.1)


async def test_names_that_never_worked_and_long_ones_get_no_label() -> None:
    accounts = Accounts()
    for number in range(2 * MAX_MODELS):
        count(accounts, f"made-up-{number}", 404)
    count(accounts, "x" * (LONGEST_MODEL + 1), 200)
    count(accounts, "real", 200)
    count(accounts, "real", 502)
    assert models_of(accounts) == {OTHER_MODELS, "real"}


async def test_there_are_only_so_many_models() -> None:
    accounts = Accounts()
    for number in range(MAX_MODELS + 50):
        count(accounts, f"m{number}", 200)
    assert len(models_of(accounts)) == MAX_MODELS + 1


async def test_a_models_name_makes_no_line_of_its_own_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    count(Accounts(log_requests=True), "m\nINFO forged", 200)
    assert "\n" not in caplog.records[0].getMessage()


async def test_a_stream_that_broke_is_no_success_in_the_accounts() -> None:
    accounts = Accounts()
    body = json.dumps({**GOOD, "model": "half", "stream": True}).encode()
    got = await call(make_app(Provider(), accounts), "POST", CHAT, body, JSON)
    assert got.status == 200
    assert 'status="502"' in accounts.exposition()[0].decode()
