"""What several APIs use.

Generated from apis/shared/violation.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from ..wire import WireModel

ViolationLevel: TypeAlias = Literal["info", "warn", "error"]
"""How grave it is; `error` is not to pass."""


class SafetyViolation(WireModel):
    """Why messages may not pass."""

    violation_level: ViolationLevel
    user_message: str | None = None
    """What may be told to the user."""
    metadata: dict[str, Any]
    """What the provider found."""
