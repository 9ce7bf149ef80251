"""curl against built servers: what goes over the wire, to the byte."""

from __future__ import annotations

import json
import subprocess

import pytest

from .conftest import Served

pytestmark = pytest.mark.slow


def curl(*arguments: str) -> str:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def body(served: Served, **more: object) -> str:
    messages = [{"role": "user", "content": "Count: one two three four"}]
    return json.dumps({"model": served.model, "messages": messages, "max_tokens": 4, **more})


def test_a_chat_completion(served: Served) -> None:
    answer = json.loads(
        curl(f"{served.url}/v1/chat/completions", "-H", "content-type: application/json", "-d", body(served))
    )
    assert answer["choices"][0]["message"]["content"]


def test_a_form_is_refused_by_name(served: Served) -> None:
    """curl's `-d` says it is a form where no header says otherwise."""
    answer = json.loads(curl(f"{served.url}/v1/chat/completions", "-d", body(served)))
    assert "application/json" in answer["error"]["message"]


def test_a_stream_is_events_and_ends_with_done(served: Served) -> None:
    text = curl(
        "--no-buffer", "--include", f"{served.url}/v1/chat/completions",
        "-H", "content-type: application/json", "-d", body(served, stream=True),
    )  # fmt: skip
    head, _, events = text.replace("\r\n", "\n").partition("\n\n")
    assert "content-type: text/event-stream" in head.lower()
    assert events.endswith("data: [DONE]\n\n")
    datas = [event.removeprefix("data: ") for event in events.strip().split("\n\n")]
    assert all(json.loads(data)["object"] == "chat.completion.chunk" for data in datas[:-1])


def test_an_error_is_an_error_object(served: Served) -> None:
    answer = json.loads(curl(f"{served.url}/v1/chat/completions", "-H", "content-type: application/json", "-d", "{"))
    assert set(answer["error"]) >= {"message", "type", "param", "code"}


def test_the_upstreams_own_fields_come_through(served: Served) -> None:
    """llama.cpp sends `timings`, which no document describes."""
    answer = json.loads(
        curl(f"{served.url}/v1/chat/completions", "-H", "content-type: application/json", "-d", body(served))
    )
    assert "predicted_n" in answer["timings"]


def test_usage_is_counted(served: Served) -> None:
    curl(f"{served.url}/v1/chat/completions", "-H", "content-type: application/json", "-d", body(served))
    lines = [line for line in curl(f"{served.url}/metrics").splitlines() if not line.startswith("#")]
    assert any(f'"{served.instance}"' in line and "tokens" in line for line in lines), lines
