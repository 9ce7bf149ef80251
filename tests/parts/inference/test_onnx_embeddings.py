"""inline::onnx-embeddings: the vectors are the library's, whatever comes together, and what is refused is told."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from encoder_folders import (
    POOLINGS,
    SENTENCES,
    TEXTS,
    WIDTH,
    Array,
    minilm,
    recorded,
    write_json,
    write_model,
    write_onnx,
)
from numpy.testing import assert_allclose
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.onnx_embeddings import OnnxEmbeddings, OnnxEmbeddingsConfig, open_onnx_embeddings
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def embed(
    model: OnnxEmbeddings, texts: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]], **body: object
) -> Array:
    answer = await ask(model, texts, **body)
    return np.array([each["embedding"] for each in answer["data"]])


async def ask(model: OnnxEmbeddings, texts: object, ctx: Context | None = None, **body: object) -> dict[str, Any]:
    request = CreateEmbeddingRequest.model_validate({"model": "m", "input": texts, **body})
    return dict(json.loads((await model.create_embedding(request, ctx or Context("r"))).body))


async def vectors_of(folder: Path, texts: Sequence[str]) -> Array:
    async with open_onnx_embeddings(OnnxEmbeddingsConfig(model=str(folder), threads=1), instance="here") as model:
        assert (await model.health()).message == ""
        return await embed(model, texts)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tiny(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OnnxEmbeddings]:
    folder = write_model(tmp_path_factory.mktemp("tiny"))
    async with open_onnx_embeddings(OnnxEmbeddingsConfig(model=str(folder), threads=1), instance="here") as model:
        yield model


# ── the library's vectors ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "mpnet", "distilbert"])
async def test_an_architecture_gives_the_librarys_vectors(tmp_path: Path, kind: str) -> None:
    assert_allclose(await vectors_of(write_model(tmp_path, kind), TEXTS), recorded(kind), atol=2e-6)


@pytest.mark.parametrize("name", POOLINGS)
async def test_a_pooling_gives_the_librarys_vectors(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path, pooling=POOLINGS[name], modules=())
    assert_allclose(await vectors_of(folder, TEXTS), recorded(name), atol=1e-5)


async def test_a_dense_layer_follows_pooling(tmp_path: Path) -> None:
    folder = write_model(tmp_path, modules=("Dense", "Normalize"))
    assert_allclose(await vectors_of(folder, TEXTS), recorded("dense"), atol=2e-6)


async def test_a_default_prompt_stands_before_every_text(tmp_path: Path) -> None:
    config = {"prompts": {"passage": "the dog runs . "}, "default_prompt_name": "passage"}
    folder = write_model(tmp_path)
    write_json(folder / "config_sentence_transformers.json", config)
    assert_allclose(await vectors_of(folder, TEXTS), recorded("prompt"), atol=2e-6)


async def test_weights_of_half_the_precision_are_read(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    halve(folder / "model.safetensors")
    assert_allclose(await vectors_of(folder, TEXTS), recorded("bert"), atol=0.02)


def halve(path: Path) -> None:
    """Writes the file anew in bfloat16: the upper halves of the numbers."""
    from safetensors.numpy import load_file

    data, said = b"", {}
    for name, array in load_file(path).items():
        upper = (array.view(np.uint32) >> 16).astype("<u2").tobytes()
        places = [len(data), len(data) + len(upper)]
        said[name] = {"dtype": "BF16", "shape": list(array.shape), "data_offsets": places}
        data += upper
    head = json.dumps(said).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + data)


async def test_an_onnx_file_is_run_where_the_architecture_is_not_known(tmp_path: Path) -> None:
    folder = write_model(tmp_path, modules=())
    (folder / "model.safetensors").unlink()
    write_json(folder / "config.json", {"model_type": "deberta-v2", "vocab_size": 99, "max_position_embeddings": 40})
    write_onnx(folder)
    async with open_onnx_embeddings(OnnxEmbeddingsConfig(model=str(folder)), instance="here") as model:
        # The mean of their ids, and of ones; texts that are filled up to the longest are none the worse.
        assert_allclose(await embed(model, [[4, 6], [9], [7, 8, 12]]), [[5, 1], [9, 1], [9, 1]])


@pytest.mark.slow
async def test_a_real_model_gives_the_librarys_vectors() -> None:
    async with open_onnx_embeddings(OnnxEmbeddingsConfig(model=str(minilm()), threads=2), instance="here") as model:
        found = await embed(model, SENTENCES)
        assert_allclose(found, recorded("minilm"), atol=2e-6)
        cat, kitten, tax = found[:3]
        assert cat @ kitten > 0.5 > 0.2 > cat @ tax
        metadata = (await model.list_models())[0].metadata
        assert metadata == {"context_length": 256, "embedding_dimension": 384}
        with pytest.raises(BadRequest, match="context is 256 tokens, and a text of the request has 402"):
            await embed(model, "word " * 400)


# ── what a request asks for ─────────────────────────────────────────────────────────────────────────────────────────


async def test_tokens_are_counted_with_the_models_own(tiny: OnnxEmbeddings) -> None:
    ctx = Context("r")
    answer = await ask(tiny, ["the cat sleeps .", "dog"], ctx)
    assert answer["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert ctx.usage.prompt_tokens == 9
    assert [(each["object"], each["index"]) for each in answer["data"]] == [("embedding", 0), ("embedding", 1)]


async def test_base64_holds_the_same_numbers(tiny: OnnxEmbeddings) -> None:
    numbers = await embed(tiny, TEXTS)
    answer = await ask(tiny, TEXTS, encoding_format="base64")
    found = [np.frombuffer(base64.b64decode(each["embedding"]), dtype="<f4") for each in answer["data"]]
    assert_allclose(np.array(found), numbers)


async def test_tokens_in_place_of_texts_are_taken_as_they_are(tiny: OnnxEmbeddings) -> None:
    text = await embed(tiny, "the cat sleeps .")
    ids = [2, 4, 5, 7, 23, 3]
    assert_allclose(await embed(tiny, ids), text, atol=1e-6)
    assert_allclose(await embed(tiny, [ids, [4]]), [text[0], (await embed(tiny, [4]))[0]], atol=1e-6)


async def test_the_model_says_what_it_is(tiny: OnnxEmbeddings) -> None:
    (model,) = await tiny.list_models()
    assert model.model_type == "embedding"
    assert model.metadata == {"context_length": 24, "embedding_dimension": WIDTH}
    assert (await ask(tiny, "cat", dimensions=WIDTH))["data"]


REFUSED: dict[str, tuple[object, dict[str, object], str]] = {
    "another-length": ("cat", {"dimensions": 4}, "cannot make vectors of 4 dimensions: its own have 16"),
    "too-long": ("cat " * 23, {}, "this model's context is 24 tokens, and a text of the request has 25"),
    "too-long-of-several": (
        ["cat", "cat " * 30],
        {},
        "this model's context is 24 tokens, and a text of the request has 32",
    ),
    "too-many-tokens": ([5] * 25, {}, "this model's context is 24 tokens, and a text of the request has 25"),
    "far-too-long": ("cat " * 60_000, {}, "a text of the request has 60000"),
    "empty": (["cat", ""], {}, "input[1] is empty"),
    "no-token": ([5, 99], {}, "token ids are this model's own, from 0 to 23"),
    "a-negative-token": ([[5], [-1]], {}, "token ids are this model's own, from 0 to 23"),
}


@pytest.mark.parametrize(("given", "body", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_done_is_a_bad_request(
    tiny: OnnxEmbeddings, given: object, body: dict[str, object], reason: str
) -> None:
    refused, fine = await asyncio.gather(ask(tiny, given, **body), embed(tiny, "cat"), return_exceptions=True)
    assert isinstance(refused, BadRequest)
    assert reason in refused.message
    assert isinstance(fine, np.ndarray)


# ── company ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_many_at_once_each_get_their_own(tiny: OnnxEmbeddings) -> None:
    wanted = recorded("bert")
    found = await asyncio.gather(*(embed(tiny, TEXTS[n % 4 : n % 4 + 1 + n % 2]) for n in range(120)))
    for number, vectors in enumerate(found):
        assert_allclose(vectors, wanted[number % 4 : number % 4 + 1 + number % 2], atol=2e-6)


@pytest.mark.parametrize(
    ("rows", "said"),
    [(np.full((1, WIDTH), np.nan, np.float32), "not finite"), (np.zeros((3, WIDTH), np.float32), "ValueError")],
    ids=["not-a-number", "too-many"],
)
async def test_vectors_that_are_none_are_a_failure_and_the_model_goes_on(
    tiny: OnnxEmbeddings, monkeypatch: pytest.MonkeyPatch, rows: Array, said: str
) -> None:
    assert tiny.loaded is not None
    with monkeypatch.context() as patch:
        patch.setattr(tiny.loaded.encoder, "encode", lambda batch: rows)
        for form in ("float", "base64"):
            with pytest.raises(StackError, match=said) as caught:
                await asyncio.wait_for(ask(tiny, "the cat", encoding_format=form), 30)
            assert (caught.value.status, caught.value.code) == (500, "inference_failed")
    assert len(await embed(tiny, "the cat")) == 1
