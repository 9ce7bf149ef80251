"""How a request is sampled: as it says itself, else as the model's generation_config says, else as the library does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....runtime.errors import BadRequest
from .loading import Tensors
from .sampling import Sampling, Warp

# Where neither the request nor the model says: what the library's generate takes.
TOP_K = 50

COLDEST = 1e-6
"""A temperature below it is 0: scores divided by so little are infinite, and a step with one such row fails for all."""

_ASKS_TO_SAMPLE = ("temperature", "top_p", "top_k", "min_p", "typical_p")


class Defaults:
    """What a model's generation_config says of sampling. seed: of requests without one, None for a new one each."""

    def __init__(self, config: Tensors, seed: int | None) -> None:
        # Unset values are None, as are those of fields that other versions know.
        self.said: Mapping[str, Any] = {key: value for key, value in config.to_dict().items() if value is not None}
        self.seed = seed

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end an answer."""
        found = self.said.get("eos_token_id", ())
        return (found,) if isinstance(found, int) else tuple(found)


def sampling(document: Mapping[str, object], defaults: Defaults, vocabulary: int, index: int) -> Sampling:
    """The sampling of a request's answer; index: which of its answers. Raises BadRequest."""
    said = defaults.said
    return Sampling(
        warp=_warp(document, defaults),
        seed=_seed(document, defaults, index),
        presence=_number(document, "presence_penalty", -2, 2) or 0.0,
        frequency=_number(document, "frequency_penalty", -2, 2) or 0.0,
        repetition=_first(_number(document, "repetition_penalty", 1e-3, 100), said.get("repetition_penalty"), 1.0),
        bias=_bias(document, vocabulary),
        no_repeat_ngram=int(said.get("no_repeat_ngram_size", 0)),
        bad_words=tuple(tuple(words) for words in said.get("bad_words_ids", ())),
        suppress=tuple(said.get("suppress_tokens", ())),
        begin_suppress=tuple(said.get("begin_suppress_tokens", ())),
        min_new_tokens=int(said.get("min_new_tokens", 0)),
    )


def _warp(document: Mapping[str, object], defaults: Defaults) -> Warp | None:
    """None for the likeliest token always: where the temperature is as good as 0, and where neither the request nor the
    model asks for sampling.
    """
    said = defaults.said
    if not said.get("do_sample") and all(document.get(name) is None for name in _ASKS_TO_SAMPLE):
        return None
    temperature = _first(_number(document, "temperature", 0, 2), said.get("temperature"), 1.0)
    if temperature < COLDEST:
        return None
    top_k = _integer(document, "top_k", -1)
    return Warp(
        temperature=temperature,
        top_k=max(int(_first(top_k, said.get("top_k"), TOP_K)), 0),
        top_p=_first(_number(document, "top_p", 0, 1), said.get("top_p"), 1.0),
        min_p=_first(_number(document, "min_p", 0, 1), said.get("min_p"), 0.0),
        typical_p=_first(None, said.get("typical_p"), 1.0),
    )


def _seed(document: Mapping[str, object], defaults: Defaults, index: int) -> int | None:
    """Several answers to one request begin with several seeds, or they would be the same."""
    seed = _integer(document, "seed", None)
    seed = defaults.seed if seed is None else seed
    if seed is None:
        return None
    # torch takes 64 bits, with or without a sign.
    return (seed + index + 2**63) % 2**64 - 2**63


def _bias(document: Mapping[str, object], vocabulary: int) -> dict[int, float]:
    said = document.get("logit_bias")
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise BadRequest("logit_bias must be an object: token → number", param="logit_bias")
    found: dict[int, float] = {}
    for token, value in said.items():
        number = int(token) if str(token).isdecimal() else -1
        if not 0 <= number < vocabulary or not isinstance(value, int | float) or not -100 <= value <= 100:
            raise BadRequest(
                f"logit_bias has {token!r}: {value!r}; tokens are 0 to {vocabulary - 1}, values -100 to 100",
                param="logit_bias",
            )
        found[number] = float(value)
    return found


def stops(document: Mapping[str, object]) -> tuple[str, ...]:
    """The stop strings. Raises BadRequest."""
    said = document.get("stop") or ()
    found = (said,) if isinstance(said, str) else tuple(said) if isinstance(said, Sequence) else ("",)
    if not all(isinstance(each, str) and each for each in found):
        raise BadRequest("stop must be a text that is not empty, or a list of such", param="stop")
    return found


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _number(document: Mapping[str, object], name: str, least: float, most: float) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadRequest(f"{name} must be a number from {least} to {most}", param=name)
    return float(value)


def _integer(document: Mapping[str, object], name: str, least: int | None) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
        raise BadRequest(f"{name} must be an integer" + ("" if least is None else f" from {least}"), param=name)
    return value
