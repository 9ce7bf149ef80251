"""Changes as text and as JSON.

gateway → v2:gateway: 1 breaking change, 2 others
api
  breaking  removed-response-property  Model.owned_by: was string  (GET /v1/models and 1 more)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ..plan import JsonValue
from .changes import AREAS, Change

_MOST = 80
"""Characters of a value that are shown to people; --json has it whole."""


def format_changes(old: str, new: str, changes: Sequence[Change]) -> str:
    """All changes, the breaking ones of each area first, ending in a newline."""
    return "\n".join(_lines(old, new, changes)) + "\n"


def changes_json(old: str, new: str, changes: Sequence[Change]) -> str:
    """The same for programs, ending in a newline."""
    told = [
        {
            "area": each.area,
            "rule": each.rule,
            "breaking": each.breaking,
            "place": each.place,
            "old": each.old,
            "new": each.new,
            "operations": list(each.operations),
        }
        for each in changes
    ]
    whole = {"old": old, "new": new, "breaking": any(each.breaking for each in changes), "changes": told}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _lines(old: str, new: str, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        yield f"{old} → {new}: no change"
        return
    breaking = sum(each.breaking for each in changes)
    yield f"{old} → {new}: {breaking} breaking change{'' if breaking == 1 else 's'}, {len(changes) - breaking} other"
    for area in AREAS:
        here = sorted((each for each in changes if each.area == area), key=lambda each: not each.breaking)
        if here:
            width = max(len(each.rule) for each in here)
            yield from ["", area]
            yield from (
                f"  {'breaking' if each.breaking else '':<8}  {each.rule:<{width}}  {_tail(each)}" for each in here
            )


def _tail(change: Change) -> str:
    words = [change.place]
    if change.old is not None and change.new is not None:
        words.append(f": {_text(change.old)} → {_text(change.new)}")
    elif change.old is not None or change.new is not None:
        words.append(
            f": {'was ' if change.new is None else ''}{_text(change.old if change.new is None else change.new)}"
        )
    if change.operations:
        more = len(change.operations) - 1
        words.append(f"  ({change.operations[0]}{f' and {more} more' if more else ''})")
    return "".join(words)


def _text(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
