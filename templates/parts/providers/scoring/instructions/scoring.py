"""A row of IFEval: the share of its instructions that an answer follows, which weighs as much as there are.

`instruction_id_list` names the instructions and `kwargs` says of each what it asks for; `prompt` is what the model was
asked, which some instructions want repeated.
"""

from __future__ import annotations

import json

from ....runtime.dataset_rows import Row
from ..rows import GENERATED, cell, text_of, texts_of, wrong
from .checks import Malformed, Said, follows


def share(row: Row, number: int) -> Row:
    """Raises BadRequest for a row that lacks what is compared."""
    kinds = texts_of(row, number, "instruction_id_list")
    answer = text_of(row, number, GENERATED).strip()
    followed = 0
    for place, (kind, said) in enumerate(zip(kinds, _asked(row, number, len(kinds)), strict=True)):
        if kind == "combination:repeat_prompt" and "prompt" in row:
            said = {"prompt": row["prompt"], **said}
        try:
            followed += bool(answer) and follows(kind, said, answer)
        except Malformed as error:
            raise wrong(number, "instruction_id_list", f"{place}: {error}") from None
    return {"score": followed / len(kinds) if kinds else 0.0, "weight": float(len(kinds))}


def _asked(row: Row, number: int, count: int) -> list[Said]:
    value = cell(row, number, "kwargs")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise wrong(number, "kwargs", "is no JSON") from None
    if not isinstance(value, list) or len(value) != count or not all(isinstance(each, dict | None) for each in value):
        raise wrong(number, "kwargs", f"is no list of {count} objects, one for each instruction")
    # Datasets of columns have each name in each row, with null where it says nothing.
    return [{name: said for name, said in (each or {}).items() if said is not None} for each in value]
