"""The example distribution, as its clients see it."""

from __future__ import annotations

from conftest import Serve


def test_both_kinds_of_provider_are_listed(serve: Serve) -> None:
    server = serve("example")
    assert "hello" in [each["provider_id"] for each in server.get("/v1/providers")["data"]]


def test_our_provider_answers(serve: Serve) -> None:
    body = {"model": "hello/echo", "messages": [{"role": "user", "content": "good morning"}]}
    answer = serve("example").post("/v1/chat/completions", body)
    assert answer["choices"][0]["message"]["content"] == "You said: good morning"
