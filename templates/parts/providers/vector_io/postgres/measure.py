"""How vectors are compared, and by which index of pgvector that is quick."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

MOST_NUMBERS = 16_000
"""Of a vector in pgvector."""

_MOST_INDEXED, _MOST_INDEXED_AS_HALVES = 2_000, 4_000


def _cosine(far: float) -> float:
    # A vector of nothing but zeros has no angle.
    return 0.0 if math.isnan(far) else min(1.0, max(0.0, 1.0 - far))


def _nearness(far: float) -> float:
    return 1.0 / (1.0 + max(0.0, far))


def _product(far: float) -> float:
    return min(1.0, max(0.0, -far))


@dataclass(frozen=True, slots=True)
class Metric:
    """operator: of pgvector, less is nearer. name: in the names of its operator classes. score: from what the operator
    gives, 0 to 1.
    """

    operator: str
    name: str
    score: Callable[[float], float]


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "COSINE": Metric("<=>", "cosine", _cosine),
        "L2": Metric("<->", "l2", _nearness),
        "L1": Metric("<+>", "l1", _nearness),
        "INNER_PRODUCT": Metric("<#>", "ip", _product),
    }
)


@dataclass(frozen=True, slots=True)
class Quick:
    """An index that finds most of the nearest without comparing all. method, options: of CREATE INDEX. settings: of a
    connection that uses it.
    """

    method: str
    options: str
    settings: Mapping[str, str]


def compared(metric: Metric, dimension: int) -> str:
    """What a search sorts by: the distance from $1, in the words of the index if there can be one."""
    as_type = _indexed_type(dimension)
    return f"vector {metric.operator} $1" if as_type is None else f"vector::{as_type} {metric.operator} $1::{as_type}"


def index_of(table: str, metric: Metric, quick: Quick, dimension: int) -> str:
    """The statement that makes the index."""
    as_type = _indexed_type(dimension)
    kind = "vector" if as_type is None else "halfvec"
    column = "vector" if as_type is None else f"(vector::{as_type})"
    return f"CREATE INDEX ON {table} USING {quick.method} ({column} {kind}_{metric.name}_ops) WITH ({quick.options})"


def can_be_quick(dimension: int) -> bool:
    return dimension <= _MOST_INDEXED_AS_HALVES


def _indexed_type(dimension: int) -> str | None:
    """An index has room for 2,000 numbers, or for 4,000 of 16 bits, of which the best are compared in full."""
    return f"halfvec({dimension})" if _MOST_INDEXED < dimension <= _MOST_INDEXED_AS_HALVES else None
