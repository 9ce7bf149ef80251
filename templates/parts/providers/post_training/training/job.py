"""A job from its first step, or the one it got to, to its last."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ...inference.model_files import BadModel, short
from ...inference.refusals import is_out_of_memory
from .batches import keeps_apart, slices
from .loaded import Loaded, load
from .objectives import Imitation, Objective, Pair, Preference, steps_of
from .order import TRAINING_FILE, VALIDATION_FILE, Order, Told
from .saving import Figures, alone, checkpoints, forget_state, load_state, prune, save_checkpoint, save_state
from .tokens import Texts, Tokens

log = logging.getLogger(__name__)

Tell: TypeAlias = Callable[[Told], None]

_STEEPEST = 1.0
"""The length that gradients are cut to."""

_OPTIMIZERS: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def train(order: Order, tell: Tell) -> None:
    """Tells how it goes, and what is wrong where it cannot be done."""
    try:
        with alone(Path(order.folder)):
            loaded = load(order)
            data = _objective(loaded, order, TRAINING_FILE)
            validation = _objective(loaded, order, VALIDATION_FILE) if order.validate else None
            _Training(order, loaded, data, validation, tell).run()
    except BadModel as error:
        tell(Told(event="failed", message=str(error)))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        log.debug("no memory", exc_info=True)
        mend = "a smaller batch_size, activation checkpointing, LoRA or a shorter max_seq_length takes less"
        tell(Told(event="failed", message=f"there is not enough memory to train: {mend} ({short(error)})"))


def _objective(loaded: Loaded, order: Order, name: str) -> Objective:
    """The examples of a file. Raises BadModel where none can be trained on."""
    texts = Texts(loaded.tokenizer, most=loaded.most, train_on_input=order.train_on_input)
    lines = (Path(order.folder) / name).read_bytes().splitlines()
    examples = [json.loads(line) for line in lines]
    if order.dpo is not None:
        pairs = [_pair(texts, each) for each in examples]
        good = [each for each in pairs if each is not None]
        _check_some(good, len(pairs), name)
        return Preference(loaded, good, order, order.dpo)
    found = [texts.conversation(each["messages"]) for each in examples]
    fitting = [each for each in found if each is not None]
    _check_some(fitting, len(found), name)
    if order.packed and not keeps_apart(loaded.model, loaded.pad, loaded.device):
        raise BadModel("this model cannot keep packed examples apart: train it without `packed`")
    return Imitation(loaded, fitting, order)


def _pair(texts: Texts, example: Any) -> Pair | None:
    chosen, rejected = (texts.answer(example["messages"], example[side]) for side in ("chosen", "rejected"))
    return None if chosen is None or rejected is None else (chosen, rejected)


def _check_some(fitting: Sequence[Tokens | Pair], count: int, name: str) -> None:
    if not fitting:
        raise BadModel(f"no example of {name} has room for its answer in max_seq_length, or none has an answer")
    if len(fitting) < count:
        out = count - len(fitting)
        log.warning("%d of %d examples of %s are left out: their answers begin too late", out, count, name)


class _Training:
    """step: of the optimiser, since the first. done: steps of the epoch under way."""

    def __init__(self, order: Order, loaded: Loaded, data: Objective, validation: Objective | None, tell: Tell) -> None:
        self._order = order
        self._loaded = loaded
        self._data = data
        self._validation = validation
        self._tell = tell
        self._folder = Path(order.folder)
        self._trained = loaded.trained
        parameters = [each for _, each in self._trained]
        self._optimizer = _OPTIMIZERS[order.optimizer](parameters, lr=order.lr, weight_decay=order.weight_decay)
        # Gradients of 16 bits vanish unless they are made larger meanwhile.
        self._scaler = torch.amp.GradScaler(loaded.device.type, enabled=loaded.dtype == torch.float16)
        self._total = order.epochs * len(steps_of(data, order, 0))
        self._step = 0
        self._sum, self._weight = 0.0, 0
        self._last: float | None = None
        self._saved_at = time.monotonic()

    def run(self) -> None:
        epoch, done = self._resume()
        self._tell(Told(event="ready", details=self._figures(epoch)))
        for each in checkpoints(self._folder):
            self._tell(Told(event="checkpoint", details=asdict(each)))
        while epoch < self._order.epochs:
            self._epoch(epoch, done)
            loss = self._sum / self._weight if self._weight else None
            saved = save_checkpoint(
                self._loaded,
                self._folder,
                name=self._order.name,
                epoch=epoch,
                train_loss=loss,
                validation=self._validated(),
            )
            self._sum, self._weight = 0.0, 0
            epoch, done = epoch + 1, 0
            self._save(epoch, done)
            prune(self._folder, self._order.keep)
            self._tell(Told(event="checkpoint", details=asdict(saved)))
        forget_state(self._folder)
        self._tell(Told(event="done", details=self._figures(epoch)))

    def _epoch(self, epoch: int, done: int) -> None:
        self._loaded.model.train()
        for number, groups in enumerate(steps_of(self._data, self._order, epoch)):
            if number < done:
                continue
            self._one_step(groups)
            if time.monotonic() - self._saved_at >= self._order.save_seconds:
                self._save(epoch, number + 1)
                self._tell(Told(event="saved", details=self._figures(epoch)))

    def _one_step(self, groups: Sequence[Sequence[int]]) -> None:
        # So that a step is the same whether or not the process is the one that took those before.
        torch.manual_seed(self._order.seed + self._step)
        model, data = self._loaded.model, self._data
        batches = [(data.batch(numbers), numbers) for numbers in groups]
        weight = sum(data.weight(batch, numbers) for batch, numbers in batches)
        total = 0.0
        for batch, numbers in batches:
            with self._loaded.precision(), self._loaded.keeping(offloaded=self._order.activation_offloading):
                loss = data.loss(model, batch, numbers)
            self._scaler.scale(loss / weight).backward()
            total += float(loss.detach())
        if not math.isfinite(total):
            raise BadModel(f"the loss is no number any more at step {self._step + 1}: a smaller lr may help")
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_([each for _, each in self._trained], _STEEPEST)
        for group in self._optimizer.param_groups:
            group["lr"] = self._order.lr * pace(self._step, self._total, self._order.warmup_steps)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        self._step += 1
        self._sum, self._weight, self._last = self._sum + total, self._weight + weight, total / weight

    def _validated(self) -> Figures | None:
        """None where there is nothing to validate with."""
        data = self._validation
        if data is None:
            return None
        batches = list(slices(range(data.size), self._order.batch_size))[: self._order.validation_steps or None]
        total, weight = 0.0, 0
        self._loaded.model.eval()
        with torch.no_grad(), self._loaded.precision():
            for numbers in batches:
                batch = data.batch(numbers)
                total += float(data.loss(self._loaded.model, batch, numbers))
                weight += data.weight(batch, numbers)
        loss = total / weight
        return Figures(loss=loss, perplexity=None if self._order.dpo else math.exp(min(loss, 700.0)))

    # ── going on ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _save(self, epoch: int, done: int) -> None:
        state = {
            "trained": {name: each.detach() for name, each in self._trained},
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "epoch": epoch,
            "done": done,
            "step": self._step,
            "sum": self._sum,
            "weight": self._weight,
        }
        save_state(self._folder, state)
        self._saved_at = time.monotonic()

    def _resume(self) -> tuple[int, int]:
        """The epoch, and its first step that is still to be taken."""
        state = load_state(self._folder, self._loaded.device)
        if state is None:
            return 0, 0
        with torch.no_grad():
            for name, each in self._trained:
                each.copy_(state["trained"][name])
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        self._step, self._sum, self._weight = state["step"], state["sum"], state["weight"]
        log.info("going on from epoch %d, step %d", state["epoch"], self._step)
        return state["epoch"], state["done"]

    def _figures(self, epoch: int) -> dict[str, object]:
        device = self._loaded.device
        found: dict[str, object] = {
            "device": str(device),
            "trained_parameters": sum(each.numel() for _, each in self._trained),
            "examples": self._data.size,
            "epoch": min(epoch, self._order.epochs - 1),
            "steps": self._step,
            "total_steps": self._total,
            "train_loss": self._last,
        }
        if device.type == "cuda":
            found["peak_memory_bytes"] = torch.cuda.max_memory_allocated(device)
        return found


def pace(step: int, total: int, warmup: int) -> float:
    """The learning rate of a step, as a share of the whole: a line up, then half a cosine down."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))
