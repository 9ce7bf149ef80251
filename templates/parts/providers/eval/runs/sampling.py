"""How a model is to choose its words: Llama Stack's words for it, as properties of an inference request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ....contracts.shared.sampling import SamplingParams

UNCHANGED = 1.0
"""The repetition penalty that changes nothing; services that know of none are not sent it."""


def options(params: SamplingParams | None) -> dict[str, object]:
    """The properties, those that say nothing left out."""
    if params is None:
        return {}
    found: dict[str, object] = {}
    strategy = params.strategy
    if strategy is not None and strategy.type == "greedy":
        found["temperature"] = 0.0
    elif strategy is not None and strategy.type == "top_p":
        found |= {"temperature": strategy.temperature, "top_p": strategy.top_p}
    elif strategy is not None:
        found["top_k"] = strategy.top_k
    if params.repetition_penalty != UNCHANGED:
        found["repetition_penalty"] = params.repetition_penalty
    found |= {"max_tokens": params.max_tokens or None, "stop": params.stop or None}
    return {name: value for name, value in found.items() if value is not None}
