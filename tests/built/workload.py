"""Clients that write without pause, remember what they were told is kept, and look for it in the end.

A call that gets no answer, or one of a server that fails or stops, is asked again until it is answered; whatever a
client had no answer to may or may not have been kept, and is not looked for. What is answered 2xx has to be there.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import openai
from openai import OpenAI

PATIENCE_SECONDS = 90.0
LINES = 12
PROVIDER = "upstream"

T = TypeVar("T")


@dataclass(slots=True)
class Ledger:
    """What was answered. kept: (what, whether it is there), one for each acknowledged write."""

    answered: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, Callable[[Client], bool]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge(self, what: str, is_there: Callable[[Client], bool]) -> None:
        with self.lock:
            self.kept.append((what, is_there))


class Client:
    """One client of the servers at `url`, with connections of its own."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        self.http = httpx.Client(base_url=f"{url}/v1", timeout=30.0)
        self.sdk = OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30.0)
        self._ledger = ledger

    def close(self) -> None:
        self.http.close()
        self.sdk.close()

    def ask(self, what: str, call: Callable[[], T]) -> T:
        """The answer to a call that is made until it has one. Raises what a client did wrong, as it is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = call()
            except (openai.APIConnectionError, openai.InternalServerError, httpx.TransportError, _Later) as error:
                with self._ledger.lock:
                    self._ledger.repeated[f"{what}: {_short(error)}"] += 1
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1 + random.random() * 0.2)
                continue
            with self._ledger.lock:
                self._ledger.answered[what] += 1
            return answer

    def send(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """A call that no SDK has. Raises _Later where it is to be made again."""
        answer = self.http.request(method, path, json=body)
        if answer.status_code >= 500:
            raise _Later(f"{answer.status_code}")
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        found = answer.json()
        assert isinstance(found, dict)
        return found


class _Later(Exception):
    """The server could not answer now."""


def _short(error: Exception) -> str:
    return f"{type(error).__name__} {getattr(error, 'status_code', '') or str(error)[:40]}".strip()


# ── what clients do ─────────────────────────────────────────────────────────────────────────────────────────────────

_numbers = itertools.count()


def talk(client: Client, ledger: Ledger, provider: str = PROVIDER) -> None:
    """A chat that is to be kept."""
    said = f"talk {next(_numbers)}"
    messages = [{"role": "user", "content": said}]
    answer = client.ask(
        "chat",
        lambda: client.sdk.chat.completions.create(model=f"{provider}/gpt-test", messages=messages, store=True),  # type: ignore[call-overload]
    )

    def is_there(other: Client) -> bool:
        found = other.ask("chat again", lambda: other.sdk.chat.completions.retrieve(answer.id))
        return found.choices[0].message.content == answer.choices[0].message.content

    ledger.acknowledge(f"chat {answer.id}", is_there)


def converse(client: Client, ledger: Ledger, provider: str = PROVIDER) -> None:
    """A conversation that grows in three steps."""
    made = client.ask("conversation", lambda: client.sdk.conversations.create(metadata={"topic": "weather"}))
    texts = [f"words {next(_numbers)}" for _ in range(3)]
    for text in texts:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        client.ask("item", lambda item=item: client.sdk.conversations.items.create(made.id, items=[item]))  # type: ignore[misc]

    def is_there(other: Client) -> bool:
        page = other.ask(
            "items again", lambda: other.sdk.conversations.items.list(made.id, order="asc", limit=100).data
        )
        found = [part.text for each in page for part in each.content]  # type: ignore[union-attr]
        # A step that had no answer was made again, so that its text may be there twice.
        return list(dict.fromkeys(found)) == texts

    ledger.acknowledge(f"conversation {made.id}", is_there)


def prompt(client: Client, ledger: Ledger, provider: str = PROVIDER) -> None:
    text = f"Hello {{{{ name }}}}, {next(_numbers)}"
    body = {"prompt": text, "variables": ["name"]}
    made = client.ask("prompt", lambda: client.send("POST", "/prompts", body))

    def is_there(other: Client) -> bool:
        found = other.ask("prompt again", lambda: other.send("GET", f"/prompts/{made['prompt_id']}"))
        return found["prompt"] == text

    ledger.acknowledge(f"prompt {made['prompt_id']}", is_there)


def register(client: Client, ledger: Ledger, provider: str = PROVIDER) -> None:
    name = f"registered-{next(_numbers)}"
    body = {"model_id": name, "provider_id": provider, "provider_model_id": "gpt-test", "model_type": "llm"}
    client.ask("register", lambda: client.send("POST", "/models", body))
    registered = time.monotonic()

    def is_there(other: Client) -> bool:
        # The others learn of it within a second.
        time.sleep(max(0.0, registered + 1.0 - time.monotonic()))
        found = other.ask("model again", lambda: other.send("GET", f"/models/{name}"))
        return found["provider_resource_id"] == "gpt-test"

    ledger.acknowledge(f"model {name}", is_there)


def upload(client: Client, ledger: Ledger, provider: str = PROVIDER) -> None:
    content = random.Random(next(_numbers)).randbytes(random.randint(1, 200_000))
    made = client.ask("upload", lambda: client.sdk.files.create(file=("some.bin", content), purpose="user_data"))

    def is_there(other: Client) -> bool:
        return other.ask("file again", lambda: other.sdk.files.content(made.id).read()) == content

    ledger.acknowledge(f"file {made.id}", is_there)


def batch(client: Client, ledger: Ledger, provider: str = PROVIDER) -> None:
    """A batch of some lines, which the servers do meanwhile."""
    number = next(_numbers)
    lines = [
        {
            "custom_id": f"{number}-{line}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": f"{provider}/gpt-test",
                "messages": [{"role": "user", "content": f"line {number}-{line}"}],
            },
        }
        for line in range(LINES)
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = client.ask("batch file", lambda: client.sdk.files.create(file=("b.jsonl", content), purpose="batch"))
    made = client.ask(
        "batch",
        lambda: client.sdk.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        ),
    )

    def is_there(other: Client) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        found = other.ask("batch again", lambda: other.sdk.batches.retrieve(made.id))
        while found.status not in ("completed", "failed", "expired", "cancelled") and time.monotonic() < deadline:
            time.sleep(0.2)
            found = other.ask("batch again", lambda: other.sdk.batches.retrieve(made.id))
        if found.status != "completed" or found.output_file_id is None:
            ledger.faults.append(f"batch {made.id} is {found.status}: {found.errors or found.request_counts}")
            return False
        output = found.output_file_id
        text = other.ask("output", lambda: other.sdk.files.content(output).read()).decode()
        done = sorted(json.loads(line)["custom_id"] for line in text.splitlines())
        return done == sorted(str(line["custom_id"]) for line in lines)

    ledger.acknowledge(f"batch {made.id}", is_there)


WORK: Sequence[Callable[[Client, Ledger], None]] = (talk, talk, converse, prompt, register, upload, batch)


def work(url: str, ledger: Ledger, until: threading.Event, clients: int = 6) -> list[threading.Thread]:
    """Clients that do one after another of these until they are told to stop."""

    def run(number: int) -> None:
        client = Client(url, ledger)
        try:
            for each in itertools.islice(itertools.cycle(WORK), number, None):
                if until.is_set():
                    return
                each(client, ledger)
        except Exception as error:
            ledger.faults.append(f"{type(error).__name__}: {error}")
        finally:
            client.close()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    return threads


def lost(url: str, ledger: Ledger) -> list[str]:
    """The acknowledged writes that are not there."""
    client = Client(url, ledger)
    try:
        return [what for what, is_there in tuple(ledger.kept) if not _found(client, is_there)]
    finally:
        client.close()


def _found(client: Client, is_there: Callable[[Client], bool]) -> bool:
    try:
        return is_there(client)
    except (AssertionError, openai.APIStatusError):
        return False
