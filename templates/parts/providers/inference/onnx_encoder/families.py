"""The architectures whose weights can be run as they are: encoders that differ from BERT in names, and in how they
count positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The names of an architecture's weights, below its prefix; those of a layer are below `layer`.

    inner: query, key, value and what follows attention, its norm, the wider and the narrower layer, the last norm.
    without_types: whether tokens have no types. after_padding: whether positions are counted from after the padding's
    id. padding: that id, None for what config.json says. distances: name of the biases by distance, None without.
    """

    layer: str = "encoder.layer"
    inner: tuple[str, str, str, str, str, str, str, str]
    without_types: bool = False
    after_padding: bool = False
    padding: int | None = None
    distances: str | None = None

    def first_position(self, config: Mapping[str, object]) -> int:
        """The position of a text's first token, among those that the model has weights for."""
        said = config.get("pad_token_id", 1) if self.padding is None else self.padding
        return said + 1 if self.after_padding and isinstance(said, int) else 0


_BERT = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
_MPNET = (
    "attention.attn.q",
    "attention.attn.k",
    "attention.attn.v",
    "attention.attn.o",
    "attention.LayerNorm",
    *_BERT[5:],
)
_DISTILBERT = (
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
)
_ROBERTA = Family(inner=_BERT, after_padding=True)

FAMILIES: Mapping[str, Family] = {
    "bert": Family(inner=_BERT),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "mpnet": Family(
        inner=_MPNET,
        without_types=True,
        after_padding=True,
        padding=1,
        distances="encoder.relative_attention_bias.weight",
    ),
    "distilbert": Family(layer="transformer.layer", inner=_DISTILBERT, without_types=True),
}
"""By `model_type` of config.json."""
