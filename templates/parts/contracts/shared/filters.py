"""What several APIs use.

Generated from apis/shared/filters.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal

from ..wire import WireModel


class ComparisonFilter(WireModel):
    """An attribute of a file, compared with a value."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: str
    value: str | float | bool | list[str | float]


class CompoundFilter(WireModel):
    """Filters of which all must hold, or one."""

    type: Literal["and", "or"]
    filters: list[ComparisonFilter | CompoundFilter]
