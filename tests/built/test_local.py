"""The built `local`: real models inside the server, driven by the openai SDK."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import httpx
import openai
import pytest
from encoder_folders import SENTENCES, minilm, recorded
from gguf_files import TEMPLATE, gemma
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from .conftest import Built
from .fronts import becomes_true, holdings
from .servers import Running
from .test_openai_sdk import COUNT, WEATHER, WEATHER_TALK, cosine

pytestmark = pytest.mark.slow

TEXT = "llama-cpp/gemma-3-270m-q4_k_m"
VECTORS = "embeddings/gemma-3-270m-q4_k_m"
ENVIRON = {"INFERENCE_CHAT_TEMPLATE": str(TEMPLATE), "INFERENCE_CONTEXT_SIZE": "1024"}


@pytest.fixture(scope="module")
def built(build: Callable[[str], Built]) -> Built:
    return build("local")


@pytest.fixture(scope="module")
def server(built: Built) -> Iterator[Running]:
    with ExitStack() as stack:
        models = {"INFERENCE_MODEL": str(gemma()), "EMBEDDING_MODEL": str(gemma())}
        yield stack.enter_context(built.serve({**ENVIRON, **models}))


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def predicted(server: Running) -> float:
    """Completion tokens that the server has accounted for."""
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return sum(
        float(line.split()[-1]) for line in lines if "tokens" in line and "completion" in line and line[0] != "#"
    )


def test_both_models_are_listed_with_their_types(server: Running) -> None:
    listed = httpx.get(f"{server.url}/v1/models").json()["data"]
    assert {(each["id"], each["model_type"]) for each in listed} == {(TEXT, "llm"), (VECTORS, "embedding")}


def test_both_providers_are_well(server: Running) -> None:
    listed = httpx.get(f"{server.url}/v1/providers").json()["data"]
    told = {each["provider_id"]: each["health"]["status"] for each in listed if each["api"] == "inference"}
    assert told == {"llama-cpp": "OK", "embeddings": "OK"}


def test_a_chat_and_its_stream_say_the_same(client: OpenAI) -> None:
    whole = client.chat.completions.create(model=TEXT, messages=COUNT, max_tokens=12, temperature=0)
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 12
    chunks = list(
        client.chat.completions.create(
            model=TEXT,
            messages=COUNT,
            max_tokens=12,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [12]


@pytest.mark.parametrize("streams", [False, True])
def test_a_tool_is_called(client: OpenAI, streams: bool) -> None:
    answer = client.chat.completions.with_raw_response.create(
        model=TEXT,
        messages=WEATHER_TALK,
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=40,
        temperature=0,
        stream=streams,
    )
    found = answer.parse()
    if isinstance(found, openai.Stream):
        calls = [call for chunk in found for choice in chunk.choices for call in choice.delta.tool_calls or []]
        pieces = [call.function for call in calls if call.index == 0 and call.function]
        name = "".join(piece.name or "" for piece in pieces)
        arguments = "".join(piece.arguments or "" for piece in pieces)
    else:
        call = (found.choices[0].message.tool_calls or [])[0]
        assert call.type == "function"
        assert call.id
        name, arguments = call.function.name, call.function.arguments
    assert name == "weather"
    assert json.loads(arguments)["city"] in {"Paris", "Rome"}


def test_an_answer_in_a_json_schema(client: OpenAI) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}, "warm": {"type": "boolean"}},
        "required": ["city", "warm"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model=TEXT,
        messages=[{"role": "user", "content": "Describe Paris as JSON."}],
        response_format={"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}},
        max_tokens=60,
        temperature=0,
    )
    assert set(json.loads(answer.choices[0].message.content or "")) == {"city", "warm"}


@pytest.mark.parametrize("encoding", ["float", None], ids=["as-numbers", "as-base64-by-the-sdk"])
def test_embeddings(client: OpenAI, encoding: Literal["float"] | None) -> None:
    texts = ["The cat sleeps.", "The cat is asleep.", "Quarterly tax revenue"]
    answer = client.embeddings.create(model=VECTORS, input=texts, encoding_format=encoding or openai.omit)
    cat, asleep, tax = (each.embedding for each in answer.data)
    assert len(cat) == 640
    assert cosine(cat, asleep) > cosine(cat, tax)


# ── embeddings of a model in sentence-transformers' layout ─────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def encoder(built: Built) -> Iterator[Running]:
    with built.serve({"EMBEDDING_MODEL": str(minilm())}) as server:
        yield server


def test_a_model_in_the_librarys_layout_gives_the_librarys_vectors(encoder: Running) -> None:
    listed = httpx.get(f"{encoder.url}/v1/models").json()["data"]
    assert [(each["id"], each["model_type"]) for each in listed] == [("embeddings/model", "embedding")]
    with OpenAI(base_url=f"{encoder.url}/v1", api_key="none", max_retries=0) as client:
        answer = client.embeddings.create(model="embeddings/model", input=SENTENCES)
        assert answer.usage.prompt_tokens == 254
        for each, wanted in zip(answer.data, recorded("minilm"), strict=True):
            assert cosine(each.embedding, wanted) > 0.999999
        with pytest.raises(openai.BadRequestError, match="256 tokens, and a text of the request has 402") as caught:
            client.embeddings.create(model="embeddings/model", input="word " * 400)
        assert caught.value.code == "context_length_exceeded"


async def test_a_hundred_texts_at_once_each_get_their_own_vector(encoder: Running) -> None:
    wanted = recorded("minilm")
    async with AsyncOpenAI(base_url=f"{encoder.url}/v1", api_key="none", max_retries=0) as client:
        answers = await asyncio.gather(
            *(client.embeddings.create(model="embeddings/model", input=SENTENCES[n % 5]) for n in range(100))
        )
    for number, answer in enumerate(answers):
        assert cosine(answer.data[0].embedding, wanted[number % 5]) > 0.999999


def test_memory_stays_flat_over_embeddings(encoder: Running) -> None:
    with OpenAI(base_url=f"{encoder.url}/v1", api_key="none", max_retries=0) as client:

        def ask(times: int) -> int:
            for number in range(times):
                client.embeddings.create(model="embeddings/model", input=["word " * (number % 40 + 1)] * 8)
            return holdings(encoder.process.pid).resident

        first = ask(40)
        assert ask(80) - first < 16 * 1024 * 1024


# ── generations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_that_leaves_stops_the_generation(client: OpenAI, server: Running) -> None:
    before = predicted(server)
    stream = client.completions.create(
        model=TEXT, prompt="one two", max_tokens=900, stream=True, extra_body={"ignore_eos": True}
    )
    next(iter(stream))
    stream.close()
    assert becomes_true(lambda: predicted(server) > before)
    assert predicted(server) - before < 100
    started = time.monotonic()
    client.completions.create(model=TEXT, prompt="one two", max_tokens=2)
    assert time.monotonic() - started < 5


def test_a_client_that_gives_up_waiting_stops_it_too(client: OpenAI, server: Running) -> None:
    before = predicted(server)
    with pytest.raises(openai.APITimeoutError):
        client.completions.create(
            model=TEXT, prompt="one two", max_tokens=900, extra_body={"ignore_eos": True}, timeout=1.0
        )
    assert becomes_true(lambda: predicted(server) > before)
    assert predicted(server) - before < 300


async def test_a_hundred_at_once_are_all_answered(server: Running) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        answers = await asyncio.gather(
            *(client.completions.create(model=TEXT, prompt=f"{n} one two", max_tokens=2) for n in range(100))
        )
    assert [answer.usage and answer.usage.completion_tokens for answer in answers] == [2] * 100


def test_a_context_overflow_is_the_sdks_bad_request_with_the_numbers(client: OpenAI) -> None:
    talk: list[ChatCompletionMessageParam] = [{"role": "user", "content": "a " * 3000}]
    with pytest.raises(openai.BadRequestError, match="context is 1024 tokens, and the request has 30") as caught:
        client.chat.completions.create(model=TEXT, messages=talk)
    assert caught.value.code == "context_length_exceeded"


def test_memory_stays_flat(client: OpenAI, server: Running) -> None:
    def ask(times: int) -> int:
        for number in range(times):
            client.completions.create(model=TEXT, prompt=f"{number} one two three", max_tokens=1)
        return holdings(server.process.pid).resident

    first = ask(40)
    assert ask(120) - first < 16 * 1024 * 1024


def test_it_ends_when_it_is_told_to_even_while_it_generates(built: Built, tmp_path: Path) -> None:
    (tmp_path / "values.json").write_text(json.dumps({"server": {"shutdown_seconds": 1}}))
    arguments = ("--config", str(tmp_path / "values.json"))
    with ExitStack() as stack:
        server = stack.enter_context(built.serve({**ENVIRON, "INFERENCE_MODEL": str(gemma())}, *arguments))
        client = stack.enter_context(OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0))
        stream = client.completions.create(
            model=TEXT, prompt="one two", max_tokens=900, stream=True, extra_body={"ignore_eos": True}
        )
        next(iter(stream))
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 8
    assert "Traceback" not in server.log.read_text()


# ── models that cannot be had ───────────────────────────────────────────────────────────────────────────────────────


def test_a_model_that_cannot_be_had_is_told_at_once_and_answers_503(built: Built, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(gemma().read_bytes()[:50_000_000])
    with built.serve({"INFERENCE_MODEL": str(cut), "EMBEDDING_MODEL": str(tmp_path / "nowhere.gguf")}) as server:
        log = server.log.read_text()
        assert "cut.gguf is incomplete: it has 50000000 bytes" in log
        assert "there is no file or folder" in log
        with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            with pytest.raises(openai.InternalServerError, match="is incomplete") as caught:
                client.chat.completions.create(model="llama-cpp/cut", messages=COUNT)
            assert caught.value.status_code == 503
            with pytest.raises(openai.InternalServerError, match="there is no file or folder"):
                client.embeddings.create(model="embeddings/nowhere", input="x")

        def is_told() -> bool:
            listed = httpx.get(f"{server.url}/v1/providers").json()["data"]
            told = [each["health"] for each in listed if each["api"] == "inference"]
            return [each["status"] for each in told] == ["Error", "Error"] and "is incomplete" in told[0]["message"]

        assert becomes_true(is_told)
        assert server.stop() == 0


def test_without_a_model_it_serves_none(built: Built) -> None:
    with built.serve({}) as server:
        assert httpx.get(f"{server.url}/v1/models").json()["data"] == []
