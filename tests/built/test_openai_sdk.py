"""The openai SDK against built servers, in front of a real model."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from typing import Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from .conftest import Served

pytestmark = pytest.mark.slow

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
# A base model needs to see one call before it makes another; it also shows that calls and results travel upstream.
WEATHER_TALK: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the weather in Rome?"},
    {
        "role": "assistant",
        "tool_calls": [
            {"id": "call-1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call-1", "content": "Rome is sunny."},
    {"role": "user", "content": "What is the weather in Paris?"},
]
COUNT: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Count: one two three four"}]


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_models_are_listed_with_their_instance(client: OpenAI, served: Served) -> None:
    assert served.model in [model.id for model in client.models.list()]


def test_one_model_is_retrieved_by_an_id_with_a_slash(client: OpenAI, served: Served) -> None:
    assert client.models.retrieve(served.model).id == served.model


def test_a_chat_completion(client: OpenAI, served: Served) -> None:
    answer = client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=12, temperature=0)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in {"stop", "length"}
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_a_stream_says_what_the_whole_answer_says(client: OpenAI, served: Served) -> None:
    whole = client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=12, temperature=0)
    chunks = list(
        client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=12, temperature=0, stream=True)
    )
    assert len(chunks) > 3
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason


def test_usage_comes_with_a_stream_only_where_it_was_asked_for(client: OpenAI, served: Served) -> None:
    silent = client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=4, stream=True)
    assert all(chunk.choices and chunk.usage is None for chunk in silent)
    asked = client.chat.completions.create(
        model=served.model, messages=COUNT, max_tokens=4, stream=True, stream_options={"include_usage": True}
    )
    usage = [chunk.usage for chunk in asked if chunk.usage]
    assert [each.completion_tokens for each in usage] == [4]


def test_a_tool_is_called(client: OpenAI, served: Served) -> None:
    answer = client.chat.completions.create(
        model=served.model,
        messages=WEATHER_TALK,
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=40,
        temperature=0,
    )
    call = (answer.choices[0].message.tool_calls or [])[0]
    assert call.type == "function"
    assert call.function.name == "weather"
    assert json.loads(call.function.arguments)["city"] in {"Paris", "Rome"}


def test_a_streamed_tool_call_is_put_together_from_its_pieces(client: OpenAI, served: Served) -> None:
    stream = client.chat.completions.create(
        model=served.model,
        messages=WEATHER_TALK,
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=40,
        temperature=0,
        stream=True,
    )
    calls = [call for chunk in stream for choice in chunk.choices for call in choice.delta.tool_calls or []]
    pieces = [call for call in calls if call.index == 0]
    assert len(pieces) > 2
    assert [piece.function.name for piece in pieces if piece.function and piece.function.name] == ["weather"]
    arguments = "".join(piece.function.arguments or "" for piece in pieces if piece.function)
    assert json.loads(arguments)["city"] in {"Paris", "Rome"}


def test_an_answer_in_a_json_schema(client: OpenAI, served: Served) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}, "warm": {"type": "boolean"}},
        "required": ["city", "warm"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model=served.model,
        messages=[{"role": "user", "content": "Describe Paris as JSON."}],
        response_format={"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}},
        max_tokens=60,
        temperature=0,
    )
    found = json.loads(answer.choices[0].message.content or "")
    assert set(found) == {"city", "warm"}
    assert isinstance(found["warm"], bool)


def test_log_probabilities(client: OpenAI, served: Served) -> None:
    answer = client.chat.completions.create(
        model=served.model, messages=COUNT, max_tokens=3, logprobs=True, top_logprobs=2, temperature=0
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    tokens = logprobs.content or []
    assert len(tokens) == 3
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in tokens)


def test_a_completion(client: OpenAI, served: Served) -> None:
    answer = client.completions.create(model=served.model, prompt="a b c", max_tokens=3, temperature=0)
    assert answer.object == "text_completion"
    assert answer.choices[0].text


def test_a_streamed_completion(client: OpenAI, served: Served) -> None:
    chunks = list(client.completions.create(model=served.model, prompt="a b c", max_tokens=5, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks)


@pytest.mark.parametrize("encoding", ["float", None], ids=["as-numbers", "as-base64-by-the-sdk"])
def test_embeddings(client: OpenAI, served: Served, encoding: Literal["float"] | None) -> None:
    answer = client.embeddings.create(
        model=served.model,
        input=["The cat sleeps.", "The cat is asleep.", "Quarterly tax revenue"],
        encoding_format=encoding or openai.omit,
    )
    cat, asleep, tax = (each.embedding for each in answer.data)
    assert len(cat) == 640
    assert cosine(cat, asleep) > cosine(cat, tax)


def cosine(left: list[float], right: list[float]) -> float:
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / math.hypot(*left) / math.hypot(*right)


async def test_the_asynchronous_client_streams_several_answers_at_once(served: Served) -> None:

    async with AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:

        async def ask() -> str:
            stream = await client.chat.completions.create(
                model=served.model, messages=COUNT, max_tokens=8, temperature=0, stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        answers = await asyncio.gather(*(ask() for _ in range(4)))
    assert all(answers)


async def test_a_stream_that_is_left_early_leaves_the_server_well(served: Served) -> None:
    async with AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        stream = await client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=500, stream=True)
        async for _ in stream:
            break
        await stream.close()
        answer = await client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=2)
    assert answer.choices[0].message.content


def test_the_old_prefix_serves_the_same(served: Served) -> None:
    with OpenAI(base_url=f"{served.url}/v1/openai/v1", api_key="none", max_retries=0) as client:
        assert client.chat.completions.create(model=served.model, messages=COUNT, max_tokens=2).choices


def test_an_unknown_model_is_the_sdks_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="openai/no-such-model-here", messages=COUNT)
    assert caught.value.code == "model_not_found"


def test_a_value_of_the_wrong_type_is_the_sdks_bad_request(client: OpenAI, served: Served) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=served.model, messages=COUNT, extra_body={"temperature": "hot"})
    assert caught.value.param == "temperature"


def test_what_the_upstream_refuses_is_the_sdks_bad_request(client: OpenAI, served: Served) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(
            model=served.model,
            messages=COUNT,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "bad", "schema": {"type": "object", "properties": {"a": {"type": "nothing"}}}},
            },
        )
