"""Models for embeddings in files: those that cannot be had, those of the hub, and which library runs them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from encoder_folders import write_dense, write_json, write_model, write_onnx
from fake_hub import REPOSITORY, fake_hub
from gguf_files import head
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.llama_cpp import LlamaCpp
from parts.providers.inference.local_embeddings import LocalEmbeddingsConfig, is_gguf, open_local_embeddings
from parts.providers.inference.model_files import BadModel
from parts.providers.inference.onnx_embeddings import OnnxEmbeddings, OnnxEmbeddingsConfig, open_onnx_embeddings
from parts.providers.inference.onnx_encoder.load import alike
from parts.providers.inference.onnx_encoder.references import choose_configs, choose_weights, locate
from parts.runtime.context import Context
from parts.runtime.errors import Unavailable

EMBEDDING = CreateEmbeddingRequest.model_validate({"model": "m", "input": "the cat"})


# ── a model that cannot be had ──────────────────────────────────────────────────────────────────────────────────────


def nothing(folder: Path) -> Path:
    return folder / "nowhere"


def no_folder(folder: Path) -> Path:
    (folder / "model.safetensors").write_bytes(b"")
    return folder / "model.safetensors"


def no_modules(folder: Path) -> Path:
    (write_model(folder) / "modules.json").unlink()
    return folder


def no_config(folder: Path) -> Path:
    (write_model(folder) / "config.json").unlink()
    return folder


def no_tokenizer(folder: Path) -> Path:
    (write_model(folder) / "tokenizer.json").unlink()
    return folder


def bad_tokenizer(folder: Path) -> Path:
    (write_model(folder) / "tokenizer.json").write_text("{}")
    return folder


def no_weights(folder: Path) -> Path:
    (write_model(folder) / "model.safetensors").unlink()
    return folder


def pickled_weights(folder: Path) -> Path:
    (no_weights(folder) / "pytorch_model.bin").write_bytes(b"\x80\x02")
    return folder


def cut_weights(folder: Path) -> Path:
    weights = write_model(folder) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return folder


def others_weights(folder: Path) -> Path:
    write_model(folder / "other", "distilbert")
    (folder / "other" / "model.safetensors").rename(write_model(folder) / "model.safetensors")
    return folder


def narrow_weights(folder: Path) -> Path:
    config = json.loads((write_model(folder) / "config.json").read_text())
    write_json(folder / "config.json", {**config, "num_attention_heads": 3})
    return folder


def lost_piece(folder: Path) -> Path:
    write_json(no_weights(folder) / "model.safetensors.index.json", {"weight_map": {"a": "model-00001.safetensors"}})
    return folder


def unknown_architecture(folder: Path) -> Path:
    write_json(write_model(folder) / "config.json", {"model_type": "deberta-v2"})
    return folder


def decoder(folder: Path) -> Path:
    config = json.loads((write_model(folder) / "config.json").read_text())
    write_json(folder / "config.json", {**config, "is_decoder": True})
    return folder


def unknown_activation(folder: Path) -> Path:
    config = json.loads((write_model(folder) / "config.json").read_text())
    write_json(folder / "config.json", {**config, "hidden_act": "silu"})
    return folder


def unknown_module(folder: Path) -> Path:
    return write_model(folder, modules=("LSTM",))


def unknown_beginning(folder: Path) -> Path:
    write_json(write_model(folder) / "modules.json", [{"type": "sentence_transformers.models.CLIPModel", "path": ""}])
    return folder


def bad_modules(folder: Path) -> Path:
    write_json(write_model(folder) / "modules.json", {"0": "Transformer"})
    return folder


def unknown_pooling(folder: Path) -> Path:
    return write_model(folder, pooling={"pooling_mode": ["mean", "median"]})


def unknown_layer(folder: Path) -> Path:
    write_dense(write_model(folder, modules=("Dense",)) / "2_Dense", "torch.nn.modules.activation.Mish")
    return folder


def pickled_layer(folder: Path) -> Path:
    (write_model(folder, modules=("Dense",)) / "2_Dense" / "model.safetensors").unlink()
    return folder


def unpooled_prompt(folder: Path) -> Path:
    write_model(folder, pooling={"pooling_mode": "mean", "include_prompt": False})
    write_json(folder / "config_sentence_transformers.json", {"prompts": {"q": "query: "}, "default_prompt_name": "q"})
    return folder


def cut_onnx(folder: Path) -> Path:
    write_onnx(unknown_architecture(folder))
    path = folder / "onnx" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-200])
    return folder


def onnx_of_texts(folder: Path) -> Path:
    write_onnx(unknown_architecture(folder), output="one")
    return folder


def onnx_that_takes_more(folder: Path) -> Path:
    write_onnx(unknown_architecture(folder), inputs=("input_ids", "attention_mask", "pixel_values"))
    return folder


BAD: dict[Callable[[Path], Path], str] = {
    nothing: "there is no folder",
    no_folder: "is a file; name the folder of the model",
    no_modules: "has no modules.json, so that it is not known how one vector is made",
    no_config: "has no config.json",
    no_tokenizer: "has no tokenizer.json; transformers makes one",
    bad_tokenizer: "tokenizer.json is no tokenizer that can be read",
    no_weights: "has no weights: neither model.safetensors nor onnx/model.onnx",
    pickled_weights: "has weights as pickles only (pytorch_model.bin)",
    cut_weights: "model.safetensors is damaged or incomplete",
    others_weights: "lacks the weights",
    narrow_weights: "is loaded, and fails with its first text",
    lost_piece: "lacks pieces of its weights: model-00001.safetensors",
    unknown_architecture: "is a model of type 'deberta-v2', which can be run from an ONNX file only",
    decoder: "is of a decoder",
    unknown_activation: "config.json has the activation 'silu'",
    unknown_module: "names LSTM, a module that is not known here",
    unknown_beginning: "names CLIPModel; only Transformer, then Pooling, can begin",
    bad_modules: "modules.json cannot be read as a list of modules",
    unknown_pooling: "the model's pooling is median, which is not known here",
    unknown_layer: "has the activation Mish, which is not known here",
    pickled_layer: "2_Dense has no model.safetensors",
    unpooled_prompt: "has a default prompt that is not to be pooled",
    cut_onnx: "ONNX Runtime cannot load",
    onnx_of_texts: "has no output with a vector for each token: it has one",
    onnx_that_takes_more: "takes input_ids, attention_mask, pixel_values; what can be given is",
}


@pytest.mark.parametrize(("make", "reason"), BAD.items(), ids=[make.__name__ for make in BAD])
async def test_a_model_that_cannot_be_had_answers_503_with_the_reason(
    make: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = OnnxEmbeddingsConfig(model=str(make(tmp_path)), model_id="m", threads=1)
    with caplog.at_level(logging.ERROR):
        async with open_onnx_embeddings(config, instance="here") as provider:
            assert reason in caplog.text
            with pytest.raises(Unavailable, match="'m' is not available") as caught:
                await provider.create_embedding(EMBEDDING, Context("r"))
            assert caught.value.code == "model_unavailable"
            assert reason in caught.value.message
            health = await provider.health()
            assert health.status == "Error"
            assert reason in health.message
            assert [(model.id, model.model_type) for model in await provider.list_models()] == [("m", "embedding")]


# ── of the hub ──────────────────────────────────────────────────────────────────────────────────────────────────────


def files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


async def test_a_model_of_the_hub_is_fetched_once_and_no_more_of_it_than_it_needs(
    hub: Callable[[str], None], tmp_path: Path
) -> None:
    held = files(write_model(tmp_path / "model", modules=("Dense", "Normalize")))
    others = ("pytorch_model.bin", "onnx/model_O4.onnx", "onnx/model.onnx", "README.md", "2_Dense/pytorch_model.bin")
    with fake_hub({**held, **dict.fromkeys(others, b"not needed")}) as url:
        hub(url)
        config = LocalEmbeddingsConfig(model=f"{REPOSITORY}@v1", threads=1)
        async with open_local_embeddings(config, instance="here") as provider:
            assert (await provider.health()).message == ""
            assert (await provider.list_models())[0].id == REPOSITORY
            assert (await provider.create_embedding(EMBEDDING, Context("r"))).body
    hub("http://127.0.0.1:9")
    folder = locate(f"{REPOSITORY}@v1")
    assert set(files(folder)) == {name for name in held if name != "2_Normalize/config.json"}
    async with open_local_embeddings(config, instance="here") as provider:
        assert (await provider.health()).status == "OK"


NAMES = [
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "onnx/model.onnx",
    "onnx/model.onnx_data",
    "a/model.onnx",
]


@pytest.mark.parametrize(
    ("kind", "names", "chosen"),
    [
        ("bert", NAMES, ["model.safetensors"]),
        ("deberta", NAMES, ["onnx/model.onnx", "onnx/model.onnx_data"]),
        ("bert", [name for name in NAMES if name != "model.safetensors"], ["onnx/model.onnx", "onnx/model.onnx_data"]),
    ],
)
def test_weights_are_chosen_by_what_can_be_run(kind: str, names: list[str], chosen: list[str]) -> None:
    assert choose_weights(names, kind, "there") == chosen


def test_a_repository_without_a_model_is_told() -> None:
    with pytest.raises(BadModel, match=re.escape("there has no modules.json")):
        choose_configs(["README.md"], "there")


@pytest.mark.parametrize(
    ("kind", "names", "reason"),
    [
        ("bert", ["config.json", "pytorch_model.bin"], "weights as pickles only (pytorch_model.bin)"),
        ("deberta", ["config.json", "model.safetensors"], "can be run from an ONNX file only"),
        ("bert", ["config.json"], "has no weights"),
    ],
)
def test_a_repository_without_weights_that_can_be_run_is_told(kind: str, names: list[str], reason: str) -> None:
    with pytest.raises(BadModel, match=re.escape(reason)):
        choose_weights(names, kind, "there")


# ── which library ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reference_leads_to_one_library(tmp_path: Path) -> None:
    (tmp_path / "gguf").mkdir()
    gguf = tmp_path / "gguf" / "m.gguf"
    gguf.write_bytes(head({"general.architecture": "bert"}))
    both = write_model(tmp_path / "both")
    (both / "m.gguf").write_bytes(gguf.read_bytes())
    assert [is_gguf(str(each)) for each in (gguf, gguf.parent, both)] == [True, True, False]
    (gguf.parent / "config.json").write_text("{}")
    assert is_gguf(str(gguf.parent))
    assert is_gguf("org/name:Q8_0")
    assert not is_gguf("./nowhere")


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["m-Q8_0.gguf", "config.json"], True), (["config.json", "model.safetensors", "m.gguf"], False), (["a"], False)],
)
def test_a_repository_leads_to_one_library(hub: Callable[[str], None], names: list[str], expected: bool) -> None:
    with fake_hub(dict.fromkeys(names, b"x")) as url:
        hub(url)
        assert is_gguf(REPOSITORY) is expected


async def test_either_kind_that_cannot_be_had_tells_so(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(head({"general.architecture": "bert"})[:20])
    for model, kind, reason in (
        (cut, LlamaCpp, "damaged or incomplete"),
        (tmp_path / "none", OnnxEmbeddings, "there is no folder"),
    ):
        async with open_local_embeddings(LocalEmbeddingsConfig(model=str(model)), instance="here") as provider:
            assert isinstance(provider.model, kind)
            assert reason in (await provider.health()).message
            with pytest.raises(Unavailable, match=reason):
                await provider.create_embedding(EMBEDDING, Context("r"))


# ── which texts together ────────────────────────────────────────────────────────────────────────────────────────────


def test_texts_computed_together_are_of_like_length_and_bounded() -> None:
    lengths = [3, 500, 4, 512, 2000, 5] + [128] * 70
    found = [[lengths[place] for place in places] for places in alike(lengths)]
    assert found == [[3, 4, 5], [128] * 64, [128] * 6, [500, 512], [2000]]
