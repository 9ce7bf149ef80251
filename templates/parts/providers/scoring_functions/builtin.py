"""The table of scoring functions: which there are, and which instance scores by each. Read from memory."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.scoring_functions.responses import ListScoringFunctionsResponse, ScoringFn
from ...runtime.context import Context
from ...runtime.errors import NotFound
from ...runtime.scoring import Scorer
from .entries import Entry, ScoringFnResource, built_in, declared, present

if TYPE_CHECKING:
    from ...contracts.scoring_functions.requests import GetScoringFunctionRequest, ListScoringFunctionsRequest
    from ...contracts.shared.scoring import ScoringFnParams, ScoringResult
    from ...runtime.dataset_rows import Row


class ScoringFunctionsTable:
    """Implements the scoring functions API, and scores for the router. scorers: the instances of scoring."""

    def __init__(self, scorers: Mapping[str, Scorer], resources: Sequence[ScoringFnResource]) -> None:
        """Raises SettingsError for a declared function that its instance does not have."""
        self._scorers = scorers
        # Those of the distribution may have a provider's name, and then stand in its place.
        self._known = {**built_in(scorers), **declared(resources, scorers)}

    async def list_scoring_functions(
        self, request: ListScoringFunctionsRequest, ctx: Context
    ) -> ListScoringFunctionsResponse:
        return ListScoringFunctionsResponse(data=[present(entry) for entry in self._seen(ctx)])

    async def get_scoring_function(self, request: GetScoringFunctionRequest, ctx: Context) -> ScoringFn:
        return present(self.locate(request.scoring_fn_id, ctx, "scoring_fn_id"))

    # ── for the router ──────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, functions: Mapping[str, ScoringFnParams | None], ctx: Context) -> None:
        for name, params in functions.items():
            entry = self.locate(name, ctx)
            if params is not None:
                self._scorers[entry.instance].check(entry.function, params)

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        entry = self.locate(function, ctx)
        how = entry.params if params is None else params
        return await self._scorers[entry.instance].score(entry.function, how, rows, ctx)

    def locate(self, function: str, ctx: Context, param: str = "scoring_functions") -> Entry:
        """The scoring function of an id. Raises NotFound."""
        found = self._find(function, ctx)
        if found is not None:
            return found
        # Within bounds, as comparing names takes its time.
        near = difflib.get_close_matches(function[:200], [each.id for each in itertools.islice(self._seen(ctx), 200)])
        hint = f"did you mean {', '.join(near)}?" if near else "GET /v1/scoring-functions lists what is."
        message = f"there is no scoring function {function[:200]!r} here; {hint}"
        raise NotFound(message, code="scoring_function_not_found", param=param)

    # ── what `registry` has more of ─────────────────────────────────────────────────────────────────────────────────

    def _find(self, function: str, ctx: Context) -> Entry | None:
        return self._known.get(function)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        """All that the caller may use."""
        return iter(self._known.values())


@asynccontextmanager
async def open_scoring_functions(
    *, scorers: Mapping[str, Scorer], resources: Sequence[ScoringFnResource]
) -> AsyncIterator[ScoringFunctionsTable]:
    """The table of the functions that the instances of scoring come with, and of the distribution's."""
    yield ScoringFunctionsTable(scorers, resources)
