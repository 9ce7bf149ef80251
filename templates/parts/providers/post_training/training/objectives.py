"""What training makes smaller: how unlikely answers are, or how little one answer is preferred to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import torch
from torch.nn import functional

from .batches import Batch, order_of, pack, packed, padded, slices
from .loaded import Loaded
from .order import Dpo, Order
from .tokens import IGNORED, Tokens

Tensor: TypeAlias = Any

Pair: TypeAlias = tuple[Tokens, Tokens]
"""The chosen and the rejected answer to the same."""


class Objective(Protocol):
    """Of one list of examples. A batch is what goes through the model at once; it has a weight, and a loss as a sum."""

    @property
    def size(self) -> int:
        """How many units there are: examples, packed rows or pairs."""

    def batch(self, numbers: Sequence[int]) -> Batch: ...

    def weight(self, batch: Batch, numbers: Sequence[int]) -> int: ...

    def loss(self, model: Any, batch: Batch, numbers: Sequence[int]) -> Tensor: ...


class Imitation:
    """Supervised: each token that is to be learned counts the same."""

    def __init__(self, loaded: Loaded, found: Sequence[Tokens], order: Order) -> None:
        self._loaded = loaded
        self._found = found
        self._rows = pack(found, loaded.most) if order.packed else None

    @property
    def size(self) -> int:
        return len(self._found if self._rows is None else self._rows)

    def batch(self, numbers: Sequence[int]) -> Batch:
        pad, device = self._loaded.pad, self._loaded.device
        if self._rows is None:
            return padded([self._found[number] for number in numbers], pad, device)
        rows = [[self._found[each] for each in self._rows[number]] for number in numbers]
        return packed(rows, pad, device)

    def weight(self, batch: Batch, numbers: Sequence[int]) -> int:
        return batch.learned

    def loss(self, model: Any, batch: Batch, numbers: Sequence[int]) -> Tensor:
        logits = model(**batch.inputs, use_cache=False).logits[:, :-1].float()
        labels = batch.labels[:, 1:]
        return functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=IGNORED, reduction="sum"
        )


class Preference:
    """Direct preference optimisation: each pair counts the same.

    What the model thought of the answers before it is trained is found out once, so that there need not be two models.
    """

    def __init__(self, loaded: Loaded, pairs: Sequence[Pair], order: Order, dpo: Dpo) -> None:
        self._loaded = loaded
        self._pairs = pairs
        self._dpo = dpo
        self._before = torch.zeros(len(pairs), 2)
        if dpo.reference:
            with torch.no_grad(), loaded.precision():
                for numbers in slices(order_of(len(pairs), shuffle=False, seed=0), order.batch_size):
                    said = self._likelihoods(loaded.model, self.batch(numbers))
                    self._before[list(numbers)] = said.T.cpu()

    @property
    def size(self) -> int:
        return len(self._pairs)

    def batch(self, numbers: Sequence[int]) -> Batch:
        rows = [self._pairs[number][side] for side in (0, 1) for number in numbers]
        return padded(rows, self._loaded.pad, self._loaded.device)

    def weight(self, batch: Batch, numbers: Sequence[int]) -> int:
        return len(numbers)

    def loss(self, model: Any, batch: Batch, numbers: Sequence[int]) -> Tensor:
        before = self._before[list(numbers)].T.to(batch.labels.device)
        chosen, rejected = self._likelihoods(model, batch) - before
        return preference_loss(chosen, rejected, self._dpo).sum()

    def _likelihoods(self, model: Any, batch: Batch) -> Tensor:
        """Logarithms of the answers' probabilities, (chosen, rejected); of a token on average for ipo."""
        logits = model(**batch.inputs, use_cache=False).logits[:, :-1].float()
        labels = batch.labels[:, 1:]
        learned = labels != IGNORED
        each = torch.gather(logits.log_softmax(-1), 2, labels.clamp(min=0).unsqueeze(2)).squeeze(2) * learned
        total = each.sum(1)
        if self._dpo.loss == "ipo":
            total = total / learned.sum(1)
        return total.view(2, -1)


def preference_loss(chosen: Tensor, rejected: Tensor, dpo: Dpo) -> Tensor:
    """Of each pair. chosen, rejected: how much likelier either has become, as logarithms."""
    beta, margin = dpo.beta, chosen - rejected
    match dpo.loss:
        case "sigmoid":
            return -functional.logsigmoid(beta * margin)
        case "hinge":
            return torch.relu(1 - beta * margin)
        case "ipo":
            return (margin - 1 / (2 * beta)) ** 2
        case "kto_pair":
            # Each side against how far the other side of the batch has moved on average.
            good = 1 - torch.sigmoid(beta * (chosen - rejected.mean().clamp(min=0)))
            bad = 1 - torch.sigmoid(beta * (chosen.mean().clamp(min=0) - rejected))
            return (good + bad) / 2


def steps_of(objective: Objective, order: Order, epoch: int) -> list[list[Sequence[int]]]:
    """Of each step of the optimiser in an epoch the batches that it takes together."""
    numbers = order_of(objective.size, shuffle=order.shuffle, seed=order.seed + epoch)
    found = list(slices(numbers, order.batch_size))
    steps = [found[at : at + order.accumulation] for at in range(0, len(found), order.accumulation)]
    return steps[: order.steps or None]
