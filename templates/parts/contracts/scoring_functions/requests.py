"""What the requests of the scoring_functions API are made of.

Generated from apis/scoring_functions.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..shared.scoring import ScoringFnParams
from ..wire import WireModel


class StringType(WireModel):
    """A text."""

    type: Literal["string"]


class NumberType(WireModel):
    """A number."""

    type: Literal["number"]


class BooleanType(WireModel):
    """Yes or no."""

    type: Literal["boolean"]


class ArrayType(WireModel):
    """A list."""

    type: Literal["array"]


class ObjectType(WireModel):
    """An object."""

    type: Literal["object"]


class JsonType(WireModel):
    """Any JSON."""

    type: Literal["json"]


class UnionType(WireModel):
    """One of several kinds."""

    type: Literal["union"]


class ChatCompletionInputType(WireModel):
    """Messages of a chat."""

    type: Literal["chat_completion_input"]


class CompletionInputType(WireModel):
    """Content to complete."""

    type: Literal["completion_input"]


class AgentTurnInputType(WireModel):
    """What an agent is told."""

    type: Literal["agent_turn_input"]


ParamType: TypeAlias = Annotated[
    StringType
    | NumberType
    | BooleanType
    | ArrayType
    | ObjectType
    | JsonType
    | UnionType
    | ChatCompletionInputType
    | CompletionInputType
    | AgentTurnInputType,
    Field(discriminator="type"),
]
"""What kind of value a score is."""


class RegisterScoringFunctionRequest(WireModel):
    """A scoring function to be registered."""

    scoring_fn_id: Annotated[str, Field(max_length=512, min_length=1)]
    """The name clients use."""
    description: Annotated[str, Field(max_length=65536)]
    """What it tells of an answer."""
    return_type: ParamType
    provider_scoring_fn_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """The function of the provider that it is made of; if absent the one of its own name, or the provider's only one.
    """
    provider_id: Annotated[str | None, Field(min_length=1)] = None
    """The instance of scoring that it is a function of; may be left out where only one has such a function."""
    params: ScoringFnParams | None = None
    """How it is to score where a request does not say."""


class ListScoringFunctionsRequest(WireModel):
    """List the scoring functions."""


class GetScoringFunctionRequest(WireModel):
    """Describe one scoring function."""

    scoring_fn_id: str
    """The id; it may hold slashes."""


class UnregisterScoringFunctionRequest(WireModel):
    """Unregister a scoring function."""

    scoring_fn_id: str
    """The id; it may hold slashes."""
