"""Which models can be had, and what is said of those that cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from asking import Model
from parts.contracts.inference.requests import CreateCompletionRequest, RerankRequest
from parts.providers.inference.model_files import BadModel
from parts.providers.inference.torch_text.loading import choose_device, load_text, quantization
from parts.providers.inference.torch_text.references import locate
from parts.providers.inference.transformers import TransformersConfig, open_transformers
from parts.runtime.context import Context
from parts.runtime.errors import Unavailable

pytestmark = pytest.mark.torch


def test_what_a_folder_lacks_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with pytest.raises(BadModel, match="no folder"):
        locate(str(folder), code=False)
    folder.mkdir()
    with pytest.raises(BadModel, match=r"no config\.json"):
        locate(str(folder), code=False)
    (folder / "x.gguf").touch()
    with pytest.raises(BadModel, match="inline::llama-cpp"):
        locate(str(folder), code=False)
    shutil.copytree(folders["llama"], folder, dirs_exist_ok=True)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadModel, match=r"weights as pickles only \(pytorch_model\.bin\), and unpickling"):
        locate(str(folder), code=False)
    (folder / "model-00001-of-00002.safetensors").touch()
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BadModel, match=r"lacks pieces of the model: model-00002-of-00002\.safetensors"):
        locate(str(folder), code=False)
    with pytest.raises(BadModel, match="GGUF file"):
        locate(str(folder / "x.gguf"), code=False)
    with pytest.raises(BadModel, match="is a file"):
        locate(str(folder / "config.json"), code=False)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("config.json", "{", "damaged"),
        ("config.json", '{"model_type": "nothing"}', "cannot be loaded"),
        ("model.safetensors", "no tensors", "cannot be loaded"),
    ],
)
def test_damaged_files_are_told(folders: dict[str, Path], tmp_path: Path, file: str, text: str, said: str) -> None:
    folder = Path(shutil.copytree(folders["llama"], tmp_path / "m"))
    (folder / file).write_text(text)
    with pytest.raises(BadModel, match=said):
        load_text(TransformersConfig(model=str(folder)))


def test_a_context_longer_than_the_model_is_told(folders: dict[str, Path]) -> None:
    with pytest.raises(BadModel, match="max_seq_len is 5000, and the model has places for 1024"):
        load_text(TransformersConfig(model=str(folders["llama"]), max_seq_len=5000))


def test_a_device_that_is_not_there_is_told() -> None:
    with pytest.raises(BadModel, match="no device"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(BadModel, match="cuda:3 is not there"):
            choose_device("cuda:3")


@pytest.mark.parametrize("kind", ["int4", "fp8"])
def test_quantization_that_the_device_has_not_is_told(kind: str) -> None:
    with pytest.raises(BadModel, match=f"quantization {kind} does not work on cpu"):
        quantization(kind, torch.device("cpu"))


async def test_int8_on_a_cpu(pong: Path) -> None:
    config = TransformersConfig(model=str(pong), quantization="int8", device="cpu")
    async with open_transformers(config, instance="here") as provider:
        assert (await provider.health()).status == "OK"
        assert provider.text is not None
        weight: Any = provider.text.loaded.model.model.layers[0].mlp.up_proj.weight
        assert "int8" in str(type(weight)).lower()
        assert (await Model(provider).chat("ping"))["choices"][0]["message"]["content"] == "pong"


async def test_bfloat16(pong: Path) -> None:
    config = TransformersConfig(model=str(pong), dtype="bfloat16", device="cpu", max_seq_len=64, threads=1)
    async with open_transformers(config, instance="here") as provider:
        assert (await Model(provider).chat("ping"))["choices"][0]["message"]["content"] == "pong"
        assert [each.metadata for each in await provider.list_models()] == [{"context_length": 64}]


async def test_a_model_that_cannot_be_had_leaves_the_server_running(tmp_path: Path) -> None:
    config = TransformersConfig(model=str(tmp_path / "none"), model_id="m")
    async with open_transformers(config, instance="here") as provider:
        assert [(each.id, each.model_type) for each in await provider.list_models()] == [("m", "llm")]
        health = await provider.health()
        assert health.status == "Error"
        assert "no folder" in health.message
        request = CreateCompletionRequest.model_validate({"model": "m", "prompt": "x"})
        with pytest.raises(Unavailable, match="is not available: there is no folder") as caught:
            await provider.create_completion(request, Context("r"))
        assert caught.value.code == "model_unavailable"
        with pytest.raises(Unavailable, match="is not available"):
            await provider.rerank(
                RerankRequest.model_validate({"model": "m", "query": "x", "items": ["y"]}), Context("r")
            )


async def test_a_chat_template_that_is_not_there_is_told(folders: dict[str, Path]) -> None:
    config = TransformersConfig(model=str(folders["llama"]), chat_template="/none.jinja")
    async with open_transformers(config, instance="here") as provider:
        assert "cannot be read" in (await provider.health()).message
