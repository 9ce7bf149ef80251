"""An encoder's weights as a model that ONNX Runtime can run.

The tokens of several texts stand in one row, so that no layer computes padding; only attention looks at them as texts:

    ids, positions [tokens] → embeddings → layers → hidden [tokens, width]
    rows [texts, longest]   where each token of a text stands in the row; anything where the text is over
    places [tokens]         where each token stands among rows
    mask [texts, longest]   where there is a token
    padded                  whether texts differ in length. Without, attention needs no mask, and then no memory that
                            grows with the square of the length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from ..model_files import BadModel
from .families import Family
from .weights import Floats, Weights

_OPSET, _IR = 23, 11
_MICROSOFT = "com.microsoft"  # ONNX Runtime's own operations
_ACTIVATIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "gelu": ("Gelu", {}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What config.json says of an encoder. first: the position of a text's first token."""

    layers: int
    heads: int
    activation: str
    epsilon: float
    first: int

    @classmethod
    def of(cls, config: Mapping[str, object], family: Family) -> Shape:
        """Raises BadModel where it says less, or what is not known here."""
        layers = config.get("num_hidden_layers", config.get("n_layers"))
        heads = config.get("num_attention_heads", config.get("n_heads"))
        activation = str(config.get("hidden_act", config.get("activation", "gelu")))
        epsilon = config.get("layer_norm_eps", 1e-12)
        if not (isinstance(layers, int) and isinstance(heads, int) and isinstance(epsilon, int | float)):
            raise BadModel("config.json lacks the numbers of layers and heads")
        if activation not in _ACTIVATIONS:
            raise BadModel(f"config.json has the activation {activation!r}; known here are {', '.join(_ACTIVATIONS)}")
        if config.get("position_embedding_type", "absolute") != "absolute" or config.get("is_decoder"):
            raise BadModel(
                "config.json is of a decoder, or of positions that are not absolute, which are not known here"
            )
        return cls(
            layers=layers,
            heads=heads,
            activation=activation,
            epsilon=float(epsilon),
            first=family.first_position(config),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """model: serialised, its weights beside it, by name. vocabulary, positions, width: of the embeddings."""

    model: bytes
    weights: Mapping[str, Floats]
    vocabulary: int
    positions: int
    width: int


class _Graph:
    """Operations in order; the weights that they use, by name."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, Floats] = {}

    def weight(self, array: Floats) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = np.ascontiguousarray(array)
        return name

    def add(self, operation: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """The name of its result."""
        name = f"r{len(self.nodes)}"
        node = helper.make_node(operation, inputs, [name], domain=domain)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def integers(self, values: Sequence[int]) -> str:
        return self.add("Constant", value_ints=list(values))


def build(weights: Weights, family: Family, shape: Shape) -> Built:
    """Raises BadModel where weights are missing."""
    graph = _Graph()
    words = weights.get("embeddings.word_embeddings.weight")
    positions = _positions(weights, family, shape)
    found = graph.add("Gather", graph.weight(words), "ids")
    places = graph.add("Gather", graph.weight(positions), "positions")
    hidden = _norm(graph, weights, "embeddings.LayerNorm", shape, graph.add("Add", found, places))
    bias = _distances(graph, weights, family, len(positions)) if family.distances else None
    for number in range(shape.layers):
        hidden = _layer(graph, weights, f"{family.layer}.{number}", family, shape, hidden, bias)
    graph.nodes[-1].output[0] = "hidden"
    return Built(
        model=_model(graph, words.shape[1]).SerializeToString(),
        weights=graph.weights,
        vocabulary=len(words),
        positions=len(positions),
        width=words.shape[1],
    )


def _positions(weights: Weights, family: Family, shape: Shape) -> Floats:
    """From the first token on; every token is of the first type, which is added here once for all."""
    found = weights.get("embeddings.position_embeddings.weight")[shape.first :]
    return found if family.without_types else found + weights.get("embeddings.token_type_embeddings.weight")[0]


def _layer(
    graph: _Graph, weights: Weights, prefix: str, family: Family, shape: Shape, before: str, bias: str | None
) -> str:
    query, key, value, after, norm, wide, narrow, last = (f"{prefix}.{name}" for name in family.inner)
    matrix = np.concatenate([weights.get(f"{each}.weight") for each in (query, key, value)])
    offset = np.concatenate([weights.get(f"{each}.bias") for each in (query, key, value)])
    together = graph.add("Gemm", before, graph.weight(matrix), graph.weight(offset), transB=1)
    attended = _attention(graph, together, len(offset) // 3, shape.heads, bias)
    middle = _norm(graph, weights, norm, shape, graph.add("Add", _linear(graph, weights, after, attended), before))
    operation, attributes = _ACTIVATIONS[shape.activation]
    wider = graph.add(operation, _linear(graph, weights, wide, middle), **attributes)
    return _norm(graph, weights, last, shape, graph.add("Add", _linear(graph, weights, narrow, wider), middle))


def _linear(graph: _Graph, weights: Weights, name: str, given: str) -> str:
    matrix, offset = weights.get(f"{name}.weight"), weights.get(f"{name}.bias")
    return graph.add("Gemm", given, graph.weight(matrix), graph.weight(offset), transB=1)


def _norm(graph: _Graph, weights: Weights, name: str, shape: Shape, given: str) -> str:
    scale, offset = weights.get(f"{name}.weight"), weights.get(f"{name}.bias")
    inputs = (given, graph.weight(scale), graph.weight(offset))
    return graph.add("LayerNormalization", *inputs, axis=-1, epsilon=shape.epsilon)


# ── attention ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _attention(graph: _Graph, together: str, width: int, heads: int, bias: str | None) -> str:
    """[tokens, 3 × width] → [tokens, width], text by text."""
    by_text = graph.add("Gather", together, "rows", axis=0)
    names = [f"{by_text}{each}" for each in ("q", "k", "v")]
    graph.nodes.append(helper.make_node("Split", [by_text], names, axis=-1, num_outputs=3))
    if bias is None:
        masked = helper.make_node("Attention", [*names, "mask"], ["masked"], q_num_heads=heads, kv_num_heads=heads)
        plain = helper.make_node("MultiHeadAttention", names, ["plain"], domain=_MICROSOFT, num_heads=heads)
        branches = {"then_branch": _branch(masked), "else_branch": _branch(plain)}
        attended = graph.add("If", "padded", **branches)
    else:
        attended = graph.add("Attention", *names, bias, q_num_heads=heads, kv_num_heads=heads)
    row = graph.add("Reshape", attended, graph.integers((-1, width)))
    return graph.add("Gather", row, "places", axis=0)


def _branch(node: NodeProto) -> GraphProto:
    result = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
    return helper.make_graph([node], node.output[0], [], [result])


def _distances(graph: _Graph, weights: Weights, family: Family, longest: int) -> str:
    """What is added to attention's scores, by how far two tokens are apart, and where there is no token."""
    found = weights.get(family.distances or "")
    every = found[_buckets(longest, len(found))].transpose(2, 0, 1)[None]
    length = graph.add("Slice", graph.add("Shape", "rows"), graph.integers((1,)), graph.integers((2,)))
    ends = graph.add("Concat", length, length, axis=0)
    zeros, axes = graph.integers((0, 0)), graph.integers((2, 3))
    near = graph.add("Slice", graph.weight(np.ascontiguousarray(every)), zeros, ends, axes)
    low = graph.weight(np.array(np.finfo(np.float32).min, dtype=np.float32))
    return graph.add("Where", "mask", near, low)


def _buckets(longest: int, buckets: int, furthest: int = 128) -> NDArray[np.int64]:
    """[longest, longest]: near distances have a bucket each, those further off share ever larger ones (T5, MPNet)."""
    distance = np.arange(longest)[None, :] - np.arange(longest)[:, None]
    half, apart = buckets // 2, np.abs(distance)
    exact = half // 2
    scaled = np.log(np.maximum(apart, 1).astype(np.float32) / exact) / np.log(furthest / exact) * (half - exact)
    far = np.minimum(exact + scaled.astype(np.int64), half - 1)
    found: NDArray[np.int64] = np.where(distance > 0, half, 0) + np.where(apart < exact, apart, far)
    return found


def _model(graph: _Graph, width: int) -> ModelProto:
    row, texts = ["tokens"], ["texts", "longest"]
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, row),
        helper.make_tensor_value_info("positions", TensorProto.INT64, row),
        helper.make_tensor_value_info("rows", TensorProto.INT64, texts),
        helper.make_tensor_value_info("places", TensorProto.INT64, row),
        helper.make_tensor_value_info("mask", TensorProto.BOOL, ["texts", 1, "longest", "longest"]),
        helper.make_tensor_value_info("padded", TensorProto.BOOL, []),
    ]
    hidden = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["tokens", width])
    outside = [_outside(name, array) for name, array in graph.weights.items()]
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    whole = helper.make_graph(graph.nodes, "encoder", inputs, [hidden], initializer=outside)
    return helper.make_model(whole, opset_imports=opsets, ir_version=_IR)


def _outside(name: str, array: Floats) -> TensorProto:
    """A weight whose numbers are handed over beside the model."""
    found = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape, data_location=TensorProto.EXTERNAL)
    found.external_data.add(key="location", value="beside")
    return found
