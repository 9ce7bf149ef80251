"""The ScoringFunctions API: what its providers offer and the server calls.

Generated from apis/scoring_functions.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import (
        GetScoringFunctionRequest,
        ListScoringFunctionsRequest,
        RegisterScoringFunctionRequest,
        UnregisterScoringFunctionRequest,
    )
    from .responses import ListScoringFunctionsResponse, ScoringFn


class Listing(Protocol):
    """List the scoring functions. Describe one scoring function."""

    async def list_scoring_functions(
        self, request: ListScoringFunctionsRequest, ctx: Context
    ) -> ListScoringFunctionsResponse:
        """List the scoring functions."""

    async def get_scoring_function(self, request: GetScoringFunctionRequest, ctx: Context) -> ScoringFn:
        """Describe one scoring function."""


class Registration(Protocol):
    """Register a scoring function. Unregister a scoring function."""

    async def register_scoring_function(self, request: RegisterScoringFunctionRequest, ctx: Context) -> ScoringFn:
        """Register a scoring function."""

    async def unregister_scoring_function(self, request: UnregisterScoringFunctionRequest, ctx: Context) -> None:
        """Unregister a scoring function."""


class ScoringFunctions(Listing, Registration, Protocol):
    """By what answers can be scored: the functions that providers of scoring come with, and those that are made of them
    by other params. The wire format is Llama Stack's.
    """
