"""LangChain against built servers, in front of a real model."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import SecretStr

from .conftest import Served

pytestmark = pytest.mark.slow

KEY = SecretStr("none")


def chat(served: Served, tokens: int = 12) -> ChatOpenAI:
    return ChatOpenAI(
        model=served.model, base_url=f"{served.url}/v1", api_key=KEY, max_completion_tokens=tokens, temperature=0
    )


def test_invoke(served: Served) -> None:
    answer = chat(served).invoke([HumanMessage("Count: one two three four")])
    assert answer.content
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] > 0


def test_stream(served: Served) -> None:
    chunks = [chunk.content for chunk in chat(served).stream("Count: one two three four")]
    assert len([chunk for chunk in chunks if chunk]) > 3


async def test_the_asynchronous_calls(served: Served) -> None:
    answers = await chat(served).abatch(["Say a.", "Say b."])
    assert all(answer.content for answer in answers)


def test_tools_are_bound(served: Served) -> None:
    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"{city} is sunny."

    answer = chat(served, 30).bind_tools([weather]).invoke("What is the weather in Paris?")
    assert answer.content or answer.tool_calls


def test_embeddings(served: Served) -> None:
    embeddings = OpenAIEmbeddings(
        model=served.model,
        base_url=f"{served.url}/v1",
        api_key=KEY,
        # Otherwise it sends token numbers of OpenAI's own tokeniser, which it would have to download.
        check_embedding_ctx_length=False,
    )
    assert [len(each) for each in embeddings.embed_documents(["a", "b"])] == [640, 640]
