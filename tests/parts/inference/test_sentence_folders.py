"""inline::sentence-transformers, as far as it goes without torch: references, and folders that are no model."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_hub import REPOSITORY, fake_hub
from huggingface_hub import constants
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.sentence_transformers import SentenceTransformersConfig, open_sentence_transformers
from parts.providers.inference.sentences.folder import BadModel, HubModel, locate, name_of, parse_hub
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
    "a-file": (lambda where: folder("model.safetensors")(where) / "model.safetensors", "is a file; name the folder"),
    "empty": (folder(), "has no modules.json"),
    "bare-transformer": (folder("config.json", "model.safetensors"), "how its tokens become one vector is not known"),
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


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("org/name", HubModel(repository="org/name", revision=None)),
        ("org/name@main", HubModel(repository="org/name", revision="main")),
        ("org/name@refs/pr/7", HubModel(repository="org/name", revision="refs/pr/7")),
        ("./org/name", None),
        ("/models/name", None),
        ("a/b/c", None),
        ("name", None),
    ],
)
def test_a_reference_is_the_hubs_or_not(reference: str, expected: HubModel | None) -> None:
    assert parse_hub(reference) == expected


@pytest.mark.parametrize(
    ("reference", "name"),
    [("/models/minilm", "minilm"), ("/models/minilm/", "minilm"), ("org/name@main", "org/name")],
)
def test_a_model_is_named_after_its_reference(reference: str, name: str) -> None:
    assert name_of(reference) == name


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has the hub's client ask this URL, with a cache that is empty at first."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_XET_CACHE", str(tmp_path / "xet"))

    def ask(url: str) -> None:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + template)

    return ask


def names(where: Path) -> set[str]:
    return {str(path.relative_to(where)) for path in where.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("code", [False, True])
def test_what_is_needed_is_fetched_once(hub: Callable[[str], None], code: bool) -> None:
    others = {"pytorch_model.bin": b"pickle", "onnx/model.onnx": b"graph", "onnx/config.json": b"{}", "own.py": b"1"}
    with fake_hub({**MODEL, "1_Pooling/config.json": b"{}", **others}) as url:
        hub(url)
        first = locate(f"{REPOSITORY}@v1", code=code)
    assert names(first) == {*MODEL, "1_Pooling/config.json", *(["own.py"] if code else [])}
    hub("http://127.0.0.1:9")
    assert locate(f"{REPOSITORY}@v1", code=code) == first


LACKS: dict[str, tuple[str, dict[str, bytes], str]] = {
    "revision": (f"{REPOSITORY}@v2", MODEL, "has no revision 'v2'"),
    "repository": ("org/other", MODEL, "no public repository of the hub"),
    "safetensors": (REPOSITORY, {"modules.json": b"[]", "pytorch_model.bin": b""}, "has no weights as safetensors"),
    "modules": (REPOSITORY, {"model.safetensors": b""}, "has no modules.json"),
}


@pytest.mark.parametrize(("reference", "files", "reason"), LACKS.values(), ids=LACKS)
def test_what_the_hub_lacks_is_told(
    hub: Callable[[str], None], reference: str, files: dict[str, bytes], reason: str
) -> None:
    with fake_hub(files) as url:
        hub(url)
        with pytest.raises(BadModel, match=re.escape(reason)):
            locate(reference, code=False)


def test_a_hub_that_cannot_be_reached_is_told(hub: Callable[[str], None]) -> None:
    hub("http://127.0.0.1:9")
    with pytest.raises(BadModel, match="org/name is no folder here, and the hub cannot be reached"):
        locate("org/name", code=False)
