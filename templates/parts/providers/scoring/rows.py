"""What scoring functions have in common: they look at one row after another, and figures are made of the scores."""

from __future__ import annotations

from collections.abc import Sequence

from ...runtime.dataset_rows import Row
from ...runtime.errors import BadRequest

GENERATED, EXPECTED, QUERY = "generated_answer", "expected_answer", "input_query"


def text_of(row: Row, number: int, column: str) -> str:
    """A column that is a text. Raises BadRequest, which says where."""
    value = cell(row, number, column)
    if not isinstance(value, str):
        raise wrong(number, column, f"is {_kind(value)}; expected a text")
    return value


def texts_of(row: Row, number: int, column: str) -> list[str]:
    """A column that is a list of texts. Raises BadRequest."""
    value = cell(row, number, column)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise wrong(number, column, f"is {_kind(value)}; expected a list of texts")
    return value


def cell(row: Row, number: int, column: str) -> object:
    """Raises BadRequest where the row has no such column."""
    if column not in row:
        names = ", ".join(list(row)[:20]) or "none"
        raise wrong(number, column, f"is missing; the row has {names}")
    return row[column]


def wrong(number: int, column: str, what: str) -> BadRequest:
    """A row that cannot be scored."""
    message = f"row {number}: {column} {what[:400]}"
    return BadRequest(message, code="invalid_rows", param=f"input_rows.{number}.{column}")


def score(value: float | bool | str | None) -> Row:
    """A result of one row."""
    return {"score": float(value) if isinstance(value, bool) else value}


def scores_of(rows: Sequence[Row]) -> list[object]:
    return [each.get("score") for each in rows]


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
