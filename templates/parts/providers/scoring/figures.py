"""The figures that are made of the scores of all rows.

    figures([{"score": 1.0}, {"score": 0.0}], ["accuracy"])
    →  {"accuracy": {"accuracy": 0.5, "num_correct": 1.0, "num_total": 2}}

The names are Llama Stack's. A score that is no number (a model that judges may have said anything) is left out of an
average and of a median; where there is none left, the figure is null.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ...contracts.shared.scoring import AggregationFunctionType
from ...runtime.dataset_rows import Row


def figures(rows: Sequence[Row], wanted: Iterable[AggregationFunctionType]) -> dict[str, object]:
    """rows: results, each with a `score`."""
    found: dict[str, object] = {}
    for name in wanted:
        match name:
            case "accuracy":
                found[name] = _accuracy(rows)
            case "average":
                found[name] = {"average": _mean(_numbers(rows))}
            case "weighted_average":
                found[name] = {"weighted_average": _weighted(rows)}
            case "median":
                numbers = _numbers(rows)
                found[name] = {"median": statistics.median(numbers) if numbers else None}
            case "categorical_count":
                found[name] = {"categorical_count": dict(Counter(_said(row.get("score")) for row in rows))}
    return found


def _accuracy(rows: Sequence[Row]) -> Mapping[str, object]:
    """Of all rows: one without a score is not correct."""
    correct = sum(_numbers(rows))
    return {"accuracy": correct / len(rows) if rows else None, "num_correct": correct, "num_total": len(rows)}


def _weighted(rows: Sequence[Row]) -> float | None:
    pairs = [(number(row.get("score")), number(row.get("weight", 1.0))) for row in rows]
    known = [(score, weight) for score, weight in pairs if score is not None and weight is not None]
    total = sum(weight for _, weight in known)
    return sum(score * weight for score, weight in known) / total if total else None


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def _numbers(rows: Sequence[Row]) -> list[float]:
    return [value for row in rows if (value := number(row.get("score"))) is not None]


def number(value: object) -> float | None:
    """None for what is no finite number."""
    if isinstance(value, bool | int | float) and abs(value) < float("inf"):
        return float(value)
    return None


def _said(value: object) -> str:
    return str(value)
