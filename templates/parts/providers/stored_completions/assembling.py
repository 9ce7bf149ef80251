"""The whole answer that the events of a stream add up to.

    data: {"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}]}
    data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}]}
    → {"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello", …}, …}], …}

Texts are put together, lists made longer, objects merged; of what is neither, the last that was said counts. That holds
for fields that nobody has described, such as `reasoning_content`, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic_core import from_json

from ...runtime.sse import data, events

Fields = dict[str, object]

_FIRST = ("id", "created", "model")
"""What every event repeats; one that has no word for it yet leaves it empty."""

_NAMES = frozenset({"id", "type", "role", "name"})
"""Texts that some services repeat with each piece."""


class _Text(list[str]):
    """The pieces of a text: adding to a text itself would take the square of its length."""


def assemble(stream: bytes) -> Fields:
    """stream: events as they were relayed."""
    whole: Fields = {}
    choices: dict[int, Fields] = {}
    for each in events(stream):
        said = data(each)
        chunk = from_json(said) if said is not None else None
        if isinstance(chunk, dict):
            _take_head(whole, chunk)
            for choice in _objects(chunk.get("choices")):
                _take_choice(choices.setdefault(_index(choice), {"delta": {}}), choice)
    whole["object"] = "chat.completion"
    whole["choices"] = [_finished(index, choices[index]) for index in sorted(choices)]
    return whole


def _take_head(whole: Fields, chunk: Mapping[str, object]) -> None:
    for key, value in chunk.items():
        if key in _FIRST:
            whole[key] = whole.get(key) or value
        elif key not in ("choices", "object") and (value is not None or key not in whole):
            whole[key] = value


def _take_choice(choice: Fields, piece: Mapping[str, object]) -> None:
    merged = {key: value for key, value in piece.items() if key in ("delta", "logprobs")}
    _merge(choice, merged)
    for key, value in piece.items():
        if key not in merged and key != "index" and (value is not None or key not in choice):
            choice[key] = value


def _finished(index: int, choice: Fields) -> Fields:
    """The choice of a whole answer, with what every one has."""
    said = _joined(choice.pop("delta"))
    rest = _joined(choice)
    assert isinstance(said, dict)
    assert isinstance(rest, dict)
    message = {"role": "assistant", "content": None, "refusal": None}
    message |= {key: value for key, value in said.items() if value is not None}
    if isinstance(calls := message.get("tool_calls"), list):
        message["tool_calls"] = [_without_index(call) for call in calls]
    return {"index": index, "message": message, "finish_reason": None, "logprobs": None, **rest}


def _merge(target: Fields, piece: Mapping[str, object]) -> None:
    """Adds what a piece says to what has been said."""
    for key, value in piece.items():
        known = target.get(key)
        if value is None and key in target:
            continue
        if isinstance(value, str) and isinstance(known, str) and key in _NAMES:
            target[key] = known if value in ("", known) else known + value
        elif isinstance(value, str) and isinstance(known, str):
            target[key] = _Text((known, value))
        elif isinstance(value, str) and isinstance(known, _Text):
            known.append(value)
        elif isinstance(value, Mapping):
            inner: Fields = known if isinstance(known, dict) else {}
            _merge(inner, value)
            target[key] = inner
        elif isinstance(value, list):
            items: list[object] = known if isinstance(known, list) and not isinstance(known, _Text) else []
            _extend(items, value)
            target[key] = items
        else:
            target[key] = value


def _extend(known: list[object], pieces: Iterable[object]) -> None:
    """Adds items; one that says its index is a piece of the item of this index."""
    for piece in pieces:
        if not isinstance(piece, Mapping):
            known.append(piece)
            continue
        target = _of_index(known, piece.get("index"))
        if target is None:
            target = {}
            known.append(target)
        _merge(target, {key: value for key, value in piece.items() if key != "index" or key not in target})


def _of_index(known: Sequence[object], index: object) -> Fields | None:
    if index is None:
        return None
    # The last one first: the pieces of one follow each other.
    found = (each for each in reversed(known) if isinstance(each, dict) and each.get("index") == index)
    return next(found, None)


def _joined(value: object) -> object:
    """The same with whole texts."""
    if isinstance(value, _Text):
        return "".join(value)
    if isinstance(value, dict):
        return {key: _joined(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_joined(each) for each in value]
    return value


def _without_index(item: object) -> object:
    return {key: value for key, value in item.items() if key != "index"} if isinstance(item, dict) else item


def _index(choice: Mapping[str, object]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _objects(value: object) -> Sequence[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else ()
