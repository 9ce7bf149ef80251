"""After all the bad luck: the server holds what it held before, and has told nobody a secret."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import httpx
import openai
import pytest
from upstreams import (
    STORY,
    Script,
    Seen,
    answers,
    breaks_off,
    drops,
    hangs,
    refuses,
    shows_html,
    streams,
    talks_nonsense,
    waits,
)

from .conftest import Built
from .fronts import (
    HEADER_KEY,
    MODEL,
    PATIENT_MODEL,
    SETTINGS_KEY,
    TALK,
    Front,
    Holdings,
    answer_of,
    becomes_true,
    chat_body,
    connect,
    fake_service,
    front,
    holdings,
    request_of,
)

pytestmark = pytest.mark.slow

MEBIBYTE = 1024 * 1024
ROUNDS = 25
# Kept connections, to the service and of the test's own clients, come and go.
SPARE_FILES = 3
SPARE_BYTES = 6 * MEBIBYTE


def repeats_the_key(make: Callable[[str], Script]) -> Script:
    """A script made with the credential that came."""

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        return await make(seen.headers["authorization"])(seen, writer)

    return script


SERVICE_SAYS: Mapping[str, Script] = {
    "refuses": repeats_the_key(lambda key: refuses(401, f"{key} is unknown")),
    "is-overloaded": repeats_the_key(lambda key: refuses(429, f"{key}, wait", headers={"Retry-After": "100"})),
    "fails": repeats_the_key(lambda key: refuses(500, f"broken by {key}")),
    "drops": drops,
    "breaks-off": breaks_off,
    "talks-nonsense": talks_nonsense,
    "shows-a-page": shows_html(),
    "answers-otherwise": repeats_the_key(lambda key: answers({"hello": key})),
    "streams": streams(*STORY),
    "streams-half": streams(*STORY[:2], done=False, ending="break"),
    "streams-nonsense": repeats_the_key(lambda key: streams(STORY[0], b"data: " + key.encode() + b"\n\n")),
    "streams-an-error": repeats_the_key(
        lambda key: streams(STORY[0], {"error": {"message": f"no {key}", "code": key}})
    ),
}
BODIES = (b"", b"{", b"[1]", b'{"x":' * 5000, b"x" * (2 * MEBIBYTE), chat_body("openai/nobody"), chat_body(stream="x"))


@pytest.fixture(scope="module")
def fresh(build: Callable[[str], Built], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A server that has not yet seen anything, with a service of its own, whose connections are all from it."""
    with fake_service() as service, front(build("gateway"), service, tmp_path_factory.mktemp("fresh")) as running:
        yield running


def gauntlet(running: Front) -> list[str]:
    """One round of everything; what the server answered."""
    said: list[str] = []
    own_key = {"x-llamastack-provider-data": json.dumps({"openai_api_key": HEADER_KEY})}
    half_a_key = {"x-llamastack-provider-data": f'{{"openai_api_key": "{HEADER_KEY}'}
    with httpx.Client(base_url=running.url, headers={"content-type": "application/json"}, timeout=10) as client:

        def ask(body: bytes, headers: Mapping[str, str]) -> None:
            said.append(client.post("/v1/chat/completions", content=body, headers=headers).text)

        for script in SERVICE_SAYS.values():
            running.service.plays(script)
            for stream in (False, True):
                ask(chat_body(stream=stream), {})
                ask(chat_body(stream=stream), own_key)
        for body in BODIES:
            ask(body, own_key)
        ask(chat_body(), half_a_key)
        said.append(client.get("/nowhere").text)
    leave(running)
    return said


def leave(running: Front) -> None:
    """Clients that go, in a call, in a stream, and in their own request."""
    running.service.plays(hangs)
    with running.client(timeout=0.1) as client, suppress(openai.APITimeoutError):
        client.chat.completions.create(model=PATIENT_MODEL, messages=TALK)
    running.service.plays(streams(*STORY, done=False, ending="hang"))
    with connect(running) as connection:
        connection.sendall(request_of("/v1/chat/completions", chat_body(PATIENT_MODEL, stream=True)))
        connection.recv(100)
    with connect(running) as connection:
        connection.sendall(request_of("/v1/chat/completions", chat_body())[:-5])
    assert running.is_well()


def settled(running: Front) -> Holdings:
    """What the server holds once it holds no more connections than it must."""
    assert becomes_true(lambda: running.total("stack_requests_in_flight") == 0)
    least = holdings(running.pid)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        now = holdings(running.pid)
        least = now if now.files < least.files else least
        time.sleep(0.1)
    return least


def test_nothing_leaks(fresh: Front) -> None:
    for _ in range(3):
        gauntlet(fresh)
    before = settled(fresh)
    for _ in range(ROUNDS):
        gauntlet(fresh)
    after = settled(fresh)
    assert after.files <= before.files + SPARE_FILES
    assert after.threads == before.threads
    assert after.resident <= before.resident + SPARE_BYTES
    # A task that was left behind would hold its connection to the service, or be counted as a request.
    assert becomes_true(lambda: fresh.service.open <= SPARE_FILES)
    log = fresh.server.log.read_text()
    assert "never retrieved" not in log
    assert "was never awaited" not in log
    assert "Traceback" not in log


async def test_clients_may_leave_at_any_moment(fresh: Front) -> None:
    """Before the request is whole, while the service thinks, in the stream, just at its end: nothing stays behind."""
    chance = random.Random(7)
    port = int(fresh.url.rpartition(":")[2])

    async def fits(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        script = streams(*STORY, pause=0.02) if seen.json["stream"] else answers(answer_of())
        return await waits(0.03, script)(seen, writer)

    fresh.service.plays(fits)

    async def visit() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        whole = request_of("/v1/chat/completions", chat_body(PATIENT_MODEL, stream=chance.random() < 0.7))
        writer.write(whole if chance.random() < 0.9 else whole[: chance.randrange(len(whole))])
        await asyncio.sleep(chance.random() * 0.15)
        if chance.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()

    for _ in range(10):
        await asyncio.gather(*(visit() for _ in range(60)))
    assert await asyncio.to_thread(becomes_true, lambda: fresh.total("stack_requests_in_flight") == 0)
    assert await asyncio.to_thread(fresh.is_well)
    statuses = {
        status: fresh.total("stack_requests_total", instance="vllm", status=status) for status in ("200", "499")
    }
    assert min(statuses.values()) > 20, "the moments were badly chosen"
    log = fresh.server.log.read_text()
    assert "Traceback" not in log
    assert "never retrieved" not in log


def test_no_secret_is_told(fresh: Front) -> None:
    """Neither the settings' key nor the one that a client sent: not to that client, to others, or to the log."""
    said = gauntlet(fresh)
    for path in ("/metrics", "/v1/providers", "/v1/providers/openai", "/v1/models", "/v1alpha/admin/providers"):
        answer = httpx.get(fresh.url + path)
        assert answer.status_code == 200
        said.append(answer.text)
    fresh.service.plays(answers(answer_of()))
    with fresh.client(default_headers={"X-OGX-Provider-Data": json.dumps({"openai_api_key": HEADER_KEY})}) as client:
        client.chat.completions.create(model=MODEL, messages=TALK)
    assert fresh.service.requests[0].headers["authorization"] == f"Bearer {HEADER_KEY}"
    said.append(fresh.server.log.read_text())
    told = [
        text[max(at - 100, 0) : at]
        for text in said
        for key in (SETTINGS_KEY, HEADER_KEY)
        if (at := text.find(key)) >= 0
    ]
    assert told == [], "a key stands after this"
