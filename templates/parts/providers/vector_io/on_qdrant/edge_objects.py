"""Points, weights and conditions as objects of Qdrant's engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as edge

from ..marks import AllOf, AnyOf, Has, Lacks, Within
from .index import TEXT, WORDS

if TYPE_CHECKING:
    from ..marks import Condition
    from .index import Point
    from .words import Weights


def made(point: Point) -> edge.Point:
    return edge.Point(point.id, {TEXT: point.vector, WORDS: sparse(point.words)}, point.payload)


def sparse(weights: Weights) -> edge.SparseVector:
    return edge.SparseVector(weights.indices, weights.values)


def of_group(group: str) -> edge.Filter:
    return edge.Filter(must=[edge.FieldCondition("group", match=edge.MatchValue(group))])


def filter_of(where: Condition) -> edge.Filter:
    if isinstance(where, AllOf | AnyOf):
        parts: list[Any] = [filter_of(each) for each in where.of]
        if not parts:
            return filter_of(Lacks(())) if isinstance(where, AllOf) else filter_of(Has(()))
        return edge.Filter(must=parts) if isinstance(where, AllOf) else edge.Filter(should=parts)
    if isinstance(where, Within):
        of_name = edge.FieldCondition("name", match=edge.MatchValue(where.name))
        within = edge.FieldCondition("value", range=edge.RangeFloat(**{where.sign: where.value}))
        return edge.Filter(must=[edge.NestedCondition("numbers", edge.Filter(must=[of_name, within]))])
    marked: list[Any] = [edge.FieldCondition("marks", match=edge.MatchAny(list(where.marks)))]
    return edge.Filter(must=marked) if isinstance(where, Has) else edge.Filter(must_not=marked)
