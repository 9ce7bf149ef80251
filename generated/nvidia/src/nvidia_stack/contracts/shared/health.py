"""What several APIs use.

Generated from apis/shared/health.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

HealthStatus: TypeAlias = Literal["OK", "Error", "Not Implemented"]
"""`Not Implemented`: nobody can tell."""
