"""inline::sentence-transformers, as far as it goes without torch: references, and folders that are no model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_hub import REPOSITORY, fake_hub
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.sentence_transformers import SentenceTransformersConfig, open_sentence_transformers
from parts.providers.inference.sentences.folder import locate
from parts.runtime.context import Context
from parts.runtime.errors import Unavailable

EMBEDDING = CreateEmbeddingRequest.model_validate({"model": "m", "input": "hi"})
MODEL = {"modules.json": b"[]", "model.safetensors": b"weights"}


def folder(*names: str) -> Callable[[Path], Path]:
    def make(where: Path) -> Path:
        for name in names:
            (where / name).parent.mkdir(exist_ok=True)
            (where / name).write_bytes(b"")
        return where

    return make


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nowhere": (lambda where: where / "nowhere", "there is no folder"),
    "a-file": (
        lambda where: folder("model.safetensors")(where) / "model.safetensors",
        "is a file; name the folder of the model",
    ),
    "empty": (folder(), "has no modules.json"),
    "bare-transformer": (
        folder("config.json", "model.safetensors"),
        "it is not known how one vector is made of its tokens'",
    ),
    "no-weights": (folder("modules.json", "config.json"), "holds no weights: no file in it ends in .safetensors"),
    "pickle": (folder("modules.json", "pytorch_model.bin"), "weights as pickles only (pytorch_model.bin)"),
    "pickle-beside": (
        folder("modules.json", "model.safetensors", "2_Dense/pytorch_model.bin"),
        "weights as pickles only (2_Dense/pytorch_model.bin)",
    ),
}


@pytest.mark.parametrize(("make", "reason"), BAD.values(), ids=BAD)
async def test_a_model_that_cannot_be_had_answers_503_with_the_reason(
    make: Callable[[Path], Path], reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = SentenceTransformersConfig(model=str(make(tmp_path)), model_id="m")
    with caplog.at_level(logging.ERROR):
        async with open_sentence_transformers(config, instance="here") as provider:
            assert reason in caplog.text
            with pytest.raises(Unavailable, match="'m' is not available") as caught:
                await provider.create_embedding(EMBEDDING, Context("r"))
            assert reason in caught.value.message
            assert caught.value.code == "model_unavailable"
            health = await provider.health()
            assert health.status == "Error"
            assert reason in health.message
            assert [(model.id, model.model_type) for model in await provider.list_models()] == [("m", "embedding")]


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def names(where: Path) -> set[str]:
    return {str(path.relative_to(where)) for path in where.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("code", [False, True])
def test_what_is_needed_is_fetched(hub: Callable[[str], None], code: bool) -> None:
    others = {"pytorch_model.bin": b"pickle", "onnx/model.onnx": b"graph", "onnx/config.json": b"{}", "own.py": b"1"}
    with fake_hub({**MODEL, "1_Pooling/config.json": b"{}", **others}) as url:
        hub(url)
        folder = locate(REPOSITORY, code=code)
    assert names(folder) == {*MODEL, "1_Pooling/config.json", *(["own.py"] if code else [])}
