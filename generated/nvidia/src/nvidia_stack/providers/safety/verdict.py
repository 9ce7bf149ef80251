"""What a guard found, and how the two operations of safety say it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from ...contracts.safety.responses import (
    CreateModerationResponse,
    ModerationCategories,
    ModerationInputTypes,
    ModerationResult,
    ModerationScores,
    RunShieldResponse,
)
from ...contracts.shared.violation import SafetyViolation
from .turns import Turn

OPENAI_CATEGORIES = (
    "hate",
    "hate/threatening",
    "harassment",
    "harassment/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""Every result of a moderation has these."""

TEXT_ONLY = frozenset(
    {
        "hate",
        "hate/threatening",
        "harassment",
        "harassment/threatening",
        "illicit",
        "illicit/violent",
        "sexual/minors",
    }
)
"""Those of which OpenAI's clients know no other input than text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """flagged: not to pass. level: how grave. message: what may be told to the user. scores: of each category that was
    looked for, from 0 to 1, OpenAI's and the guard's own. found: the categories that it falls into. metadata: JSON.
    """

    flagged: bool
    level: Literal["info", "warn", "error"] = "error"
    message: str | None = None
    scores: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    found: frozenset[str] = frozenset()
    metadata: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


PASS = Verdict(flagged=False)


def shielded(verdict: Verdict) -> RunShieldResponse:
    """A verdict as the answer of run-shield."""
    if not verdict.flagged:
        return RunShieldResponse(violation=None)
    violation = SafetyViolation(
        violation_level=verdict.level, user_message=verdict.message, metadata=dict(verdict.metadata)
    )
    return RunShieldResponse(violation=violation)


def moderated(shield: str, inputs: Sequence[Sequence[Turn]], verdicts: Sequence[Verdict]) -> CreateModerationResponse:
    """Verdicts as the answer of a moderation, one for each input."""
    results = [_result(turns, verdict) for turns, verdict in zip(inputs, verdicts, strict=True)]
    return CreateModerationResponse(id=f"modr-{uuid.uuid4().hex}", model=shield, results=results)


def _result(turns: Sequence[Turn], verdict: Verdict) -> ModerationResult:
    names = list(dict.fromkeys((*OPENAI_CATEGORIES, *verdict.scores, *sorted(verdict.found))))
    kinds = [
        *(["text"] if any(turn.text for turn in turns) else []),
        *(["image"] if any(turn.images for turn in turns) else []),
    ]
    sure = dict.fromkeys(verdict.found, 1.0)
    return ModerationResult(
        flagged=verdict.flagged,
        categories=ModerationCategories.model_validate({name: name in verdict.found for name in names}),
        category_scores=ModerationScores.model_validate(
            {name: verdict.scores.get(name, sure.get(name, 0.0)) for name in names}
        ),
        category_applied_input_types=ModerationInputTypes.model_validate(
            {name: _kinds(name, kinds) if name in verdict.scores or name in verdict.found else [] for name in names}
        ),
        user_message=verdict.message,
        metadata=dict(verdict.metadata),
    )


def _kinds(name: str, kinds: Sequence[str]) -> list[str]:
    return [kind for kind in kinds if kind == "text" or name not in TEXT_ONLY]
