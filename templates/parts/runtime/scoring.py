"""What scores answers: the side of a scoring provider that the table of scoring functions sees.

[each.id for each in scorer.functions()]                            # ["basic::equality", …]
rows = [{"generated_answer": "4", "expected_answer": "4"}]
await scorer.score("basic::equality", None, rows, ctx)              # ScoringResult(score_rows=[{"score": 1.0}], …)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from ..contracts.shared.scoring import ScoringFnParams, ScoringResult
    from .context import Context
    from .dataset_rows import Row
    from .wiring import Health

ReturnType: TypeAlias = Literal["number", "string", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringFunction:
    """A function that a provider comes with.

    params: how it scores where nobody says; None where there is nothing to say, or somebody has to.
    """

    id: str
    description: str
    returns: ReturnType
    params: ScoringFnParams | None


class Scorer(Protocol):
    """An instance of scoring. Its methods raise StackError where they cannot do what they are asked."""

    def functions(self) -> Sequence[ScoringFunction]:
        """All that it has; the same each time."""

    def check(self, function: str, params: ScoringFnParams | None) -> None:
        """Raises BadRequest for params that a function of its cannot be registered with."""

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        """A result for each row, in their order. function: the id of one of its own. params: None for the function's.

        Raises BadRequest for a row that lacks what the function compares.
        """

    async def health(self) -> Health: ...
