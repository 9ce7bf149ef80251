"""Sequences as tensors: padded beside one another, or packed into rows one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from .tokens import IGNORED, Tokens

Tensor: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """inputs: the model's keyword arguments. labels: of the tokens, in the same places."""

    inputs: dict[str, Tensor]
    labels: Tensor

    @property
    def learned(self) -> int:
        """Tokens that are to be learned."""
        return int((self.labels[:, 1:] != IGNORED).sum())


def padded(found: Sequence[Tokens], pad: int, device: Tensor) -> Batch:
    """A row for each sequence. pad: the token that stands where there is none."""
    width = max(len(each) for each in found)
    ids = torch.full((len(found), width), pad)
    labels = torch.full((len(found), width), IGNORED)
    mask = torch.zeros((len(found), width), dtype=torch.long)
    for row, each in enumerate(found):
        ids[row, : len(each)] = torch.tensor(each.ids)
        labels[row, : len(each)] = torch.tensor(each.labels)
        mask[row, : len(each)] = 1
    inputs = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
    return Batch(inputs=inputs, labels=labels.to(device))


def packed(rows: Sequence[Sequence[Tokens]], pad: int, device: Tensor) -> Batch:
    """Rows of several sequences each, whose places are counted from 0 for each: by that the model keeps them apart."""
    width = max(sum(len(each) for each in row) for row in rows)
    ids = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), IGNORED)
    places = torch.zeros((len(rows), width), dtype=torch.long)
    for number, row in enumerate(rows):
        at = 0
        for each in row:
            end = at + len(each)
            ids[number, at:end] = torch.tensor(each.ids)
            # What begins a sequence cannot be told from the one before.
            labels[number, at:end] = torch.tensor((IGNORED, *each.labels[1:]))
            places[number, at:end] = torch.arange(len(each))
            at = end
        places[number, at:] = torch.arange(width - at)
    return Batch(inputs={"input_ids": ids.to(device), "position_ids": places.to(device)}, labels=labels.to(device))


def pack(found: Sequence[Tokens], most: int) -> list[list[int]]:
    """The sequences by number, put into rows of `most` tokens in their order: each into the first that has room."""
    rows: list[list[int]] = []
    room: list[int] = []
    for number, each in enumerate(found):
        at = next((row for row, left in enumerate(room) if left >= len(each)), None)
        if at is None:
            rows.append([number])
            room.append(most - len(each))
        else:
            rows[at].append(number)
            room[at] -= len(each)
    return rows


def order_of(count: int, *, shuffle: bool, seed: int) -> list[int]:
    """Numbers from 0, shuffled the same way for the same seed."""
    if not shuffle:
        return list(range(count))
    found: list[int] = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return found


def slices(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def keeps_apart(model: Any, pad: int, device: Tensor) -> bool:
    """Whether the model sees of a packed row's sequences one at a time: told by trying two."""
    first, second = Tokens((5, 6, 7), (5, 6, 7)), Tokens((8, 9), (8, 9))
    with torch.no_grad():
        try:
            alone = model(**padded([second], pad, device).inputs, use_cache=False).logits[0]
            together = model(**packed([[first, second]], pad, device).inputs, use_cache=False).logits[0, 3:5]
        except (TypeError, ValueError, RuntimeError):
            return False
    return bool(torch.allclose(alone.float(), together.float(), atol=2e-2, rtol=2e-2))
