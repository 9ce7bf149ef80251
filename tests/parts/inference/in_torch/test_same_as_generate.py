"""The tokens are those of the library's own `generate`, alone and in company."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

torch = pytest.importorskip("torch")

import tiny
from asking import Model
from parts.providers.inference.torch_text.batch import Alone, Together, open_batch
from parts.providers.inference.torch_text.loading import load_text
from parts.providers.inference.torch_text.requests import completion_work
from parts.providers.inference.transformers import Transformers, TransformersConfig, open_transformers

pytestmark = pytest.mark.torch
on_the_loop = pytest.mark.asyncio(loop_scope="module")

PROMPTS = ["ping", "hello there 日本語", "pong " * 12, "a"]
GREEDY: dict[str, Any] = {}
SAMPLED: dict[str, Any] = {"temperature": 0.8, "top_p": 0.9, "seed": 5}
ASKED: list[dict[str, Any]] = [
    GREEDY,
    SAMPLED,
    {"temperature": 1.0, "top_k": 7, "seed": 6},
    {"temperature": 1.3, "min_p": 0.05, "top_k": 0, "seed": 7},
    {"temperature": 0.7, "repetition_penalty": 1.3, "seed": -8},
    {"repetition_penalty": 1.2},
]


def expected(provider: Transformers, prompt: str, count: int, asked: dict[str, Any]) -> list[int]:
    """What the library's generate makes of it."""
    assert provider.text is not None
    ids = torch.tensor([tiny.tokenizer().encode(prompt)])
    options = {key: value for key, value in asked.items() if key != "seed"}
    torch.manual_seed(asked.get("seed", 0))
    found = provider.text.loaded.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample="temperature" in asked,
        max_new_tokens=count,
        **options,
    )
    return [int(token) for token in found[0, ids.shape[1] :]]


async def generated(provider: Transformers, prompt: str, count: int, asked: dict[str, Any]) -> list[int]:
    """What the engine makes of it."""
    assert provider.text is not None
    work = completion_work(provider.text.model, {"prompt": prompt, "max_tokens": count, "logprobs": 0, **asked})
    pieces = [piece async for piece in provider.text.engine.generate(work.jobs)]
    ended = [tiny.END] if pieces[-1].finish == "stop" else []
    return [token.id for piece in pieces for token in piece.tokens] + ended


@pytest_asyncio.fixture(params=tiny.MODELS, loop_scope="module")
async def provider(request: pytest.FixtureRequest, folders: dict[str, Path]) -> AsyncIterator[Transformers]:
    async with open_transformers(TransformersConfig(model=str(folders[request.param])), instance="here") as provider:
        yield provider


@on_the_loop
@pytest.mark.parametrize("asked", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
async def test_alone(provider: Transformers, asked: dict[str, Any]) -> None:
    assert await generated(provider, "hello there", 20, asked) == expected(provider, "hello there", 20, asked)


@on_the_loop
async def test_in_company_that_comes_and_goes(provider: Transformers) -> None:
    cases = [
        (prompt, 6 + 9 * (number % 4), asked)
        for number, (prompt, asked) in enumerate((prompt, asked) for asked in ASKED for prompt in PROMPTS)
    ]

    async def late(number: int) -> list[int]:
        await asyncio.sleep(0.004 * number)
        return await generated(provider, *cases[number])

    found = await asyncio.gather(*(late(number) for number in range(len(cases))))
    assert found == [expected(provider, *case) for case in cases]


@on_the_loop
async def test_a_prompt_read_in_pieces(model: Model) -> None:
    """One longer than what is read between two steps, while others run."""
    long = "hello pong " * 300
    beside = asyncio.create_task(generated(model.provider, "ping", 60, GREEDY))
    await asyncio.sleep(0.02)
    assert await generated(model.provider, long, 10, SAMPLED) == expected(model.provider, long, 10, SAMPLED)
    assert await beside == expected(model.provider, "ping", 60, GREEDY)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("llama", Together),
        ("qwen2", Together),
        ("mistral", Together),
        ("gemma3", Together),
        ("lfm2", Alone),
        ("mamba", Alone),
    ],
)
def test_only_what_can_be_padded_shares_a_batch(
    folders: dict[str, Path], name: str, kind: type[Together] | type[Alone]
) -> None:
    loaded = load_text(TransformersConfig(model=str(folders[name])))
    assert isinstance(open_batch(loaded), kind)
