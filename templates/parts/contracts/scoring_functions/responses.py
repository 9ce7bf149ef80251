"""What the answers of the scoring_functions API are made of.

Generated from apis/scoring_functions.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from ..shared.scoring import ScoringFnParams
from ..wire import WireModel
from .requests import ParamType


class ScoringFn(WireModel):
    """A scoring function."""

    identifier: str
    """What a request's `scoring_functions` names."""
    provider_id: str
    """The instance of scoring that it is a function of."""
    provider_resource_id: str
    """The function of the provider that it is made of."""
    type: Literal["scoring_function"]
    """Always `scoring_function`."""
    description: str | None = None
    """What it tells of an answer."""
    metadata: dict[str, Any]
    """What else is known of it."""
    return_type: ParamType
    params: ScoringFnParams | None = None
    """How it scores where a request does not say."""


class ListScoringFunctionsResponse(WireModel):
    """Scoring functions, all on one page."""

    data: list[ScoringFn]
