"""`stackgen run --try` against servers that answer what a real one seldom does; the real ones are in tests/built."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from stackgen.trial import NotTried, Server, Trial, ask, choose

LLM = {"id": "a/text", "model_type": "llm", "provider_id": "a"}
VECTORS = {"id": "b/vectors", "model_type": "embedding", "provider_id": "b"}
WELL = {"data": [{"provider_id": "a", "health": {"status": "OK"}}]}
CHAT = {"choices": [{"message": {"content": " Paris. "}}]}
TRIAL = Trial(prompt="It's 5 o'clock?", request={"max_tokens": 3}, advice="")

Answers = Mapping[str, tuple[int, object]]


@contextmanager
def serving(answers: Answers, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """(URL, bodies of the requests) of a server that has these answers, by path."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self) -> None:
            status, document = answers[self.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(document if isinstance(document, bytes) else json.dumps(document).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answers(models: list[object], path: str, status: int, document: object) -> Answers:
    return {"/v1/models": (200, {"data": models}), "/v1/providers": (200, WELL), path: (status, document)}


def test_what_is_printed_is_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(answers([VECTORS, LLM], "/v1/chat/completions", 200, CHAT)) as (url, bodies):
        ask(Server(url), TRIAL)
    out = capsys.readouterr().out
    assert f"curl {url}/v1/chat/completions -H 'content-type: application/json' \\\n  -d '" in out
    assert out.endswith("\n\nParis.\n")
    assert json.loads(bodies[0])["messages"] == [{"role": "user", "content": "It's 5 o'clock?"}]
    assert bodies[0].decode().replace("'", "'\"'\"'") in out


def test_a_server_with_tls_is_asked_without_checking_whose_name_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("stack.example").configure_cert(tls)
    with serving(answers([LLM], "/v1/chat/completions", 200, CHAT), tls) as (url, _):
        ask(Server(url), TRIAL)
    out = capsys.readouterr().out
    assert "curl -k https://127.0.0.1:" in out
    assert "Paris." in out


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(answers([LLM], "/v1/chat/completions", 200, CHAT)) as (url, bodies):
        ask(Server(url), TRIAL)
    assert len(bodies) == 1


def test_only_models_for_embeddings_are_asked_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"data": [{"embedding": [0.5, 1.0, 2.0]}]}
    with serving(answers([VECTORS], "/v1/embeddings", 200, found)) as (url, _):
        ask(Server(url), TRIAL)
    assert "a vector of 3 numbers: 0.5, 1.0, 2.0, …" in capsys.readouterr().out


def test_a_model_without_a_chat_template_is_asked_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"error": {"message": "no chat template", "code": "no_chat_template"}}
    with serving(
        {
            **answers([LLM], "/v1/chat/completions", 400, refused),
            "/v1/completions": (200, {"choices": [{"text": "and on"}]}),
        }
    ) as (url, bodies):
        ask(Server(url), TRIAL)
    assert json.loads(bodies[1]) == {"model": "a/text", "prompt": TRIAL.prompt, "max_tokens": 3}
    assert capsys.readouterr().out.endswith("and on\n")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"error": {"message": "no such key", "code": "x"}}, "HTTP 401: no such key"),
        (b"<html>", "HTTP 401: http://127.0.0.1:.*/v1/chat/completions cannot be used"),
    ],
)
def test_an_error_is_said_in_its_own_words(document: object, said: str) -> None:
    with (
        serving(answers([LLM], "/v1/chat/completions", 401, document)) as (url, _),
        pytest.raises(NotTried, match=said),
    ):
        ask(Server(url), TRIAL)


def test_an_answer_without_words_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    thought = {"choices": [{"message": {"content": None, "reasoning_content": "hm"}}]}
    with serving(answers([LLM], "/v1/chat/completions", 200, thought)) as (url, _):
        ask(Server(url), TRIAL)
    assert '"reasoning_content": "hm"' in capsys.readouterr().out


def test_a_provider_that_is_not_well_is_passed_over() -> None:
    assert choose([LLM, VECTORS], {"a": "it is broken"}, "") == VECTORS


def test_without_a_model_the_reasons_are_told() -> None:
    with pytest.raises(NotTried, match=r"serves on, without these providers:\n  a: it is broken\nsay so"):
        choose([LLM], {"a": "it is broken"}, "\nsay so")
    with pytest.raises(NotTried, match="there is no model to try; it serves on"):
        choose([], {}, "")


def test_a_server_that_is_gone_is_said() -> None:
    with pytest.raises(NotTried, match="does not answer"):
        ask(Server("http://127.0.0.1:9"), TRIAL)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_server_is_tried_where_it_says_it_serves(host: str) -> None:
    with serving(answers([LLM], "/v1/chat/completions", 200, CHAT)) as (url, _):
        port = url.rpartition(":")[2]
        said = followed(f"not yet\nserving x on http://{host}:{port}, 2 workers\nmore\n")
    assert said.startswith(f"not yet\nserving x on http://{host}:{port}, 2 workers\n\ncurl {url}/v1")
    assert said.endswith("Paris.\nmore\n")


def test_what_goes_wrong_in_trying_does_not_keep_the_server_from_printing() -> None:
    with serving({"/v1/models": (200, {"data": [LLM]})}) as (url, _):
        said = followed(f"serving x on {url}\nmore\n")
    assert said == f"serving x on {url}\nmore\n"


def followed(printed: str) -> str:
    """What a person sees of what a server prints; in a process of its own, since it takes signals over."""
    program = "from stackgen.trial import Trial, follow; follow(0, Trial(prompt='Hi', request={}, advice=''))"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "generator")}
    done = subprocess.run(
        [sys.executable, "-c", program], input=printed, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout
