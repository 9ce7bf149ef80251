"""The built `local` for long, with models side by side, and where memory is short."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gguf_files import TEMPLATE, gemma
from openai import AsyncOpenAI

from .conftest import Built
from .fronts import becomes_true, holdings
from .servers import Running, clean_environ, free_port, running
from .test_local import ENVIRON, TEXT, VECTORS

pytestmark = pytest.mark.slow

MEBIBYTE = 1024 * 1024
REQUESTS = 1000


@pytest.fixture(scope="module")
def built(build: Callable[[str], Built]) -> Built:
    return build("local")


@pytest.fixture(scope="module")
def server(built: Built) -> Iterator[Running]:
    models = {"INFERENCE_MODEL": str(gemma()), "EMBEDDING_MODEL": str(gemma())}
    with built.serve({**ENVIRON, **models}) as server:
        yield server


@contextmanager
def limited(built: Built, memory: int, environ: dict[str, str]) -> Iterator[Running]:
    """The server with so many bytes of address space."""
    port = free_port()
    program = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)"
    program += "; os.execv(sys.argv[2], sys.argv[2:])"
    serving = [built.python, "-P", "-m", built.module, "--port", str(port)]
    command = [sys.executable, "-c", program, str(memory), *serving]
    log = built.folder.parent / f"limited-{port}.log"
    with running(command, port=port, ready="/v1/health", environ=clean_environ(environ), log=log) as server:
        yield server


def problem_of(server: Running, provider: str) -> str:
    """What its health says is wrong with a provider."""
    listed = httpx.get(f"{server.url}/v1/providers").json()["data"]
    return next(each["health"].get("message", "") for each in listed if each["provider_id"] == provider)


async def test_memory_does_not_grow_with_requests(server: Running) -> None:
    """By its slope between two counts of requests: what the first ones take, caches and slots, is theirs to keep."""
    resident: list[int] = []
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        for tenth in range(10):
            for number in range(0, REQUESTS // 10, 2):
                await asyncio.gather(
                    client.completions.create(model=TEXT, prompt=f"{tenth} {number} one", max_tokens=1),
                    client.completions.create(model=TEXT, prompt=f"{number} {tenth} two", max_tokens=1),
                )
            resident.append(holdings(server.process.pid).resident)
    # A request that kept 8 KiB would show: its body and answer are less than one.
    assert resident[-1] - resident[2] < 7 * (REQUESTS // 10) * 8 * 1024, resident


async def test_models_side_by_side_answer_at_once(server: Running) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        stream = await client.completions.create(
            model=TEXT, prompt="one two", max_tokens=200, stream=True, extra_body={"ignore_eos": True}
        )
        first = await anext(aiter(stream))
        found = await client.embeddings.create(model=VECTORS, input="The cat sleeps.")
        rest = [chunk async for chunk in stream]
    assert len(found.data[0].embedding) == 640
    assert first.model == rest[-1].model
    # The embedding was there before the text had ended.
    assert len(rest) > 50


async def test_a_text_that_cannot_fit_is_refused_before_it_is_read(server: Running) -> None:
    body = {"model": TEXT, "prompt": "a " * 10_000_000}
    answer = await asyncio.to_thread(httpx.post, f"{server.url}/v1/completions", json=body, timeout=20)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"


# ── where memory is short ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_context_that_no_memory_holds_is_told_and_the_others_serve(built: Built) -> None:
    models = {"INFERENCE_MODEL": str(gemma()), "EMBEDDING_MODEL": str(gemma())}
    with built.serve({**models, "INFERENCE_CONTEXT_SIZE": "200000000"}) as server:
        assert becomes_true(lambda: "set a smaller context_size" in problem_of(server, "llama-cpp"))
        body = {"model": TEXT, "prompt": "one"}
        answer = httpx.post(f"{server.url}/v1/completions", json=body)
        assert answer.status_code == 503
        assert "200000000 tokens in each of 2 slots take at least" in answer.json()["error"]["message"]
        found = httpx.post(f"{server.url}/v1/embeddings", json={"model": VECTORS, "input": "x"}, timeout=20)
        assert found.status_code == 200
        assert server.stop() == 0


def test_memory_that_ends_while_a_model_is_loaded_is_told_and_the_server_stays(built: Built) -> None:
    environ = {"INFERENCE_MODEL": str(gemma()), "INFERENCE_CHAT_TEMPLATE": str(TEMPLATE)}
    with limited(built, 3 * 1024 * MEBIBYTE, {**environ, "INFERENCE_CONTEXT_SIZE": "600000"}) as server:
        assert becomes_true(lambda: "a smaller context_size or fewer slots help" in problem_of(server, "llama-cpp"))
        answer = httpx.post(f"{server.url}/v1/completions", json={"model": TEXT, "prompt": "one"})
        assert answer.status_code == 503
        assert "Traceback" not in Path(server.log).read_text()
        assert server.stop() == 0
