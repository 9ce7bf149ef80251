"""inline::sentence-transformers over models that are made differently: tiny ones, of random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import numpy as np
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.sentence_transformers import (
    SentenceTransformers,
    SentenceTransformersConfig,
    open_sentence_transformers,
)
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest
from sentence_models import WORDS, minilm, static, tiny
from sentence_transformers import SentenceTransformer

pytestmark = pytest.mark.torch

TEXTS = ["a", "b c d e f", "query : z", "x y"]


def opened(folder: Path, **config: Any) -> AbstractAsyncContextManager[SentenceTransformers]:
    settings = SentenceTransformersConfig(model=str(folder), device=config.pop("device", "cpu"), **config)
    return open_sentence_transformers(settings, instance="here")


async def vectors(model: SentenceTransformers, ctx: Context | None = None, **body: Any) -> Any:
    assert model.problem == ""
    request = CreateEmbeddingRequest.model_validate({"model": "m", **body})
    answer = json.loads((await model.create_embedding(request, ctx or Context("r"))).body)
    return np.array([each["embedding"] for each in answer["data"]], np.float32)


def library(folder: Path, **said: Any) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", **said)


def same(found: Any, expected: Any) -> bool:
    return found.shape == expected.shape and np.allclose(found, expected, atol=1e-5)


# ── as the library has them ─────────────────────────────────────────────────────────────────────────────────────────

MODELS: dict[str, Callable[[Path], Path]] = {
    "mean": tiny,
    "first-token": lambda folder: tiny(folder, pooling="cls"),
    "last-token": lambda folder: tiny(folder, pooling="lasttoken"),
    "dense": lambda folder: tiny(folder, dense=True, normalize=True),
    "cut-by-itself": lambda folder: tiny(folder, normalize=True, truncate_dim=5),
    "static": static,
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
async def test_vectors_are_the_librarys(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    expected = library(folder).encode(TEXTS)
    async with opened(folder) as model:
        assert same(await vectors(model, input=TEXTS), expected)
        (listed,) = await model.list_models()
        assert listed.id == "model"
        assert listed.metadata["embedding_dimension"] == expected.shape[1]


async def test_padding_on_the_left_is_the_models_to_choose(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "model", pooling="lasttoken")
    said = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**said, "padding_side": "left"}))
    async with opened(folder) as model:
        assert same(await vectors(model, input=TEXTS), library(folder).encode(TEXTS))


async def test_vectors_that_the_model_does_not_normalize_stay_so(tmp_path: Path) -> None:
    async with opened(tiny(tmp_path / "model")) as model:
        lengths = np.linalg.norm(await vectors(model, input=TEXTS), axis=1)
        assert not np.allclose(lengths, 1, atol=0.1)


async def test_a_model_without_a_context_takes_any_length(tmp_path: Path) -> None:
    folder = static(tmp_path / "model")
    async with opened(folder) as model:
        text = "a b c " * 5000
        ctx = Context("r")
        assert same(await vectors(model, ctx, input=[text, "?"]), library(folder).encode([text, "?"]))
        assert ctx.usage.prompt_tokens == 15001
        (listed,) = await model.list_models()
        assert "context_length" not in listed.metadata


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [tiny, static])
async def test_tokens_stand_for_their_text(make: Callable[[Path], Path], tmp_path: Path) -> None:
    async with opened(make(tmp_path / "model")) as model:
        ids = [WORDS.index(letter) for letter in "abc"]
        assert same(await vectors(model, input=ids), await vectors(model, input="a b c"))
        with pytest.raises(BadRequest, match=f"from 0 to {len(WORDS) - 1}"):
            await vectors(model, input=[len(WORDS)])


async def test_tokens_that_are_too_many_are_refused_with_the_special_ones(tmp_path: Path) -> None:
    async with opened(tiny(tmp_path / "model")) as model:
        assert len(await vectors(model, input=[WORDS.index("a")] * 30)) == 1
        with pytest.raises(BadRequest, match="context is 32 tokens, and a text of the request has 33"):
            await vectors(model, input=[WORDS.index("a")] * 31)


# ── prompts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PROMPTS = {"query": "query : ", "plain": ""}


@pytest.mark.parametrize("include_prompt", [True, False])
@pytest.mark.parametrize("name", ["query", "plain", None])
async def test_a_prompt_stands_before_every_text(tmp_path: Path, name: str | None, include_prompt: bool) -> None:
    folder = tiny(tmp_path / "model", include_prompt=include_prompt, prompts=PROMPTS, default_prompt_name="query")
    expected = library(folder).encode(TEXTS, prompt_name=name)
    ctx = Context("r")
    async with opened(folder, prompt_name=name) as model:
        assert same(await vectors(model, ctx, input=TEXTS), expected)
        assert ctx.usage.prompt_tokens == 11 + 4 * 2 + (0 if name == "plain" else 4 * 2)
        assert same(await vectors(model, input=[WORDS.index("a")]), expected[:1])


async def test_a_prompt_that_the_model_has_not_is_told(tmp_path: Path) -> None:
    async with opened(tiny(tmp_path / "model", prompts=PROMPTS), prompt_name="other") as model:
        assert "has no prompt 'other'; it has: document, plain, query" in model.problem


# ── dimensions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("normalize", [True, False])
async def test_vectors_may_be_shortened_where_the_config_says_so(tmp_path: Path, normalize: bool) -> None:
    folder = tiny(tmp_path / "model", normalize=normalize)
    expected = library(folder).encode(TEXTS, truncate_dim=6, normalize_embeddings=normalize)
    async with opened(folder, matryoshka=True) as model:
        assert same(await vectors(model, input=TEXTS, dimensions=6), expected)
        with pytest.raises(BadRequest, match="its own have 16, and any less will do"):
            await vectors(model, input="a", dimensions=17)


SAYS: dict[str, tuple[dict[str, Any], bool | None, int, str]] = {
    "nothing": ({}, None, 8, "it is not known to let one shorten them"),
    "some": ({"matryoshka_dimensions": [4, 10]}, None, 8, "it knows 4, 10, 16"),
    "any": ({"is_matryoshka": True}, None, 17, "any less will do"),
    "overruled": ({"is_matryoshka": True}, False, 8, "it is not known"),
}


@pytest.mark.parametrize(("config", "matryoshka", "wrong", "reason"), SAYS.values(), ids=SAYS)
async def test_what_a_model_says_of_shortening_holds(
    tmp_path: Path, config: dict[str, Any], matryoshka: bool | None, wrong: int, reason: str
) -> None:
    async with opened(tiny(tmp_path / "model", config=config), matryoshka=matryoshka) as model:
        with pytest.raises(BadRequest, match=reason) as caught:
            await vectors(model, input="a", dimensions=wrong)
        assert caught.value.param == "dimensions"
        for length in {4, 10} if config and matryoshka is None else {16}:
            assert (await vectors(model, input="a", dimensions=length)).shape == (1, length)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
async def test_half_as_many_bits_are_about_the_same(tmp_path: Path, dtype: str) -> None:
    folder = tiny(tmp_path / "model", normalize=True)
    async with opened(folder, dtype=dtype) as model:
        found = await vectors(model, input=TEXTS)
    assert found.dtype == np.float32
    cosines = (found * library(folder).encode(TEXTS)).sum(axis=1)
    assert (cosines > 0.99).all()
    assert not (cosines == 1).all()


async def test_a_cpu_computes_in_single_precision_whatever_was_saved(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    library(tiny(tmp_path / "single")).half().save_pretrained(str(folder))
    expected = library(folder, model_kwargs={"dtype": "float32"}).encode(TEXTS)
    async with opened(folder) as model:
        assert same(await vectors(model, input=TEXTS), expected)


async def test_eight_bits_are_about_the_same() -> None:
    texts = ["The cat sleeps.", "Quarterly tax revenue"]
    async with opened(minilm(), quantization="int8") as model:
        found = await vectors(model, input=texts)
        assert model.loaded is not None
        weight = model.loaded.encoder._model[0].model.encoder.layer[0].intermediate.dense.weight
        assert "Int8" in type(weight).__name__
    cosines = (found * library(minilm()).encode(texts)).sum(axis=1)
    assert (cosines > 0.995).all()


# ── what cannot be loaded ───────────────────────────────────────────────────────────────────────────────────────────


def with_module(folder: Path, kind: str) -> Path:
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([{**modules[0], "type": kind}, *modules[1:]]))
    return folder


def own_code(folder: Path) -> Path:
    (folder / "own.py").write_text("raise SystemExit('code of the model has run')\n")
    return with_module(tiny(folder), "own.Transformer")


def cut_weights(folder: Path) -> Path:
    weights = tiny(folder) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    return folder


def with_template(folder: Path) -> Path:
    said = json.loads((tiny(folder) / "sentence_bert_config.json").read_text())
    method = {"method": "forward", "method_output_name": "last_hidden_state"}
    said["modality_config"] = {"text": method, "message": {**method, "format": "flat"}}
    (folder / "sentence_bert_config.json").write_text(json.dumps(said))
    return folder


BAD: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "own-code": (own_code, {}, "cannot be loaded: ValueError: "),
    "weights": (cut_weights, {}, "cannot be loaded: SafetensorError: "),
    "template": (with_template, {}, "puts every text into a chat template"),
    "device": (tiny, {"device": "cuda:7"}, "cannot be loaded: "),
}


@pytest.mark.parametrize(("make", "config", "reason"), BAD.values(), ids=BAD)
async def test_what_cannot_be_loaded_is_told(
    tmp_path: Path, make: Callable[[Path], Path], config: dict[str, Any], reason: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    async with opened(make(folder), **config) as model:
        assert model.problem.startswith("model ")
        assert reason in model.problem
        assert (await model.health()).status == "Error"
