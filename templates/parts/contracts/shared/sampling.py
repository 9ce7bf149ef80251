"""What several APIs use.

Generated from apis/shared/sampling.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel


class GreedySamplingStrategy(WireModel):
    """The most likely token each time."""

    type: Literal["greedy"]


class TopPSamplingStrategy(WireModel):
    """One of the most likely tokens that together have this probability."""

    type: Literal["top_p"]
    temperature: Annotated[float | None, Field(ge=0.0)] = None
    """The greater it is, the more often it is an unlikely one."""
    top_p: Annotated[float | None, Field(ge=0.0, le=1.0)] = 0.95
    """The probability of all of them together."""


class TopKSamplingStrategy(WireModel):
    """One of this many tokens that are the most likely."""

    type: Literal["top_k"]
    top_k: Annotated[int, Field(ge=1)]
    """How many."""


SamplingStrategy: TypeAlias = Annotated[
    GreedySamplingStrategy | TopPSamplingStrategy | TopKSamplingStrategy, Field(discriminator="type")
]
"""The most likely token each time, or one of those that are likely enough."""


class SamplingParams(WireModel):
    """How a model chooses its words, and how many there may be."""

    strategy: SamplingStrategy | None = None
    max_tokens: Annotated[int | None, Field(ge=0)] = None
    """The most tokens of an answer; as the model has it where it is 0 or absent."""
    repetition_penalty: float | None = None
    """Above 1, what was said is less likely to be said again; 1 changes nothing. Not every service knows it."""
    stop: list[str] | None = None
    """Texts at which an answer ends, without them."""
