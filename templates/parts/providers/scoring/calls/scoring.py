"""A row of the Berkeley Function-Calling Leaderboard: right or wrong.

`id` begins with the category (`parallel_multiple_17`), `function` describes the functions and `ground_truth` the right
calls, both lists or their JSON; `generated_answer` is what the model said, `language` what it wrote it in (Python if
absent). Of the category `irrelevance` no call is right, of `relevance` any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ....runtime.dataset_rows import Row
from ..rows import GENERATED, cell, text_of, wrong
from .checking import Json, right
from .reading import read

_NUMBER = re.compile(r"_[0-9_-]+$")


def is_right(row: Row, number: int) -> bool:
    """Raises BadRequest for a row that lacks what is compared."""
    category = _NUMBER.sub("", text_of(row, number, "id"))
    language = row.get("language")
    language = language.lower() if isinstance(language, str) else "python"
    calls = read(text_of(row, number, GENERATED), language)
    if "irrelevance" in category:
        return not calls
    if "relevance" in category:
        return bool(calls)
    functions, truth = _objects(row, number, "function"), _objects(row, number, "ground_truth")
    return calls is not None and right(calls, functions, truth, textual=language in ("java", "javascript"))


def _objects(row: Row, number: int, column: str) -> Sequence[Json]:
    value = cell(row, number, column)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise wrong(number, column, "is no JSON") from None
    found: list[Json] = []
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            raise wrong(number, column, "is no list of objects")
        found.append(each)
    return found
