"""The first request to a server that has just been started: `stackgen run NAME --try`.

`follow` passes on what the server prints. When it says that it serves, a model is chosen, the curl command that asks it
something is printed, the same request is sent, and its answer printed. Results go to standard output, what is in the
way of them to standard error; whatever happens here, the server goes on.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import ssl
import sys
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .plan import JsonValue

PROMPT = "What is the capital of France?"

PATIENCE_SECONDS = 6.0
"""How long the server's own checks of its providers are waited for: they take 3 s at most."""

_SERVES = re.compile(rb"serving \S+ on (?P<scheme>https?)://(?P<host>\[[^\]]*\]|[^:\s]*):(?P<port>\d+)")
_EVERY = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}

Json = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """prompt: what to ask. request: what else the request says. advice: how to get a model, where none can be tried."""

    prompt: str
    request: Json
    advice: str


class NotTried(Exception):
    """There is nothing to try, or it failed; the message says why."""


def follow(reading: int, trial: Trial) -> None:
    """Passes on what comes from a pipe until it ends, and tries the server once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # They are for the server; when that has ended, the pipe ends.
        signal.signal(number, signal.SIG_IGN)
    tried = False
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        for line in pipe:
            _print(line.decode(errors="replace"))
            found = None if tried else _SERVES.match(line)
            if found:
                tried = True
                _try(found, trial)


def _try(found: re.Match[bytes], trial: Trial) -> None:
    scheme, host, port = (found[name].decode() for name in ("scheme", "host", "port"))
    server = Server(f"{scheme}://{_EVERY.get(host, host)}:{port}")
    # Ctrl-C is for the server, which would wait for the request that is running here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        ask(server, trial)
    except NotTried as error:
        sys.stderr.write(f"stackgen run: {error}\n")
        sys.stderr.flush()
    except KeyboardInterrupt:
        pass
    except Exception:
        # A fault of ours: it is shown, and what the server prints is still passed on.
        traceback.print_exc()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def ask(server: Server, trial: Trial) -> None:
    """Chooses a model, asks it, and prints both. Raises NotTried."""
    model = choose(_listed(server.get("/v1/models")), _settled(server), trial.advice)
    name = str(model.get("id"))
    if model.get("model_type") == "embedding":
        _print(_embedding(server.post("/v1/embeddings", {"model": name, "input": trial.prompt})))
        return
    talk: list[JsonValue] = [{"role": "user", "content": trial.prompt}]
    try:
        answer = server.post("/v1/chat/completions", {"model": name, "messages": talk, **trial.request})
    except Refused as refusal:
        if refusal.code != "no_chat_template":
            raise
        sys.stderr.write(f"stackgen run: {refusal}\n")
        # A model that was not trained to answer finds no end by itself.
        answer = server.post(
            "/v1/completions", {"model": name, "prompt": trial.prompt, "max_tokens": 32, **trial.request}
        )
    _print(_words(answer))


def choose(models: Sequence[Json], health: Mapping[str, str], advice: str) -> Json:
    """The first model for text of a provider that is well, else the first for embeddings. Raises NotTried.

    health: what is wrong with each provider that is not well.
    """
    well = [each for each in models if str(each.get("provider_id")) not in health]
    for kind in ("llm", "embedding"):
        for model in well:
            if model.get("model_type") == kind:
                return model
    reasons = "".join(f"\n  {name}: {problem}" for name, problem in health.items())
    if reasons:
        raise NotTried(f"no model can be tried; it serves on, without these providers:{reasons}{advice}")
    raise NotTried(f"there is no model to try; it serves on{advice}")


# ── the server ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Refused(NotTried):
    """An error that the server answered. code: its own, "" where it has none."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Server:
    """The server on this machine, without whatever proxy the environment names."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Its certificate is for the name that its clients use, and this asks the process that was just started.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def get(self, path: str) -> JsonValue:
        return self._send(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Json) -> JsonValue:
        """Prints what a person would type for it, and sends it. Raises NotTried."""
        data = json.dumps(body, ensure_ascii=False)
        insecure = " -k" if self.url.startswith("https:") else ""
        _print(
            f"\ncurl{insecure} {self.url}{path} -H 'content-type: application/json' \\\n  -d {shlex.quote(data)}\n\n"
        )
        headers = {"content-type": "application/json"}
        return self._send(urllib.request.Request(self.url + path, data.encode(), headers))

    def _send(self, request: urllib.request.Request) -> JsonValue:
        try:
            with self._opener.open(request) as answer:
                return _parsed(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                said = _parsed(error.read())
            fault = said.get("error") if isinstance(said, dict) else None
            fault = fault if isinstance(fault, dict) else {}
            message = fault.get("message") or f"{request.full_url} cannot be used"
            raise Refused(f"HTTP {error.code}: {message}", str(fault.get("code") or "")) from None
        except (OSError, http.client.HTTPException) as error:
            raise NotTried(f"{request.full_url} does not answer: {error}") from None


def _parsed(body: bytes) -> JsonValue:
    try:
        found: JsonValue = json.loads(body)
    except ValueError:
        return None
    return found


def _listed(answer: JsonValue) -> list[Json]:
    data = answer.get("data") if isinstance(answer, dict) else None
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _settled(server: Server) -> dict[str, str]:
    """What is wrong with each provider that is not well, once the server has looked."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found: dict[str, str] = {}
        waiting = False
        for provider in _listed(server.get("/v1/providers")):
            health = provider.get("health")
            status, message = (health.get("status"), health.get("message")) if isinstance(health, dict) else ("", "")
            waiting = waiting or message == "not checked yet"
            if status == "Error":
                found[str(provider.get("provider_id"))] = str(message)
        if not waiting or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _words(answer: JsonValue) -> str:
    """What a completion says, or the whole of it where it says nothing that a person could read."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(choice, dict):
        message = choice.get("message")
        found = message.get("content") if isinstance(message, dict) else choice.get("text")
        if isinstance(found, str) and found.strip():
            return found.strip() + "\n"
    return json.dumps(answer, ensure_ascii=False) + "\n"


def _embedding(answer: JsonValue) -> str:
    data = _listed(answer)
    vector = data[0].get("embedding") if data else None
    if not isinstance(vector, list):
        return json.dumps(answer, ensure_ascii=False) + "\n"
    return f"a vector of {len(vector)} numbers: {', '.join(map(str, vector[:4]))}, …\n"


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
